// TxnOffsetCommit: offsets that take effect when their transaction commits; members that may commit them; their
// visibility before and after.
import type { EncodableRequestOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { ZERO_UUID } from '../../../../src/protocol/wire/bytes.ts'
import type { Session } from '../session.ts'
import { call, type Step } from '../transcript.ts'
import { Group, STRANGER } from './group.ts'
import { idOf, topic } from './topic.ts'
import { type Claim, Transactional } from './transactional.ts'

const { OffsetCommit, OffsetFetch, TxnOffsetCommit } = APIS
type Wanted = EncodableRequestOf<typeof TxnOffsetCommit>
const TOPIC = 'txn-offset-commit'
const VERSIONS = [0, 1, 2, 3, 4, 5]
const group = new Group('txn-offsets')
const members = new Group('txn-offsets-members')
const producer = new Transactional('txn-offsets')

const offset = (partitionIndex: number, committedOffset: bigint, committedMetadata: string | null = 'm') => ({
  partitionIndex,
  committedOffset,
  committedLeaderEpoch: 0,
  committedMetadata
})

function commit(
  name: string,
  version: number,
  more: Partial<Wanted> = {},
  { claim = {}, partitions = [offset(0, 5n)] }: { claim?: Claim; partitions?: ReturnType<typeof offset>[] } = {}
): Step {
  return call(name, TxnOffsetCommit, version, session => ({
    transactionalId: producer.id,
    groupId: group.id,
    ...producer.claim(session, claim),
    groupInstanceId: null,
    topics: [version < 6 ? { name: TOPIC, partitions } : { topicId: idOf(session, TOPIC), partitions }],
    ...more
  }))
}

const seen = (name: string, { id }: Group = group): Step[] =>
  [false, true].map(requireStable =>
    call(`${name}${requireStable ? ', if it is stable' : ''}`, OffsetFetch, 9, {
      groups: [{ groupId: id, topics: [{ name: TOPIC, partitionIndexes: [0, 1, 2] }] }],
      requireStable
    })
  )

const all = (name: string, requireStable: boolean): Step =>
  call(name, OffsetFetch, 9, { groups: [{ groupId: group.id, topics: null }], requireStable })

const everyVersion: Step[] = VERSIONS.flatMap(version => [
  producer.init(`a producer for version ${version}`),
  producer.init('and again'),
  commit('a transactional id that is unused', version, { transactionalId: 'txn-offsets-unknown' }),
  commit('an empty transactional id', version, { transactionalId: '' }),
  commit('another producer', version, {}, { claim: { id: 9999n } }),
  commit('an older epoch', version, {}, { claim: { later: -1 } }),
  commit('a newer epoch', version, {}, { claim: { later: 1 } }),
  commit('an empty group', version, { groupId: '' }),
  commit('no topics', version, { topics: [] }),
  commit('a topic without partitions', version, { topics: [{ name: TOPIC, partitions: [] }] }),
  commit('a topic that is not there', version, { topics: [{ name: 'nowhere', partitions: [offset(0, 1n)] }] }),
  ...(version < 5 ? [commit('a group that was not added', version)] : []),
  producer.addOffsets('the group', group.id),
  commit('offsets', version),
  commit('offsets and what is not there', version, {
    topics: [
      { name: TOPIC, partitions: [offset(1, 7n), offset(9, 7n)] },
      { name: 'nowhere', partitions: [offset(0, 1n)] }
    ]
  }),
  commit('metadata that is too long', version, {}, { partitions: [offset(2, 1n, 'x'.repeat(5000)), offset(1, 8n)] }),
  commit('no metadata', version, {}, { partitions: [offset(2, 1n, null)] }),
  commit('a negative offset', version, {}, { partitions: [offset(2, -1n)] }),
  commit('an older epoch, while it is open', version, {}, { claim: { later: -1 } }),
  ...seen('before the end'),
  ...producer.commit('it commits', { version: version < 5 ? 4 : 5 }),
  ...seen('after the end'),
  ...(version < 5
    ? [
        commit('after the end', version),
        producer.addOffsets('the group', group.id),
        commit('other offsets', version, {}, { partitions: [offset(0, 99n)] }),
        ...producer.abort('it aborts')
      ]
    : [
        commit('with the epoch before', version, {}, { claim: { later: -1 } }),
        commit('other offsets', version, {}, { partitions: [offset(0, 99n)] }),
        ...producer.abort('it aborts', { version: 5 })
      ]),
  ...seen('after an abort')
])

const byId = (name: string, topicId: (session: Session) => string): Step =>
  call(
    name,
    TxnOffsetCommit,
    6,
    session => ({
      transactionalId: producer.id,
      groupId: group.id,
      ...producer.claim(session),
      groupInstanceId: null,
      topics: [{ topicId: topicId(session), partitions: [offset(0, 11n), offset(9, 11n)] }]
    }),
    { since: '4.4.0' }
  )

const ids: Step[] = [
  producer.init('a producer for version 6'),
  byId('offsets', session => idOf(session, TOPIC)),
  byId('a topic that is not there', () => 'AAAAAAAAAAAAAAAAAAAABQ'),
  byId('no topic', () => ZERO_UUID),
  ...producer.abort('it aborts', { version: 5 })
]

const pending: Step[] = [
  producer.init('a producer'),
  commit('offsets', 5, {}, { partitions: [offset(0, 21n)] }),
  call('a commit without a transaction meanwhile', OffsetCommit, 8, {
    groupId: group.id,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name: TOPIC, partitions: [{ ...offset(0, 22n) }, { ...offset(1, 22n) }] }]
  }),
  ...seen('both'),
  all('all of them', false),
  all('all of them, if they are stable', true),
  ...[5, 7].map(version =>
    call('in an old way, if they are stable', OffsetFetch, version, {
      groupId: group.id,
      topics: [{ name: TOPIC, partitionIndexes: [0, 1] }],
      ...(version >= 7 && { requireStable: true })
    })
  ),
  ...producer.commit('it commits', { version: 5 }),
  ...seen('after the end')
]

