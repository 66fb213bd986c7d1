// JoinGroup: every version, refusals, generated ids, the choice of the protocol, the fields of leader and followers,
// and the group size. Not compared, because Kafka fails: a protocol that is named twice (no response), and a pending
// member id together with a group.instance.id (UNKNOWN_SERVER_ERROR).
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, call, type Step } from '../transcript.ts'
import { Group, STRANGER, subscription } from './group.ts'

const { JoinGroup } = APIS
const VERSIONS = Array.from({ length: 10 }, (_, version) => version)
const FIRST_WITH_IDS = 4

/** A group for each version: a member joins, continues alone, and joins again. */
const everyVersion = VERSIONS.flatMap((version): Step[] => {
  const group = new Group(`join-v${version}`)
  const first = version < FIRST_WITH_IDS ? group.join('a', 'joins', { version, memberId: '' }) : undefined
  return [
    group.found(),
    ...(first ? [first] : group.enter('a', { version })),
    group.join('a', 'joins once more', { version }),
    group.join('a', 'joins with other metadata', { version, protocols: { range: 'other' } }),
    group.join('a', 'changes its protocol type', { version, protocolType: 'connect' }),
    group.join('a', 'has no protocols', { version, protocols: {} }),
    group.join('b', 'is not known', { version, memberId: STRANGER }),
    group.join('b', 'has no protocol in common', { version, memberId: '', protocols: { sticky: 'b' } })
  ]
})

const refusals = new Group('join-refused')
const newcomer = { memberId: '' }
const refused: Step[] = [
  refusals.found(),
  ...[0, 4, 7, 9].flatMap(version => [
    refusals.join('a', 'has a short session', { ...newcomer, version, sessionTimeoutMs: 99 }),
    refusals.join('a', 'has a long session', { ...newcomer, version, sessionTimeoutMs: 1_800_001 }),
    refusals.join('a', 'has a negative session', { memberId: STRANGER, version, sessionTimeoutMs: -1 }),
    refusals.join('a', 'has an id in no group', { memberId: STRANGER, version }),
    new Group('').join('a', 'joins the empty group', { ...newcomer, version }),
    new Group('').join('a', 'joins the empty group with an id', { memberId: STRANGER, version }),
    refusals.join('a', 'has no protocols', { ...newcomer, version, protocols: {} }),
    refusals.join('a', 'has no protocol type', { ...newcomer, version, protocolType: '' }),
    // The group exists now, and is empty.
    refusals.join('a', 'has an id in an empty group', { memberId: STRANGER, version }),
    refusals.join('a', 'has an id and no protocols', { memberId: STRANGER, version, protocols: {} })
  ]),
  call('metadata that is no subscription', JoinGroup, 3, {
    ...{ groupId: 'join-odd', sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId: '' },
    ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from([7]) }] }
  }),
  call('no session and no rebalance timeout of use', JoinGroup, 3, {
    ...{ groupId: 'join-hasty', sessionTimeoutMs: 100, rebalanceTimeoutMs: -5, memberId: '' },
    ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: subscription('a') }] }
  })
]

const stranger = {
  ...{ groupId: 'join-full', memberId: STRANGER, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000 },
  ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: subscription('stranger') }] }
}
const isFull = ({ errorCode }: { errorCode: string }) => errorCode === 'GROUP_MAX_SIZE_REACHED'

const given = new Group('join-ids')
const ids: Step[] = [
  given.found(),
  given.newcomer('a'),
  given.heartbeat('a', 'has an id and nothing else', { generation: 0 }),
  given.sync('a', 'has an id and nothing else', { generation: 0 }),
  given.leave('an id is given back', 'a'),
  given.join('a', 'has given its id back', {}),
  ...given.enter('b', { reason: 'because' }),
  given.sync('b', 'assigns', { assignments: { b: 'all' } }),
  given.newcomer('c', { sessionTimeoutMs: 100 }),
  given.heartbeat('b', 'is not disturbed'),
  given.join('b', 'joins again, and waits until the id of c lapses', {}),
  given.join('c', 'comes too late')
]

