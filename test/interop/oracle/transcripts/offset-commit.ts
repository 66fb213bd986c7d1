// OffsetCommit at every version: without membership, by members in each state, by unknown members.

import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { ZERO_UUID } from '../../../../src/protocol/wire/bytes.ts'
import type { Session } from '../session.ts'
import { call, type Step } from '../transcript.ts'
import { type Claim, Group, STRANGER } from './group.ts'
import { idOf, topic } from './topic.ts'

const { OffsetCommit, OffsetFetch } = APIS
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const TOPIC = 'committed'
const OTHER = 'committed-other'
const LATEST = 10

type Partition = readonly [partitionIndex: number, committedOffset: bigint, more?: object]
type Topics = readonly (readonly [name: string, ...Partition[]])[]

interface Commit {
  readonly groupId?: string
  readonly retentionTimeMs?: bigint
  readonly generation?: number
  readonly memberId?: string
  readonly instance?: string
}

/** Topics by name and by id, for versions of both kinds; the id of a topic that does not exist is random. */
function named(session: Session, topics: Topics) {
  return topics.map(([name, ...partitions]) => ({
    ...{ name, topicId: [TOPIC, OTHER].includes(name) ? idOf(session, name) : UNKNOWN_ID },
    partitions: partitions.map(([partitionIndex, committedOffset, more]) => ({
      ...{ partitionIndex, committedOffset, committedMetadata: 'm' },
      ...more
    }))
  }))
}

function commit(name: string, version: number, topics: Topics, how: Commit = {}): Step {
  const { groupId = 'commits', retentionTimeMs = -1n, generation = -1, memberId = '', instance = null } = how
  const request = (session: Session) => ({
    ...{ groupId, generationIdOrMemberEpoch: generation, memberId, groupInstanceId: instance },
    ...{ retentionTimeMs, topics: named(session, topics) }
  })
  return call(name, OffsetCommit, version, request, { compare: withOrder })
}

/** Responses list refused partitions first, so the order is compared. */
function withOrder(answer: DecodedResponseOf<typeof OffsetCommit>) {
  const order = answer.topics.map(({ name, partitions }) => {
    return `${name}: ${partitions.map(({ partitionIndex }) => partitionIndex).join(' ')}`
  })
  return { ...answer, order: order.join(', ') }
}

/** All offsets of a group. */
const stored = (groupId: string) => call(`what ${groupId} has`, OffsetFetch, 7, { groupId, topics: null })
const some = (groupId: string) =>
  call(`some of what ${groupId} has`, OffsetFetch, 7, {
    groupId,
    topics: [{ name: TOPIC, partitionIndexes: [0, 1] }]
  })

const versions = ({ versions: [first, last] }: typeof OffsetCommit, from = first) =>
  Array.from({ length: last - from + 1 }, (_, index) => from + index)

const everyVersion: Step[] = [
  topic(TOPIC, 2),
  topic(OTHER),
  new Group('commits').found(),
  ...versions(OffsetCommit).flatMap(version => [
    commit('from outside', version, [[TOPIC, [0, BigInt(version)], [1, 7n]]]),
    stored('commits'),
    commit('several topics', version, [
      [OTHER, [0, 1n], [5, 1n]],
      ['committed-none', [0, 1n], [1, 1n]],
      [TOPIC, [1, 1n], [-1, 1n], [2, 1n], [0, 1n]]
    ]),
    commit('nothing that exists', version, [['committed-none', [0, 1n]]]),
    commit('a name that is not allowed', version, [['a b', [0, 1n]]]),
    commit('long metadata', version, [[TOPIC, [0, 1n, { committedMetadata: 'x'.repeat(4097) }], [1, 2n]]]),
    commit('a group that is none', version, [[TOPIC, [0, 1n]]], { groupId: `commits-none${version}`, generation: 0 }),
    commit('a member of a group that is none', version, [[TOPIC, [0, 1n]]], {
      ...{ groupId: 'commits-none', generation: 4, memberId: STRANGER }
    }),
    commit('a generation of a group that has none', version, [[TOPIC, [0, 1n]]], { generation: 0 }),
    commit('a member of a group that has none', version, [[TOPIC, [0, 1n]]], { generation: 0, memberId: STRANGER }),
    commit('no topics', version, []),
    commit('no topics, of a group that is none', version, [], { groupId: 'commits-none', generation: 1 })
  ]),
  call('an id of zero', OffsetCommit, LATEST, {
    groupId: 'commits',
    topics: [{ topicId: ZERO_UUID, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }]
  })
]