const claims: Step[] = [3, 4, 5].flatMap(version => {
  const groupId = members.id
  const said = (session: Session, more: object = {}) => {
    const { memberId, generationId: generationIdOrMemberEpoch } = members.claim(session, 'leader')
    return { groupId, memberId, generationIdOrMemberEpoch, ...more }
  }
  const of = (name: string, more: Partial<Wanted> = {}): Step =>
    call(name, TxnOffsetCommit, version, session => ({
      transactionalId: producer.id,
      ...producer.claim(session),
      groupInstanceId: null,
      topics: [{ name: TOPIC, partitions: [offset(0, 31n)] }],
      ...said(session),
      ...more
    }))
  return [
    producer.init(`a producer for version ${version}`),
    producer.addOffsets('the group', groupId),
    of('a member'),
    of('another producer', { memberId: STRANGER }),
    of('another generation', { generationIdOrMemberEpoch: 77 }),
    of('no generation', { generationIdOrMemberEpoch: -1 }),
    of('an instance that it is not', { groupInstanceId: 'i' }),
    of('no id', { memberId: '', generationIdOrMemberEpoch: -1 }),
    of('a generation without a member id', { memberId: '', generationIdOrMemberEpoch: 1 }),
    of('a member of a group that is not there', { groupId: `txn-offsets-none-${version}` }),
    ...producer.commit('it commits'),
    ...seen('after the end', members)
  ]
})

export const txnOffsetCommit: Step[] = [
  topic(TOPIC, 3),
  producer.found(),
  group.found(),
  members.found(),
  ...everyVersion,
  ...ids,
  ...pending,
  ...members.enter('leader'),
  producer.init('a producer, before the group is stable'),
  producer.addOffsets('the group', members.id),
  call('a member that waits for its assignment', TxnOffsetCommit, 3, session => ({
    transactionalId: producer.id,
    ...producer.claim(session),
    ...(({ memberId, generationId }) => ({ memberId, generationIdOrMemberEpoch: generationId }))(
      members.claim(session, 'leader')
    ),
    groupId: members.id,
    groupInstanceId: null,
    topics: [{ name: TOPIC, partitions: [offset(2, 30n)] }]
  })),
  ...producer.commit('it commits'),
  members.sync('leader', 'syncs'),
  ...claims
]
