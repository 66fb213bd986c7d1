// OffsetCommit and OffsetFetch: from within a group and from outside, by name and by id, one group and many.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'
import { idOf, topic } from './topic.ts'

const { JoinGroup, OffsetCommit, OffsetFetch, SyncGroup } = APIS
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'

const partition = (committedOffset: bigint, more: object = {}) => ({
  ...{ partitionIndex: 0, committedOffset, committedMetadata: 'm' },
  ...more
})
const into = (name: string, committedOffset: bigint, more: object = {}) => ({
  ...{ name, partitions: [partition(committedOffset, more)] }
})
const commit = (name: string, groupId: string, topics: ReturnType<typeof into>[], more: object = {}, version = 9) =>
  call(name, OffsetCommit, version, { groupId, topics, ...more })
const read = (name: string, groupId: string, topics: object[] | null, version = 7) =>
  call(name, OffsetFetch, version, { groupId, topics: topics as { name: string; partitionIndexes: number[] }[] | null })
const readMany = (name: string, groups: object[], version = 9) =>
  call(name, OffsetFetch, version, {
    groups: groups as { groupId: string; topics: null }[]
  })

const joined = call('a member joins', JoinGroup, 3, {
  ...{ groupId: 'commits-live', sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId: '' },
  ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from('a') }] }
})
const asMember = (name: string, more: object = {}) =>
  call(name, OffsetCommit, 9, (session: Session) => ({
    ...{ groupId: 'commits-live', generationIdOrMemberEpoch: 1, memberId: joined.answerTo(session).memberId },
    ...{ topics: [into('commits', 44n)], ...more }
  }))

const outside: Step[] = [
  topic('commits', 2),
  topic('commits-other'),
  ...atEachVersion('from outside', OffsetCommit, version => (session: Session) => ({
    groupId: 'commits-simple',
    topics: [{ ...into('commits', BigInt(version)), ...(version < 10 ? {} : { topicId: idOf(session, 'commits') }) }]
  })),
  commit('an unknown topic', 'commits-simple', [into('commits-none', 1n), into('commits', 1n)]),
  commit('an unknown partition', 'commits-simple', [into('commits', 1n, { partitionIndex: 9 })]),
  commit('a negative partition', 'commits-simple', [into('commits', 1n, { partitionIndex: -1 })]),
  commit('a negative offset', 'commits-simple', [into('commits-other', -5n)]),
  commit('an offset of -1', 'commits-simple', [into('commits-other', -1n)]),
  commit('long metadata', 'commits-simple', [into('commits', 1n, { committedMetadata: 'x'.repeat(4097) })]),
  commit('metadata of 4096 letters', 'commits-long', [into('commits', 1n, { committedMetadata: 'x'.repeat(4096) })]),
  commit('no metadata', 'commits-null', [into('commits', 1n, { committedMetadata: null })]),
  commit('an epoch', 'commits-simple', [into('commits-other', 1n, { committedLeaderEpoch: 4 })]),
  commit('an empty group id', '', [into('commits', 1n)]),
  commit('no topics', 'commits-simple', []),
  commit('a member that is none', 'commits-simple', [into('commits', 1n)], { memberId: 'nobody' }),
  commit('a generation of a group that is none', 'commits-void', [into('commits', 1n)], {
    ...{ generationIdOrMemberEpoch: 4, memberId: 'nobody' }
  }),
  call('an unknown id', OffsetCommit, 10, {
    groupId: 'commits-simple',
    topics: [{ topicId: UNKNOWN_ID, partitions: [partition(1n)] }]
  })
]

const reading: Step[] = [
  ...atEachVersion('one topic', OffsetFetch, version => (session: Session) => {
    const asked = { name: 'commits', partitionIndexes: [0, 1] }
    if (version < 8) return { groupId: 'commits-simple', topics: [asked] }
    const byId = version < 10 ? asked : { topicId: idOf(session, 'commits'), partitionIndexes: [0, 1] }
    return { groups: [{ groupId: 'commits-simple', topics: [byId] }] }
  }),
  ...[2, 5, 7].map(version => read('all topics', 'commits-simple', null, version)),
  ...[8, 9, 10].map(version => readMany('all topics', [{ groupId: 'commits-simple', topics: null }], version)),
  ...[1, 2, 7].map(version =>
    read('an unknown topic', 'commits-simple', [{ name: 'commits-none', partitionIndexes: [0] }], version)
  ),
  ...[1, 7].map(version =>
    read('an unknown partition', 'commits-simple', [{ name: 'commits', partitionIndexes: [9] }], version)
  ),
  ...[1, 2, 7].map(version =>
    read('a group that is none', 'commits-void', [{ name: 'commits', partitionIndexes: [0] }], version)
  ),
  read('all of a group that is none', 'commits-void', null),
  read('no topics', 'commits-simple', []),
  read('an empty group id', '', null),
  readMany('several groups', [
    { groupId: 'commits-simple', topics: null },
    { groupId: 'commits-void', topics: null },
    { groupId: 'commits-null', topics: [{ name: 'commits', partitionIndexes: [0] }] }
  ]),
  readMany('no groups', []),
  readMany('the same group twice', [
    { groupId: 'commits-null', topics: null },
    { groupId: 'commits-null', topics: null }
  ]),
  readMany('as a member', [{ groupId: 'commits-simple', memberId: 'nobody', memberEpoch: 3, topics: null }]),
  readMany(
    'an unknown id',
    [{ groupId: 'commits-simple', topics: [{ topicId: UNKNOWN_ID, partitionIndexes: [0] }] }],
    10
  ),
  call('what is stable', OffsetFetch, 7, { groupId: 'commits-simple', topics: null, requireStable: true })
]

const members: Step[] = [
  joined,
  asMember('before the sync'),
  call('the member syncs', SyncGroup, 5, (session: Session) => {
    const { memberId } = joined.answerTo(session)
    const assignments = [{ memberId, assignment: Buffer.from('all') }]
    return { groupId: 'commits-live', generationId: 1, memberId, assignments }
  }),
  asMember('after it'),
  asMember('of another generation', { generationIdOrMemberEpoch: 9 }),
  asMember('without a generation', { generationIdOrMemberEpoch: -1 }),
  asMember('without a member', { memberId: '' }),
  asMember('by an unknown member', { memberId: 'nobody' }),
  asMember('by an unknown instance', { groupInstanceId: 'one' }),
  commit('from outside of a living group', 'commits-live', [into('commits', 7n)]),
  read('what was committed', 'commits-live', null)
]

export const commits: Step[] = [...outside, ...reading, ...members]
