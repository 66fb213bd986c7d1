// Groups of Java clients that migrate from the classic protocol to the consumer protocol and back, member by member,
// during steady production. The Java program checks that no partition has two owners, that each partition is consumed,
// and that no record is skipped. This file holds the expected type of the group at each stage, and the joins that the
// migration policy of the broker refuses.
import { describe, expect, test } from 'vitest'
import { brokers } from '../brokers.ts'
import { groupScenarios, type Outcomes } from '../java/groups.ts'
import { SHARED_CONFIG } from '../setup.ts'

/**
 * The type of the group, and the protocol of each member. The description of a classic group does not contain the
 * protocols.
 */
const STAGES = outcome(
  'Classic: - - -',
  'Consumer: classic classic consumer',
  'Consumer: classic consumer consumer',
  'Consumer: consumer consumer consumer',
  'Consumer: classic consumer consumer',
  'Consumer: classic classic consumer',
  'Classic: - - -'
)
const MIGRATIONS: Outcomes = { migration: STAGES, 'slow-migration': STAGES, 'static-migration': STAGES }

/** A consumer of one protocol joins a group of the other protocol. */
const UPGRADED = outcome(
  'first is in, Classic: -',
  'second is in, Consumer: classic consumer',
  'first is gone, Consumer: consumer',
  'first again is in, Consumer: classic consumer'
)
const NOT_UPGRADED = outcome(
  'first is in, Classic: -',
  'second GroupIdNotFoundException, Classic: -',
  'first is gone, Classic: ',
  'second again is in, Consumer: consumer'
)
const DOWNGRADED = outcome(
  'first is in, Consumer: consumer',
  'second is in, Consumer: classic consumer',
  'first is gone, Classic: -',
  'first again GroupIdNotFoundException, Classic: -'
)
const NOT_DOWNGRADED = outcome(
  'first is in, Consumer: consumer',
  'second is in, Consumer: classic consumer',
  'first is gone, Consumer: classic',
  'first again is in, Consumer: classic consumer'
)
const NOT_LET_IN = outcome(
  'first is in, Consumer: consumer',
  'second InconsistentGroupProtocolException, Consumer: consumer',
  'first is gone, Consumer: ',
  'second again is in, Classic: -'
)
/** Migration policy of the broker, classic assignor of the members, expected outcomes. */
const RUNS: readonly (readonly [string, string, Outcomes])[] = [
  ['bidirectional', 'cooperative-sticky', MIGRATIONS],
  ['bidirectional', 'range', MIGRATIONS],
  ['disabled', 'range', { 'to-consumer': NOT_UPGRADED, 'to-classic': NOT_LET_IN }],
  ['upgrade', 'range', { 'to-consumer': UPGRADED, 'to-classic': NOT_DOWNGRADED }],
  ['downgrade', 'range', { 'to-consumer': NOT_UPGRADED, 'to-classic': DOWNGRADED }]
]

function outcome(...lines: readonly string[]): string {
  return [...lines, '0 repeated'].join('\n')
}

describe.each(brokers.map(({ name, start }) => [name, start] as const))('%s', (_, start) => {
  test.each(RUNS)(
    'groups migrate as group.consumer.migration.policy=%s allows, with classic members of %s',
    async (policy, protocol, outcomes) => {
      const broker = await start({ ...SHARED_CONFIG, 'group.consumer.migration.policy': policy })
      try {
        expect(await groupScenarios('4.4.0', broker.bootstrapServers, protocol, Object.keys(outcomes))).toEqual(
          outcomes
        )
      } finally {
        await broker.stop()
      }
    }
  )
})