const values: Step[] = [
  ...[9, 10].flatMap(version => [
    commit('no metadata', version, [[TOPIC, [0, 1n, { committedMetadata: null }], [1, 1n, { committedMetadata: '' }]]]),
    stored('commits'),
    commit('long but not too long metadata', version, [[TOPIC, [0, 1n, { committedMetadata: 'x'.repeat(4096) }]]]),
    commit('metadata of wide letters', version, [[TOPIC, [0, 1n, { committedMetadata: 'ä'.repeat(4096) }]]]),
    commit('metadata of wider letters', version, [[TOPIC, [0, 1n, { committedMetadata: '😀'.repeat(2049) }]]]),
    commit('metadata of as many as fit', version, [[TOPIC, [0, 1n, { committedMetadata: '😀'.repeat(2048) }]]]),
    commit('offsets below zero', version, [[TOPIC, [0, -1n], [1, -5n]]]),
    stored('commits'),
    commit('the greatest offset', version, [[TOPIC, [0, 2n ** 63n - 1n], [1, -(2n ** 63n)]]]),
    stored('commits'),
    commit('the same partition twice', version, [[TOPIC, [0, 1n], [0, 2n]]]),
    stored('commits'),
    commit('the same topic twice', version, [
      [TOPIC, [0, 3n], [9, 1n]],
      [TOPIC, [0, 4n], [9, 1n], [1, 4n]]
    ]),
    stored('commits'),
    commit('a topic without partitions', version, [[TOPIC]]),
    commit('topics with and without partitions', version, [[TOPIC], [OTHER, [0, 1n]], ['committed-none']])
  ]),
  ...[6, 8, 10].flatMap(version =>
    [4, 0, -1, -2].flatMap(committedLeaderEpoch => [
      commit(`the leader epoch ${committedLeaderEpoch}`, version, [[TOPIC, [0, 1n, { committedLeaderEpoch }]]]),
      stored('commits')
    ])
  ),
  ...[2, 3, 4].flatMap(version =>
    [0n, 1000n, -1n, -2n, 2n ** 62n].flatMap(retentionTimeMs => [
      commit(`kept for ${retentionTimeMs} ms`, version, [[TOPIC, [0, retentionTimeMs]]], { retentionTimeMs }),
      stored('commits')
    ])
  ),
  ...[2, 9, 10].flatMap(version => {
    const metadata = { committedMetadata: 'x'.repeat(4096) }
    const many = Array.from({ length: 300 }, (_, index): Partition => [index % 2, BigInt(index), metadata])
    // Kafka now returns some offsets twice if all offsets are requested; not so for named topics.
    return [commit('more than can be written at once', version, [[TOPIC, ...many]]), some('commits')]
  }),
  ...versions(OffsetCommit).map(version => commit('the empty group', version, [[TOPIC, [0, 1n]]], { groupId: '' })),
  stored('')
]

const live = new Group('commits-live')
const asMember = (name: string, version: number, claim: Claim = {}, topics: Topics = [[TOPIC, [0, 1n]]]) =>
  call(name, OffsetCommit, version, session => {
    const { generationId, ...rest } = live.claim(session, 'a', claim)
    return { groupId: live.id, generationIdOrMemberEpoch: generationId, ...rest, topics: named(session, topics) }
  })

/** Commits by members with valid and invalid identity, in the current state of the group. */
function claims(state: string): Step[] {
  const some = [
    ['a member', {}],
    ['a member of an older generation', { generation: 0 }],
    ['a member of a generation to come', { generation: 99 }],
    ['a member without a generation', { generation: -1 }],
    ['a stranger', { memberId: STRANGER }],
    ['a stranger without a generation', { memberId: STRANGER, generation: -1 }],
    ['nobody', { memberId: '', generation: -1 }],
    ['no member id, in this generation', { memberId: '' }]
  ] as const
  const instances = [
    ['an instance that is none', { instance: 'A' }],
    ['an instance that is none, without a generation', { instance: 'A', generation: -1 }],
    ['an instance alone', { instance: 'A', memberId: '', generation: -1 }]
  ] as const
  return [
    ...some.flatMap(([member, claim]) => [2, 8, 9, 10].map(version => asMember(`${member}, ${state}`, version, claim))),
    ...instances.map(([member, claim]) => asMember(`${member}, ${state}`, 9, claim)),
    asMember(`a stranger, with topics that are none, ${state}`, 9, { memberId: STRANGER }, [
      ['committed-none', [0, 1n]],
      [TOPIC, [0, 1n], [9, 1n]]
    ]),
    asMember(`a stranger, with nothing that exists, ${state}`, 9, { memberId: STRANGER }, [['committed-none', [0, 1n]]])
  ]
}

