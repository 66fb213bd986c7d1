// Groups that change their type: a member of the consumer protocol joins a classic group; members of both protocols
// share a group; the group becomes classic when the last member of the consumer protocol leaves or is replaced by a
// classic one.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { assignmentOf, type Owned, subscriptionOf } from '../../../group/embedded.ts'
import { call, type Step } from '../transcript.ts'
import { promptly } from './consumer-group.ts'
import { Group, STRANGER } from './group.ts'
import { records } from './group-records.ts'
import { idOf, topic } from './topic.ts'

const { ConsumerGroupDescribe, ConsumerGroupHeartbeat } = APIS
const TOPIC = 'migrating'
const OTHER = 'migrating-too'

interface Beat {
  readonly instance?: string
  readonly topics?: readonly string[]
  /** The reported partitions; null reports none. */
  readonly owned?: readonly number[] | null
}

/** A heartbeat of a member of the consumer protocol, with an id of its choice. */
function beat(group: Group, member: string, name: string, memberEpoch: number, options: Beat = {}): Step {
  const isJoining = memberEpoch === 0
  const { instance = null, topics = isJoining ? [TOPIC] : null, owned = isJoining ? [] : null } = options
  return call(`${member} ${name}`, ConsumerGroupHeartbeat, 1, session => ({
    groupId: group.id,
    memberId: member,
    memberEpoch,
    instanceId: instance,
    rebalanceTimeoutMs: isJoining ? 30_000 : -1,
    subscribedTopicNames: topics && [...topics],
    topicPartitions: owned && (owned.length > 0 ? [{ topicId: idOf(session, TOPIC), partitions: [...owned] }] : [])
  }))
}

/** Sorted by member id, which begins with a prefix that the member chose. */
function described(group: Group, name: string): Step {
  return call(
    `${group.id} is described ${name}`,
    ConsumerGroupDescribe,
    1,
    { groupIds: [group.id] },
    {
      compare: ({ groups }) =>
        groups.map(found => ({
          ...found,
          members: found.members
            .toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
            .map(member => ({ ...member, clientHost: member.clientHost.replace(/[0-9.:]+$/, '<address>') }))
        }))
    }
  )
}

const says = (owned: Owned = {}, ...topics: string[]) => ({
  protocols: { range: subscriptionOf(topics.length > 0 ? topics : [TOPIC], owned) }
})
/** Different metadata, so that the leader can tell two members apart. */
const different = says({ [OTHER]: [0] })
/** Three members share four partitions in no defined way. */
const elsewhere = { topics: ['nowhere'] }
const all = { [TOPIC]: [0, 1, 2, 3] }
const A = { instance: 'A' }
const fresh = { memberId: '' }

/** A classic group with one static member, which owns all partitions. */
const classic = (group: Group, options = says()): Step[] => [
  group.found(),
  group.join('A', 'joins', { ...A, ...fresh, ...options }),
  group.sync('A', 'has all partitions', { ...A, assignments: { A: assignmentOf(all) } })
]

const there = new Group('migration-there')
const thereAndBack: Step[] = [
  topic(TOPIC, 4),
  topic(OTHER, 2),
  ...classic(there),
  beat(there, 'm', 'is not known, in any epoch', 1),
  beat(there, 'm', 'leaves before it comes', -1),
  beat(there, 'm', 'comes, and it is a consumer group', 0),
  records(there.id),
  described(there, 'with members of both protocols'),
  there.heartbeat('A', 'must join again', A),
  there.sync('A', 'must join again', A),
  there.heartbeat('A', 'is not in the next generation', { ...A, generation: 9 }),
  there.sync('A', 'is not in the next generation', { ...A, generation: 9 }),
  there.heartbeat('A', 'is another instance', { instance: 'B' }),
  there.heartbeat('A', 'is not who it says', { ...A, memberId: STRANGER }),
  there.heartbeat('A', 'is a stranger', { memberId: STRANGER }),
  there.heartbeat('A', 'is a member of the consumer protocol', { memberId: 'm', generation: 2 }),
  there.sync('A', 'is a member of the consumer protocol', { memberId: 'm', generation: 2 }),
  there.join('A', 'joins, and still has what it had', { ...A, ...says(all) }),
  described(there, 'while A must give something up'),
  there.sync('A', 'keeps half', A),
  there.sync('A', 'of another type', { ...A, protocolType: 'connect' }),
  there.sync('A', 'with another protocol', { ...A, protocolName: 'sticky' }),
  there.sync('A', 'says nothing of its protocol', { ...A, version: 4 }),
  there.heartbeat('A', 'must join again, without the rest', A),
  there.join('A', 'joins without the rest', { ...A, ...says({ [TOPIC]: [0, 1] }) }),
  there.sync('A', 'has half', A),
  there.heartbeat('A', 'is well', A),
  beat(there, 'm', 'gets the other half', 2),
  records(there.id),
  described(there, 'when all is well'),
  there.join('b', 'has no protocol in common', { memberId: '', protocols: { sticky: subscriptionOf([TOPIC]) } }),
  there.join('b', 'is no consumer', { memberId: '', protocolType: 'connect' }),
  {
    ...there.join('b', 'speaks another language', {
      version: 3,
      memberId: '',
      protocols: { range: Buffer.from('00') }
    }),
    since: '4.4.0'
  },
  there.newcomer('b', says()),
  there.join('b', 'joins under an id of its own', { memberId: 'b', ...says({}, OTHER) }),
  records(there.id),
  there.join('C', 'is an instance that is none', { instance: 'C', memberId: STRANGER, ...says() }),
  there.join('A', 'is not who it says', { ...A, memberId: STRANGER, ...says() }),
  there.leave(
    'a stranger leaves, and another, and an instance that is none',
    { memberId: STRANGER },
    {},
    { instance: 'D' }
  ),
  there.leave('b leaves', 'b'),
  beat(there, 'm', 'continues', 2),
  there.join('A2', 'takes the place of A', { ...A, ...fresh, ...says({ [TOPIC]: [0, 1] }) }),
  there.heartbeat('A', 'is fenced', A),
  there.leave('A is fenced, and leaves nothing', { member: 'A', ...A }),
  there.sync('A2', 'has what A had', A),
  records(there.id),
  beat(there, 'm', 'leaves, and it is a classic group', -1),
  records(there.id),
  described(there, 'as what it is not'),
  there.heartbeat('A2', 'must join again', A),
  there.join('A2', 'joins', { ...A, ...says({ [TOPIC]: [0, 1] }) }),
  there.sync('A2', 'has all partitions', { ...A, assignments: { A2: assignmentOf(all) } }),
  there.leave('A2 leaves', A),
  beat(there, 'm', 'comes into a group that is empty', 0),
  records(there.id),
  beat(there, 'm', 'leaves', -1),
  { ...described(there, 'without members'), since: '4.4.0' },
  there.newcomer('d', says()),
  there.join('d', 'joins, and it is a classic group', says()),
  // Before 4.4, an empty group keeps the epoch of its last assignment.
  records(there.id, '4.4.0')
]

