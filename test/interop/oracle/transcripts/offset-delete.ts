// OffsetDelete: existing and unknown topics; groups in every state, with and without offsets, some of open
// transactions; subscribed topics; groups whose subscriptions are unreadable.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { call, type Step } from '../transcript.ts'
import { Group } from './group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { JoinGroup, OffsetCommit, OffsetDelete, OffsetFetch, TxnOffsetCommit } = APIS
/** The topic that members of the transcripts' groups subscribe to. */
const SUBSCRIBED = 'groups'
const OTHER = 'offset-delete'

type TopicPartitions = readonly (readonly [name: string, ...partitionIndexes: number[]])[]

const named = (topics: TopicPartitions, more: object = {}) =>
  topics.map(([name, ...indexes]) => ({
    name,
    partitions: indexes.map(partitionIndex => ({ partitionIndex, ...more }))
  }))

const deleted = (groupId: string, name: string, ...topics: TopicPartitions): Step =>
  call(name, OffsetDelete, 0, { groupId, topics: named(topics) as never }, { compare: withOrder })

/** Adds the order of the partitions, which masks remove. */
function withOrder(answer: DecodedResponseOf<typeof OffsetDelete>) {
  const order = answer.topics.map(
    ({ name, partitions }) => `${name}: ${partitions.map(partition => partition.partitionIndex)}`
  )
  return { ...answer, order: order.join(', ') }
}

const committed = { committedOffset: 5n, committedMetadata: '' }
const commits = (groupId: string, ...topics: TopicPartitions): Step =>
  call(`${groupId} commits`, OffsetCommit, 9, { groupId, topics: named(topics, committed) as never })
const offsets = (groupId: string): Step => call(`offsets of ${groupId}`, OffsetFetch, 7, { groupId, topics: null })

const simple = new Group('undone-simple')
const everything: Step[] = [
  deleted('undone-none', 'of a group that is none', [OTHER, 0]),
  deleted('undone-none', 'of a group that is none, and a topic that is none', ['undone-nowhere', 0]),
  deleted('undone-none', 'of a group that is none, and no topic'),
  deleted('', 'of the empty group', [OTHER, 0]),
  commits(simple.id, [OTHER, 0, 1, 2], [SUBSCRIBED, 0]),
  deleted(simple.id, 'no topic'),
  deleted(simple.id, 'a topic without partitions', [OTHER]),
  deleted(simple.id, 'a topic that is none', ['undone-nowhere', 0, 1]),
  deleted(simple.id, 'a name that is not allowed', ['a b', 0]),
  deleted(simple.id, 'partitions that are none', [OTHER, 9, -1]),
  offsets(simple.id),
  deleted(simple.id, 'what is and what is not there', [OTHER, 7, 0, 3], ['undone-nowhere', 0], [SUBSCRIBED, 5]),
  offsets(simple.id),
  deleted(simple.id, 'a partition without an offset', [OTHER, 0, 3]),
  commits(simple.id, [OTHER, 0, 1]),
  deleted(simple.id, 'the same topic twice', [OTHER, 0], [OTHER, 1]),
  commits(simple.id, [OTHER, 0, 1]),
  deleted(simple.id, 'the same topic twice, and what is not there', [OTHER, 0, 8], [OTHER, 1, 9]),
  deleted(simple.id, 'the last ones', [OTHER, 2], [SUBSCRIBED, 0]),
  offsets(simple.id),
  deleted(simple.id, 'of a group without offsets', [OTHER, 0]),
  records(simple.id),
  // Kafka writes a second tombstone for it, without use.
  commits('undone-twice', [OTHER, 0, 1]),
  deleted('undone-twice', 'the same partition twice', [OTHER, 1, 1]),
  offsets('undone-twice')
]

