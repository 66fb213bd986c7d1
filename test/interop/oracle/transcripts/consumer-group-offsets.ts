// Offsets of consumer groups: the members and epochs that may commit and fetch. A member with an older epoch may commit
// only for partitions that it has owned since that epoch (KIP-1251).
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { call, type Step, since } from '../transcript.ts'
import { ConsumerGroup, promptly } from './consumer-group.ts'
import { records } from './group-records.ts'
import { idOf, topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { OffsetCommit, OffsetFetch, TxnOffsetCommit } = APIS
const TOPIC = 'consumed'
const OTHER = 'consumed-other'
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const NOWHERE = 'consumed-nowhere'

type Places = Readonly<Record<string, readonly number[]>>

/** The member and epoch of a request. */
interface Claim {
  readonly memberId: string
  readonly epoch: number
  readonly instance?: string
}

const group = new ConsumerGroup('consumed', TOPIC)
const producer = new Transactional('consumed')

function topicsIn(session: Session, places: Places) {
  return Object.entries(places).map(([name, indexes]) => ({
    ...{ name, topicId: name === NOWHERE ? UNKNOWN_ID : idOf(session, name) },
    partitions: indexes.map(partitionIndex => ({ partitionIndex, committedOffset: 7n, committedMetadata: 'm' }))
  }))
}

const commit = (name: string, version: number, { memberId, epoch, instance }: Claim, places: Places): Step =>
  call(name, OffsetCommit, version, session => ({
    groupId: group.id,
    ...{ memberId, generationIdOrMemberEpoch: epoch, groupInstanceId: instance ?? null },
    topics: topicsIn(session, places)
  }))

const commitInTransaction = (name: string, version: number, claim: Claim, places: Places): Step =>
  call(name, TxnOffsetCommit, version, session => ({
    ...{ transactionalId: producer.id, groupId: group.id, ...producer.claim(session) },
    ...{ memberId: claim.memberId, generationIdOrMemberEpoch: claim.epoch, groupInstanceId: claim.instance ?? null },
    topics: topicsIn(session, places)
  }))

const fetch = (name: string, version: number, { memberId, epoch }: Claim): Step =>
  call(name, OffsetFetch, version, session => ({
    groups: [
      {
        ...{ groupId: group.id, memberId: memberId === 'null' ? null : memberId, memberEpoch: epoch },
        topics: [{ name: TOPIC, topicId: idOf(session, TOPIC), partitionIndexes: [0, 1] }]
      }
    ]
  }))

const stored = (when: string): Step =>
  call(`what is committed ${when}`, OffsetFetch, 7, { groupId: group.id, topics: null })

/** Commits and fetches by these members, with versions of each kind. `places` are the partitions of the commits. */
function claims(when: string, members: Readonly<Record<string, Claim>>, places: Places = { [TOPIC]: [0, 1] }): Step[] {
  return Object.entries(members).flatMap(([name, claim]) => [
    ...[2, 8, 9, 10].map(version => commit(`${name} commits ${when}`, version, claim, places)),
    ...[8, 9, 10].map(version => fetch(`${name} fetches ${when}`, version, claim)),
    ...[3, 5].map(version =>
      commitInTransaction(`${name} commits within a transaction ${when}`, version, claim, places)
    ),
    ...since('4.4.0', [commitInTransaction(`${name} commits within a transaction ${when}`, 6, claim, places)])
  ])
}

const STRANGERS: Readonly<Record<string, Claim>> = {
  'no member id and no epoch': { memberId: '', epoch: -1 },
  'no member id and no epoch, as an instance': { memberId: '', epoch: -1, instance: 'I' },
  'no member id, with an epoch': { memberId: '', epoch: 2 },
  'no member id, with epoch 0': { memberId: '', epoch: 0 },
  'a stranger': { memberId: 's', epoch: 2 },
  'a stranger without an epoch': { memberId: 's', epoch: -1 },
  'one without a name': { memberId: 'null', epoch: -1 }
}

const a = (epoch: number, instance?: string): Claim => ({ memberId: 'a', epoch, ...(instance && { instance }) })
const b = (epoch: number): Claim => ({ memberId: 'b', epoch })

/** Separate commits for each of `places`: if one partition is refused, the whole commit is refused. */
const late = (when: string, claim: Claim, ...places: readonly Places[]): Step[] =>
  places.flatMap(asked => [
    ...[9, 10].map(version =>
      commit(`late by ${claim.epoch}, ${JSON.stringify(asked)} ${when}`, version, claim, asked)
    ),
    commitInTransaction(`late by ${claim.epoch}, ${JSON.stringify(asked)} ${when}`, 5, claim, asked),
    ...since('4.4.0', [
      commitInTransaction(`late by ${claim.epoch}, ${JSON.stringify(asked)} ${when}`, 6, claim, asked)
    ])
  ])

const LONG = 'x'.repeat(5000)
/** Too long metadata is refused for its partition only. */
const longMetadata = (epoch: number): Step[] =>
  [9, 10].map(version =>
    call(`metadata that is too long, in epoch ${epoch}`, OffsetCommit, version, session => ({
      ...{ groupId: group.id, memberId: 'a', generationIdOrMemberEpoch: epoch },
      topics: [
        {
          ...{ name: OTHER, topicId: idOf(session, OTHER) },
          partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: LONG }]
        },
        ...topicsIn(session, { [TOPIC]: [0] })
      ]
    }))
  )

