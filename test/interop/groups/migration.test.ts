// Groups of Java clients that go from the classic protocol to the consumer protocol and back, member by member, while
// records are produced without a pause. The program itself watches that no partition has two owners, that none stays
// unread, and that no record is left out; here stands what a group is at each stage, and what the broker's policy refuses.
import { describe, expect, test } from 'vitest'
import { brokers } from '../brokers.ts'
import { groupScenarios, type Outcomes } from '../java/groups.ts'
import { SHARED_CONFIG } from '../setup.ts'

/** The type of the group, and the protocol of each member, which the description of a classic group does not tell. */
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

/** A consumer comes to a classic group, or the other way round. */
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
/** What a broker goes by, the classic protocol of the members, and what comes of it. */
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
  test.each(RUNS)('group.consumer.migration.policy=%s, classic members with %s', async (policy, protocol, outcomes) => {
    const broker = await start({ ...SHARED_CONFIG, 'group.consumer.migration.policy': policy })
    try {
      expect(await groupScenarios('4.4.0', broker.bootstrapServers, protocol, Object.keys(outcomes))).toEqual(outcomes)
    } finally {
      await broker.stop()
    }
  })
})