const live = new Group('undone-live')
const joins = live.delayedJoin('b', 'joins')
const tried = (group: Group, state: string): Step[] => [
  deleted(group.id, `both, ${state}`, [SUBSCRIBED, 0, 1], [OTHER, 1, 9]),
  deleted(group.id, `no topic, ${state}`),
  offsets(group.id)
]
const asMember = (group: Group, member: string): Step =>
  call(`${member} commits`, OffsetCommit, 9, session => {
    const { memberId, generationId: generationIdOrMemberEpoch } = group.claim(session, member)
    const topics = named(
      [
        [SUBSCRIBED, 0],
        [OTHER, 0, 1, 2]
      ],
      committed
    ) as never
    return { groupId: group.id, memberId, generationIdOrMemberEpoch, topics }
  })
const inEachState: Step[] = [
  live.found(),
  commits(live.id, [SUBSCRIBED, 0], [OTHER, 1]),
  ...tried(live, 'simple'),
  commits(live.id, [SUBSCRIBED, 0], [OTHER, 1]),
  live.newcomer('a'),
  ...tried(live, 'empty, with a pending member'),
  commits(live.id, [SUBSCRIBED, 0], [OTHER, 1]),
  live.join('a', 'joins'),
  ...tried(live, 'completing'),
  live.sync('a', 'assigns', { assignments: { a: 'all' } }),
  asMember(live, 'a'),
  ...tried(live, 'stable'),
  live.newcomer('b'),
  joins.sent,
  live.rebalancing('a'),
  asMember(live, 'a'),
  ...tried(live, 'preparing'),
  live.leave('a leaves', 'a'),
  joins.answer,
  live.leave('b leaves', 'b'),
  ...tried(live, 'empty'),
  records(live.id)
]

const connect = new Group('undone-connect')
const protocol = { protocolType: 'connect', protocolName: 'range' }
const otherProtocols: Step[] = [
  connect.found(),
  commits(connect.id, [SUBSCRIBED, 0], [OTHER, 1]),
  ...connect.enter('w', { protocolType: 'connect' }),
  ...tried(connect, 'completing, of Connect'),
  connect.sync('w', 'assigns', { ...protocol, assignments: { w: 'all' } }),
  ...tried(connect, 'stable, of Connect'),
  connect.leave('w leaves', 'w'),
  ...tried(connect, 'empty, of Connect')
]

/** Members with metadata that no consumer sends. */
const mute = 'undone-mute'
const unreadable: Step[] = [
  new Group(mute).found(),
  commits(mute, [SUBSCRIBED, 0], [OTHER, 1]),
  call('a mute member joins', JoinGroup, 3, {
    ...{ groupId: mute, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId: '', protocolType: 'consumer' },
    protocols: [{ name: 'range', metadata: Buffer.from([0]) }]
  }),
  ...tried(new Group(mute), 'of mute members')
]

const pending = new Group('undone-held')
const producer = new Transactional('undone-held')
const holds = (...partitions: number[]): Step =>
  call('offsets of a transaction', TxnOffsetCommit, 3, session => ({
    ...{ transactionalId: producer.id, groupId: pending.id, groupInstanceId: null },
    ...producer.claim(session),
    topics: named([[OTHER, ...partitions]], committed) as never
  }))
const withTransactions: Step[] = [
  pending.found(),
  producer.found(),
  producer.init('a producer'),
  producer.addOffsets('the group', pending.id),
  commits(pending.id, [OTHER, 0]),
  holds(0, 1, 2),
  deleted(pending.id, 'what a transaction has not yet committed', [OTHER, 0, 1]),
  holds(1),
  ...producer.commit('it commits'),
  offsets(pending.id),
  // Before 4.4, offset records of transactions have no topic id.
  records(pending.id, '4.4.0')
]

export const offsetDelete: Step[] = [
  topic(SUBSCRIBED),
  topic(OTHER, 4),
  simple.found(),
  new Group('undone-twice').found(),
  ...everything,
  ...inEachState,
  ...otherProtocols,
  ...unreadable,
  ...withTransactions
]