const members: Step[] = [
  group.found(),
  producer.found(),
  producer.init('a producer'),
  producer.addOffsets('the group is added', group.id),
  ...claims('before the group was', STRANGERS),
  group.join('a'),
  ...claims('with one member', {
    ...STRANGERS,
    'the member': a(2),
    'the member, an epoch too early': a(1),
    'the member, an epoch too late': a(3),
    'the member before it joined': a(0),
    'the member without an epoch': a(-1),
    'the member that goes away': a(-2),
    'the member as an instance that is none': a(2, 'I')
  }),
  stored('by one member'),
  ...late('at first', a(2), { [NOWHERE]: [0] }, { [TOPIC]: [0], [NOWHERE]: [0] }, { [TOPIC]: [9] }, {}),
  ...late('at first', a(1), { [NOWHERE]: [0] }, { [TOPIC]: [9] }, {}),
  group.beat('a', 'subscribes to another topic as well', { topics: [TOPIC, OTHER] }),
  ...late('with another topic', a(2), { [TOPIC]: [0, 1, 2, 3] }, { [OTHER]: [0] }, { [TOPIC]: [0], [OTHER]: [0] }),
  ...late('with another topic', a(2), { [NOWHERE]: [0] }, { [TOPIC]: [0], [NOWHERE]: [0] }, { [TOPIC]: [9] }, {}),
  ...late('with another topic', a(1), { [TOPIC]: [0] }, {}),
  ...longMetadata(2),
  ...[2, 3, 4].map(epoch => fetch(`the member fetches in epoch ${epoch}`, 9, a(epoch))),
  group.beat('a', 'subscribes to less again', { topics: [TOPIC] }),
  ...late('while it gives up a topic', a(2), { [TOPIC]: [0] }, { [OTHER]: [0] }),
  ...late('while it gives up a topic', a(3), { [TOPIC]: [0] }, { [OTHER]: [0] }),
  group.report('a', 'gave it up', { owned: { [TOPIC]: [0, 1, 2, 3] } }),
  ...late('when it gave up a topic', a(3), { [TOPIC]: [0] }, { [OTHER]: [0] }),
  ...late('when it gave up a topic', a(4), { [TOPIC]: [0] }, { [OTHER]: [0] }),
  group.join('b'),
  ...claims('while one waits', { 'the one that waits': b(5), 'the one that waits, before it joined': b(0) }),
  group.beat('a', 'must give up half'),
  ...late('while it gives up half', a(2), { [TOPIC]: [0] }, { [TOPIC]: [3] }),
  ...late('while it gives up half', a(4), { [TOPIC]: [0] }, { [TOPIC]: [3] }),
  group.report('a', 'gave up half'),
  group.report('b', 'gets half'),
  ...late('when both have half', a(4), { [TOPIC]: [0] }, { [TOPIC]: [3] }),
  ...late('when both have half', b(4), { [TOPIC]: [3] }),
  ...late('when both have half', b(5), { [TOPIC]: [3] }, { [TOPIC]: [0] }),
  group.join('a', 'rejoins'),
  ...late('after it rejoined', a(4), { [TOPIC]: [0] }),
  group.leave('b'),
  group.report('a', 'gets all'),
  stored('by both')
]

const I = { instance: 'I' }
const departures: Step[] = [
  group.join('c', 'is an instance', I),
  group.beat('c', 'leaves for a while', { ...I, epoch: -2 }),
  ...claims('while it is away', {
    'the one that is away': { memberId: 'c', epoch: -2, instance: 'I' },
    'the one that is away, in its last epoch': { memberId: 'c', epoch: 7, instance: 'I' },
    'the one that is away, without an epoch': { memberId: 'c', epoch: -1 }
  }),
  group.leave('c', 'leaves for good', I),
  group.leave('a'),
  ...claims('when all have left', { ...STRANGERS, 'one that left': a(6), 'one that left, without an epoch': a(-1) }),
  stored('when all have left'),
  ...producer.commit('the producer commits'),
  stored('within the transaction')
]

const recorded = new ConsumerGroup('consumed-recorded', TOPIC)
const inTheLog: Step[] = [
  recorded.found(),
  recorded.join('a'),
  ...[9, 10].map(version =>
    call('a member commits', OffsetCommit, version, session => ({
      ...{ groupId: recorded.id, memberId: 'a', generationIdOrMemberEpoch: 2 },
      topics: topicsIn(session, { [TOPIC]: [0, 1] })
    }))
  ),
  recorded.leave('a'),
  records(recorded.id, '4.4.0')
]

export const consumerGroupOffsets: Step[] = promptly([
  topic(TOPIC, 4),
  topic(OTHER, 2),
  ...members,
  ...departures,
  ...inTheLog
])
