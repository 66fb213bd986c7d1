// Consumer groups of Java clients, the newest and the oldest that we support, with every assignor. The Java program
// checks that no partition has two owners and no record is skipped. This file holds the expected outcome of each
// scenario.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningBroker } from '../brokers.ts'
import { groupScenarios, type Outcomes } from '../java/groups.ts'
import { groupBrokers } from './brokers.ts'

/** Members join, leave, crash and stop polling during steady production. */
const REBALANCES = {
  crash: '5 then 10, 0 repeated',
  eviction: '5 lost, CommitFailedException, 5 again, 0 repeated',
  handover: 'all committed',
  restart: 'the same partitions, the same epoch, nobody else knows, 0 repeated',
  twice: 'first FencedInstanceIdException'
}
const SHARES = '10 5+5 3+3+4 2+2+3+3 2+2+2+2+2 2+2+3+3 3+3+4 5+5 10, 0 repeated'
const EAGER = {
  ...REBALANCES,
  scale: `${SHARES}, interrupted`,
  waiting: 'commits RebalanceInProgressException, reads nothing and keeps none, 0 repeated'
}
const COOPERATIVE = {
  ...REBALANCES,
  scale: `${SHARES}, none interrupted`,
  waiting: 'commits RebalanceInProgressException, reads on and keeps all, 0 repeated'
}
const CONSUMER = {
  ...REBALANCES,
  twice: 'second UnreleasedInstanceIdException',
  scale: `${SHARES}, none interrupted`,
  waiting: 'commits nothing, reads on and keeps some, 0 repeated'
}
/**
 * During fast rebalances, members of 2.8 keep claiming revoked partitions (KAFKA-13419), and partitions get a second
 * owner, with a real Kafka too. So the scenario `scale` is left out.
 */
const { scale: _, ...COOPERATIVE_OF_2 } = COOPERATIVE
/** Positions and commits of a single consumer. */
const READING = {
  pause: 'c paused ab',
  seek: 'abc bc abc 3 c 1',
  assign: 'abc d CommitFailedException d nothing',
  reset: 'earliest ab ab, latest from 2 c, none NoOffsetForPartitionException OffsetOutOfRangeException',
  commits: 'nothing, sync 1, told 3as told, async one two 1two, before the close 4',
  automatic: 'by the clock 2, meanwhile 2, at the close 3'
}
/** auto.offset.reset=by_duration exists since 4.0. */
const READING_OF_4 = { ...READING, duration: 'c bc abc' }

/** Admin requests on a group with members, then on the empty group, and their outcomes. */
const administration = (assignor: string): string =>
  [
    'listed Stable',
    `described Stable ${assignor} first one 5, second - 5`,
    'deleted GroupNotEmptyException',
    'altered UnknownMemberIdException',
    'offsets deleted GroupSubscribedToTopicException',
    'offset 2',
    'nobody removed UnknownMemberIdException',
    'the static one stays: 1',
    'removed nothing',
    'described Empty 0, offsets {0=2, 1=0, 2=0, 3=0, 4=0, 5=0, 6=0, 7=0, 8=0, 9=0}',
    'altered nothing nothing, offset 1',
    'read on: b',
    'offsets deleted nothing nothing, offsets {0=1, 3=0, 4=0, 5=0, 6=0, 7=0, 8=0, 9=0}',
    'deleted nothing',
    'listed , offsets {}',
    'deleted GroupIdNotFoundException'
  ].join('\n')

/** Client version, protocol, and expected outcomes. */
const RUNS: readonly (readonly [string, string, Outcomes])[] = [
  ['4.4.0', 'range', { ...EAGER, ...READING_OF_4, administration: administration('range') }],
  ['4.4.0', 'roundrobin', EAGER],
  ['4.4.0', 'sticky', EAGER],
  ['4.4.0', 'cooperative-sticky', COOPERATIVE],
  ['4.4.0', 'consumer', { ...CONSUMER, ...READING_OF_4, administration: administration('uniform') }],
  ['2.8.2', 'range', { ...EAGER, ...READING, administration: administration('range') }],
  ['2.8.2', 'cooperative-sticky', COOPERATIVE_OF_2]
]
/** Protocols that are skipped with a real Kafka: they prove nothing more about the Java program. */
const OURS_ALONE: readonly string[] = ['roundrobin', 'sticky']

describe.each(groupBrokers)('%s', (name, share) => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await share()
  })
  afterAll(() => broker?.stop())

  const runs = RUNS.filter(([, protocol]) => name === 'minikafka' || !OURS_ALONE.includes(protocol))
  describe.each(runs)('with kafka-clients %s, %s', (version, protocol, outcomes) => {
    let results: Outcomes
    beforeAll(async () => {
      results = await groupScenarios(version, broker.bootstrapServers, protocol, Object.keys(outcomes))
    })
    test.each(Object.entries(outcomes))('the scenario %s has the expected outcome', (scenario, outcome) => {
      expect(results[scenario]).toBe(outcome)
    })
  })
})
