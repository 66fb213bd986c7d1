// Consumer groups of the Java clients with every assignor: members come, go, die and fall asleep while records are produced.
// The program itself watches that no partition has two owners and no record is lost; here stands what else each scenario
// must come to.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningBroker } from '../brokers.ts'
import { groupScenarios, type Outcomes } from '../java/groups.ts'
import { groupBrokers } from './brokers.ts'

const CLASSIC = {
  crash: '5 then 10, 0 repeated',
  eviction: '5 lost, CommitFailedException, 5 again, 0 repeated',
  restart: 'the same partitions, the same epoch, nobody else knows, 0 repeated',
  twice: 'first FencedInstanceIdException'
}
const SHARES = '10 5+5 3+3+4 2+2+3+3 2+2+2+2+2 2+2+3+3 3+3+4 5+5 10, 0 repeated'
const EAGER = {
  ...CLASSIC,
  scale: `${SHARES}, interrupted`,
  waiting: 'commits RebalanceInProgressException, reads nothing and keeps none, 0 repeated'
}
const COOPERATIVE = {
  ...CLASSIC,
  scale: `${SHARES}, none interrupted`,
  waiting: 'commits RebalanceInProgressException, reads on and keeps all, 0 repeated'
}
/** Which clients play with which protocol, and what comes of it. */
const RUNS: readonly (readonly [string, string, Outcomes])[] = [
  ['4.4.0', 'range', EAGER],
  ['4.4.0', 'roundrobin', EAGER],
  ['4.4.0', 'sticky', EAGER],
  ['4.4.0', 'cooperative-sticky', COOPERATIVE],
  ['2.8.2', 'range', EAGER],
  ['2.8.2', 'cooperative-sticky', COOPERATIVE]
]

describe.each(groupBrokers)('%s', (_, start) => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await start()
  })
  afterAll(() => broker?.stop())

  describe.each(RUNS)('with kafka-clients %s, %s', (version, protocol, outcomes) => {
    let results: Outcomes
    beforeAll(async () => {
      results = await groupScenarios(version, broker.bootstrapServers, protocol, `${version}-${protocol}`)
    })
    test.each(Object.entries(outcomes))('%s', (scenario, outcome) => {
      expect(results[scenario]).toBe(outcome)
    })
  })
})
