// Consumer groups of confluent-kafka (librdkafka). The Python program checks that no partition has two owners and no
// record is skipped. This file holds the expected outcome of each scenario.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningBroker } from '../brokers.ts'
import { groupBrokers } from './brokers.ts'
import { GROUPS_PROGRAM, pythonProgram } from './python.ts'

const run = promisify(execFile)
const LIMIT = { timeout: 280_000, maxBuffer: 1 << 26 }

const REBALANCES = {
  scale: ['10 5+5 3+3+4 2+2+3+3 2+2+2+2+2 2+2+3+3 3+3+4 5+5 10', '0 repeated'],
  crash: [5, '0 repeated'],
  eviction: [5, 5],
  /** The restarted member gets its partitions back, and the other member has no rebalance. */
  restart: [true, true, '0 repeated']
}
const READING = {
  pause: ['first', 'c', 'ab'],
  seek: ['abc', 'bc', 'abc'],
  assign: ['ab', 'c', 'c', 'UNKNOWN_MEMBER_ID', 'nothing'],
  commits: [-1001, 'abcd', 1, 'words', null, 4],
  automatic: [2, 2, 3],
  reset: ['ab', 'nothing', '_AUTO_OFFSET_RESET', '_PARTITION_EOF', 'c', 'abc']
}
/** Admin requests on a group with a member, then on the empty group. */
const administration = (assignor: string): readonly unknown[] => [
  ...[['STABLE'], 'STABLE', assignor, ['me'], [2], 'UNKNOWN_MEMBER_ID', 'NON_EMPTY_GROUP'],
  ...['EMPTY', 0, 'nothing', [1], 'nothing', [], 'GROUP_ID_NOT_FOUND']
]

const RUNS: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['range', { ...REBALANCES, ...READING, administration: administration('range') }],
  ['roundrobin', REBALANCES],
  ['cooperative-sticky', REBALANCES],
  ['consumer', { ...REBALANCES, ...READING, administration: administration('uniform') }]
]

describe.each(groupBrokers)('%s', (_, share) => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await share()
  })
  afterAll(() => broker?.stop())

  describe.each(RUNS)('with confluent-kafka, %s', (protocol, outcomes) => {
    let results: Readonly<Record<string, unknown>>
    beforeAll(async () => {
      const args = [GROUPS_PROGRAM, broker.bootstrapServers, protocol, `confluent-${protocol}`]
      const { stdout } = await run(await pythonProgram(), [...args, ...Object.keys(outcomes)], LIMIT)
      results = JSON.parse(stdout)
    })
    test.each(Object.entries(outcomes))('the scenario %s has the expected outcome', (scenario, outcome) => {
      expect(results[scenario]).toEqual(outcome)
    })
  })
})