const slow = new Group('join-slow')
const HURRY = { rebalanceTimeoutMs: 1500 }
const lateComer = slow.delayedJoin('b', 'joins after the rebalance', HURRY)
const lateIds: Step[] = [
  slow.found(),
  ...slow.enter('a', HURRY),
  slow.sync('a', 'assigns', { assignments: { a: 'all' } }),
  slow.newcomer('b', HURRY),
  slow.join('a', 'joins again, and waits in vain for b', HURRY),
  slow.sync('a', 'assigns', { assignments: { a: 'all' } }),
  lateComer.sent,
  slow.rebalancing('a'),
  slow.join('a', 'joins again', HURRY),
  lateComer.answer
]

const votes = new Group('join-votes')
const prefers = (...protocols: (readonly [name: string, metadata: string])[]) => ({
  protocols: Object.fromEntries(protocols)
})
const a = prefers(['range', 'a1'], ['sticky', 'a2'], ['own', 'a3'])
const b = prefers(['sticky', 'b1'], ['range', 'b2'])
const c = prefers(['other', 'c1'], ['sticky', 'c2'], ['range', 'c3'])
const changed = votes.delayedJoin('b', 'gives one protocol up', prefers(['range', 'b3']))
const following = votes.delayedJoin('c', 'joins again', c)
const reordered = votes.delayedJoin(
  'c',
  'prefers another order',
  prefers(['range', 'c3'], ['sticky', 'c2'], ['other', 'c1'])
)
const voting: Step[] = [
  votes.found(),
  ...votes.enter('a', a),
  ...votes.gather('a', a, ['b', b], ['c', c]),
  votes.join('b', 'hears it again', b),
  votes.join('a', 'hears it again, with the members', a),
  votes.join('d', 'supports what only one does', { ...newcomer, ...prefers(['own', 'd']) }),
  votes.join('d', 'supports nothing that all do', { ...newcomer, ...prefers(['own', 'd'], ['other', 'd']) }),
  votes.join('d', 'is of another type', { ...newcomer, ...prefers(['sticky', 'd']), protocolType: 'connect' }),
  changed.sent,
  votes.rebalancing('a'),
  following.sent,
  votes.join('a', 'joins again', a),
  changed.answer,
  following.answer,
  votes.sync('a', 'assigns', { assignments: { a: 'a', c: 'c' } }),
  votes.sync('c', 'follows'),
  reordered.sent,
  votes.rebalancing('a')
]

const full = new Group('join-full')
const hurried = { rebalanceTimeoutMs: 3000 }
const comers = ['e', 'f', 'a', 'c'].map(member => full.delayedJoin(member, 'joins in time', hurried))
const crowding: Step[] = [
  full.found(),
  ...full.enter('a', hurried),
  ...full.gather('a', hurried, ['b', hurried], ['c', hurried], ['d', { ...hurried, ...newcomer, instance: 'D' }]),
  full.join('d2', 'takes the place of d', { ...newcomer, instance: 'D' }),
  full.newcomer('e'),
  full.join('e', 'has an id that is not known', { memberId: STRANGER }),
  full.join('e', 'comes as an old client', { version: 3, ...newcomer }),
  full.join('e', 'comes as a static member', { ...newcomer, instance: 'E' }),
  full.join('a', 'is in already', hurried),
  full.leave('b leaves', 'b'),
  full.newcomer('e', hurried),
  full.newcomer('f', hurried),
  ...comers.map(({ sent }) => sent),
  arrange('the group is full', session => session.requestUntil(JoinGroup, 9, stranger, isFull)),
  full.join('d', 'is the last to join again', { ...hurried, instance: 'D' }),
  ...comers.map(({ answer }) => answer),
  full.heartbeat('d', 'is out', { instance: 'D' })
]

export const joinGroup: Step[] = [...everyVersion, ...refused, ...ids, ...lateIds, ...voting, ...crowding]