const replaced = new Group('migration-replaced')
const bringing = (...topics: string[]) => ({ ...A, ...fresh, ...says({}, ...topics) })
const replacement: Step[] = [
  replaced.found(),
  beat(replaced, 'm', 'comes as an instance', 0, A),
  replaced.join('a', 'cannot be that instance, with an id', { ...A, memberId: STRANGER, ...says() }),
  replaced.join('a', 'takes the place of m, and it is a classic group', bringing()),
  records(replaced.id),
  replaced.heartbeat('a', 'is well', A),
  replaced.sync('a', 'has what m had', A),
  beat(replaced, 'm', 'takes the place of a, and it is a consumer group', 0, A),
  records(replaced.id),
  replaced.heartbeat('a', 'is fenced', A),
  replaced.join('b', 'takes the place of m, with another subscription', bringing(TOPIC, OTHER)),
  records(replaced.id),
  replaced.heartbeat('b', 'is in no generation yet', A),
  replaced.join('b', 'joins', { ...A, ...says({}, TOPIC, OTHER) })
]

const busy = new Group('migration-busy')
const joining = busy.delayedJoin('b', 'joins', says())
const waiting = new Group('migration-waiting')
const syncing = waiting.delayedSync('b', 'waits for its assignment')
const delayedRequests: Step[] = [
  ...classic(busy),
  busy.newcomer('b', says()),
  joining.sent,
  busy.rebalancing('A', A),
  beat(busy, 'm', 'comes while others wait to join', 0, elsewhere),
  joining.answer,
  waiting.found(),
  ...waiting.enter('a', says()),
  ...waiting.gather('a', says(), ['b', different]),
  syncing.sent,
  waiting.heartbeat('b', 'is waiting'),
  beat(waiting, 'm', 'comes while others wait for their assignment', 0, elsewhere),
  syncing.answer
]

const connect = new Group('migration-connect')
const odd = new Group('migration-odd')
const custom = new Group('migration-custom')
const shared = new Group('migration-shared')
const refusals: Step[] = [
  connect.found(),
  ...connect.enter('w', { protocolType: 'connect' }),
  beat(connect, 'm', 'is no worker', 0),
  connect.sync('w', 'hears nothing of that', { protocolType: 'connect' }),
  odd.found(),
  ...odd.enter('a', { protocols: { range: Buffer.from('00') } }),
  beat(odd, 'm', 'does not understand what a says of itself', 0),
  ...classic(custom),
  custom.sync('A', 'has what it had', { ...A, assignments: { A: assignmentOf(all) } }),
  custom.join('A', 'joins again', { ...A, ...says() }),
  custom.sync('A', 'has data of its own assignor', {
    ...A,
    assignments: { A: Buffer.from('00000000000000000001ff', 'hex') }
  }),
  beat(custom, 'm', 'does not understand what A was given', 0),
  custom.join('A', 'joins again', { ...A, ...says() }),
  custom.sync('A', 'has nothing that is known', { ...A, assignments: { A: Buffer.from('?') } }),
  beat(custom, 'm', 'does not understand that either', 0),
  records(custom.id),
  shared.found(),
  ...shared.enter('a', says()),
  ...shared.gather('a', says(), ['b', different]),
  shared.sync('a', 'gives the same to both', { assignments: { a: assignmentOf(all), b: assignmentOf(all) } }),
  beat(shared, 'm', 'is refused, for two own the same', 0),
  shared.heartbeat('a', 'hears nothing of that')
]

export const groupMigration = promptly([...thereAndBack, ...replacement, ...delayedRequests, ...refusals])