const comes = live.delayedJoin('b', 'joins')
const members: Step[] = [
  live.found(),
  ...live.enter('a'),
  ...claims('completing'),
  live.sync('a', 'assigns', { assignments: { a: 'all' } }),
  ...claims('stable'),
  ...versions(OffsetCommit).map(version => asMember('a member', version, {}, [[TOPIC, [0, BigInt(version)]]])),
  stored(live.id),
  live.newcomer('b'),
  comes.sent,
  live.rebalancing('a'),
  ...claims('preparing'),
  live.leave('a leaves', 'a'),
  comes.answer,
  live.leave('b leaves', 'b'),
  ...claims('empty'),
  asMember('a member of the generation that is empty', 9, { generation: 3 }),
  asMember('no member id, in the empty generation', 9, { generation: 3, memberId: '' })
]

const statics = new Group('commits-static')
const asInstance = (name: string, version: number, member: string, instance: string) =>
  call(name, OffsetCommit, version, session => {
    const { generationId, ...rest } = statics.claim(session, member, { instance })
    const topics = named(session, [[TOPIC, [0, 1n]]])
    return { groupId: statics.id, generationIdOrMemberEpoch: generationId, ...rest, topics }
  })
const A = { instance: 'A', memberId: '' }
const staticMembers: Step[] = [
  statics.found(),
  statics.join('a', 'joins', A),
  statics.sync('a', 'assigns', { instance: 'A', assignments: { a: 'all' } }),
  statics.join('a2', 'takes the place of a', A),
  ...[7, 8, 9, 10].flatMap(version => [
    asInstance('the one that is fenced', version, 'a', 'A'),
    asInstance('the one in its place', version, 'a2', 'A'),
    asInstance('an instance that is none', version, 'a2', 'B')
  ])
]

/** A group without members that has only offsets, until members join. */
const simple = new Group('commits-simple')
const becoming: Step[] = [
  simple.found(),
  commit('from outside', 9, [[TOPIC, [0, 5n]]], { groupId: simple.id }),
  simple.heartbeat('a', 'is in no group', { memberId: STRANGER, generation: 0 }),
  simple.sync('a', 'is in no group', { memberId: STRANGER, generation: 0 }),
  simple.join('a', 'is in no group', { memberId: STRANGER }),
  simple.leave('the group has no members', { memberId: STRANGER }),
  ...simple.enter('a', { protocolType: 'connect' }),
  stored(simple.id),
  commit('from outside, while members are there', 9, [[TOPIC, [0, 6n]]], { groupId: simple.id }),
  simple.leave('a leaves', 'a'),
  commit('from outside, when members have left', 9, [[TOPIC, [1, 7n]]], { groupId: simple.id }),
  stored(simple.id),
  ...simple.enter('b')
]

/** Commits to a group of Connect workers; and to an empty group with another protocol type. */
const workers = new Group('commits-connect')
const asWorker = { protocolType: 'connect', protocols: { sessioned: 'a' } }
const ofWorkers: Step[] = [
  workers.found(),
  commit('from outside', 9, [[TOPIC, [0, 5n]]], { groupId: workers.id }),
  ...workers.enter('a', asWorker),
  workers.sync('a', 'assigns', { protocolType: 'connect', protocolName: 'sessioned', assignments: { a: 'all' } }),
  commit('from outside, while a worker is there', 9, [[TOPIC, [0, 6n]]], { groupId: workers.id }),
  call('a worker commits', OffsetCommit, 10, session => {
    const { generationId, ...rest } = workers.claim(session, 'a')
    const topics = named(session, [[TOPIC, [0, 7n], [4, 1n]]])
    return { groupId: workers.id, generationIdOrMemberEpoch: generationId, ...rest, topics }
  }),
  stored(workers.id),
  workers.leave('a leaves', 'a'),
  commit('from outside, when the worker has left', 10, [[TOPIC, [1, 8n]]], { groupId: workers.id }),
  stored(workers.id)
]

export const offsetCommit: Step[] = [
  ...everyVersion,
  ...values,
  ...members,
  ...staticMembers,
  ...becoming,
  ...ofWorkers
]
