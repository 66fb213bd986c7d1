// OffsetFetch at every version: some and all partitions, one and several groups, by topic name and id; offsets of
// deleted and recreated topics.

import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { ZERO_UUID } from '../../../../src/protocol/wire/bytes.ts'
import type { Session } from '../session.ts'
import { arrange, call, type Step } from '../transcript.ts'
import { Group, STRANGER } from './group.ts'
import { gone, idOf, topic } from './topic.ts'

const { DeleteTopics, OffsetCommit, OffsetFetch } = APIS
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const VERSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
const NULL_SINCE = 2
const SEVERAL_SINCE = 8
const ONE = 'fetched'
const OTHER = 'fetched-other'
const DOOMED = 'fetched-doomed'

type Asked = readonly (readonly [name: string, ...partitionIndexes: number[]])[] | null
interface RequestedGroup {
  readonly groupId?: string
  readonly topics: Asked
  readonly memberId?: string
  readonly memberEpoch?: number
}

/** Topics by name and by id, for versions of both kinds; the id of a topic that does not exist is random. */
function named(session: Session, topics: Asked) {
  if (topics === null) return null
  return topics.map(([name, ...partitionIndexes]) => ({
    ...{ name, partitionIndexes },
    topicId: [ONE, OTHER, DOOMED].includes(name) ? idOf(session, name) : UNKNOWN_ID
  }))
}

function request(version: number, requested: readonly RequestedGroup[], requireStable = false) {
  return (session: Session) => {
    const groups = requested.map(({ groupId = 'fetches', topics, memberId = null, memberEpoch = -1 }) => ({
      ...{ groupId, topics: named(session, topics), memberId, memberEpoch }
    }))
    const [first] = groups
    if (version >= SEVERAL_SINCE) return { groups, requireStable }
    return { groupId: first?.groupId ?? '', topics: first?.topics ?? null, requireStable }
  }
}

const read = (
  name: string,
  version: number,
  topics: Asked,
  more: Partial<RequestedGroup> = {},
  requireStable = false
) =>
  call(name, OffsetFetch, version, request(version, [{ topics, ...more }], requireStable), {
    compare: answer => ({ ...inOrder(answer), ...(topics && { order: orderOf(answer) }) })
  })
const readSeveral = (name: string, version: number, ...requested: RequestedGroup[]) =>
  call(name, OffsetFetch, version, request(version, requested), { compare: inOrder })

/** A response with all topics lists them in no order, and from version 10 on without names. */
function inOrder(answer: DecodedResponseOf<typeof OffsetFetch>) {
  const groups = answer.groups.map(group => ({
    ...group,
    topics: group.topics.toSorted((a, b) => offsetIn(a) - offsetIn(b))
  }))
  return { ...answer, groups }
}

function orderOf({ topics, groups }: DecodedResponseOf<typeof OffsetFetch>): string {
  const all = [...topics, ...groups.flatMap(group => group.topics)]
  const places = ({ partitions }: (typeof all)[number]) => partitions.map(({ partitionIndex }) => partitionIndex)
  return all.map(topic => `${topic.name}: ${places(topic).join(' ')}`).join(', ')
}

function offsetIn({ partitions }: { partitions: readonly { partitionIndex: number; committedOffset: bigint }[] }) {
  return Number(partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)[0]?.committedOffset ?? -2)
}

/** The offsets of a group by topic, from partition 0 on; partitions without an offset are left out. */
const committed = (groupId: string, offsets: Readonly<Record<string, readonly (bigint | undefined)[]>>) =>
  call(`${groupId} commits`, OffsetCommit, 9, {
    groupId,
    topics: Object.entries(offsets).map(([name, all]) => ({
      name,
      partitions: all.flatMap((committedOffset, partitionIndex) => {
        const more = partitionIndex === 1 ? { committedLeaderEpoch: 0, committedMetadata: 'note' } : {}
        return committedOffset === undefined
          ? []
          : [{ partitionIndex, committedOffset, committedMetadata: null, ...more }]
      })
    }))
  })

const existing: Step[] = [
  topic(ONE, 3),
  topic(OTHER),
  topic(DOOMED, 2),
  new Group('fetches').found(),
  new Group('fetches-more').found(),
  new Group('fetches-none').found(),
  committed('fetches', { [ONE]: [10n, 11n], [OTHER]: [20n], [DOOMED]: [30n, 31n] }),
  committed('fetches-more', { [ONE]: [undefined, 41n] })
]

const everyVersion = VERSIONS.flatMap((version): Step[] => [
  read('some partitions', version, [[ONE, 0, 1]]),
  read('partitions without an offset, or none at all', version, [[ONE, 2, 7, -1, 1]]),
  read('several topics', version, [
    [OTHER, 0],
    ['fetched-none', 0, 1],
    [ONE, 1]
  ]),
  read('a topic that is none', version, [['fetched-none', 0]]),
  read('a name that is not allowed', version, [['a b', 0]]),
  read('the same partition twice', version, [[ONE, 1, 1]]),
  read('the same topic twice', version, [
    [ONE, 0],
    [ONE, 1]
  ]),
  read('no partitions', version, [[ONE]]),
  read('no topics', version, []),
  read('a group that is none', version, [[ONE, 0]], { groupId: 'fetches-none' }),
  read('a group that is none, and a topic that is none', version, [['fetched-none', 0]], { groupId: 'fetches-none' }),
  read('the empty group', version, [[ONE, 0]], { groupId: '' }),
  ...(version < NULL_SINCE
    ? []
    : [
        read('all topics', version, null),
        read('all topics of a group that is none', version, null, { groupId: 'fetches-none' }),
        read('all topics of the empty group', version, null, { groupId: '' })
      ]),
  ...(version < 7
    ? []
    : [
        read('what is stable', version, [[ONE, 0, 2]], {}, true),
        read('all that is stable', version, null, {}, true),
        read('what is stable in a group that is none', version, [[ONE, 0]], { groupId: 'fetches-none' }, true)
      ])
])

const several = [8, 9, 10].flatMap((version): Step[] => [
  readSeveral('no groups', version),
  readSeveral(
    'several groups',
    version,
    { topics: [[ONE, 0, 1]] },
    { groupId: 'fetches-none', topics: null },
    { groupId: '', topics: [[OTHER, 0]] },
    { groupId: 'fetches-more', topics: null }
  ),
  readSeveral('the same group twice', version, { topics: [[ONE, 0]] }, { topics: null })
])

const byMember = [9, 10].flatMap((version): Step[] => [
  read('as a member of a group that has none', version, [[ONE, 0]], { memberId: STRANGER, memberEpoch: 3 }),
  read('as a member without an epoch', version, null, { memberId: STRANGER, memberEpoch: -1 }),
  read('without an id, with an epoch', version, null, { memberEpoch: 3 }),
  read('as the empty member', version, null, { memberId: '', memberEpoch: 0 })
])

const odd: Step[] = [
  call('an id of zero', OffsetFetch, 10, {
    groups: [{ groupId: 'fetches', topics: [{ topicId: ZERO_UUID, partitionIndexes: [0] }] }]
  })
]

/** In each state of a group with members, a fetch without membership succeeds. */
const live = new Group('fetches-live')
const look = (state: string) => [
  read(`all, ${state}`, 9, null, { groupId: live.id }),
  read(`some, ${state}`, 9, [[ONE, 0]], { groupId: live.id }, true),
  ...[9, 10].flatMap(version => [
    read(`as a stranger, ${state}`, version, [[ONE, 0]], { groupId: live.id, memberId: STRANGER, memberEpoch: 7 }),
    read(`as a stranger without an epoch, ${state}`, version, null, { groupId: live.id, memberId: STRANGER }),
    read(`without an id, with an epoch, ${state}`, version, null, { groupId: live.id, memberEpoch: 7 })
  ])
]
const joins = live.delayedJoin('b', 'joins')
const inEachState: Step[] = [
  live.found(),
  live.newcomer('a'),
  ...look('empty, without offsets'),
  live.join('a', 'joins'),
  ...look('completing'),
  live.sync('a', 'assigns', { assignments: { a: 'all' } }),
  call('a commits', OffsetCommit, 9, session => {
    const { memberId, generationId: generationIdOrMemberEpoch } = live.claim(session, 'a')
    const partitions = [{ partitionIndex: 0, committedOffset: 5n, committedMetadata: 'of a' }]
    return { groupId: live.id, memberId, generationIdOrMemberEpoch, topics: [{ name: ONE, partitions }] }
  }),
  ...look('stable'),
  live.newcomer('b'),
  joins.sent,
  live.rebalancing('a'),
  ...look('preparing'),
  live.leave('a leaves', 'a'),
  joins.answer,
  live.leave('b leaves', 'b'),
  ...look('empty')
]

const deletion: Step[] = [
  arrange(`${DOOMED} is deleted`, session =>
    session.sendRequest(DeleteTopics, 5, { topicNames: [DOOMED], timeoutMs: 30_000 })
  ),
  gone(DOOMED),
  // Kafka writes the tombstones later.
  arrange('its offsets are gone', session =>
    session.requestUntil(OffsetFetch, 7, { groupId: 'fetches', topics: null }, ({ topics }) =>
      topics.every(({ name }) => name !== DOOMED)
    )
  ),
  ...[1, 7, 10].map(version =>
    read('a topic that was deleted', version, [
      [DOOMED, 0, 1],
      [ONE, 0]
    ])
  ),
  ...[7, 10].map(version => read('all, without the topic that was deleted', version, null)),
  call('a commit to the topic that was deleted', OffsetCommit, 9, {
    groupId: 'fetches',
    topics: [{ name: DOOMED, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }]
  }),
  call('a commit to its id', OffsetCommit, 10, session => ({
    groupId: 'fetches',
    topics: [
      {
        topicId: idOf(session, DOOMED),
        partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }]
      }
    ]
  })),
  arrange('its id is kept', async session => session.remember('old id', idOf(session, DOOMED))),
  topic(DOOMED, 1),
  ...[1, 7, 10].map(version => read('a topic that was recreated', version, [[DOOMED, 0, 1]])),
  committed('fetches', { [DOOMED]: [50n] }),
  ...[1, 7, 10].map(version => read('what was committed since', version, [[DOOMED, 0, 1]])),
  call('the old id', OffsetFetch, 10, session => ({
    groups: [{ groupId: 'fetches', topics: [{ topicId: `${session.recall('old id')}`, partitionIndexes: [0] }] }]
  })),
  ...[7, 10].map(version => read('all', version, null))
]

export const offsetFetch: Step[] = [
  ...existing,
  ...everyVersion,
  ...several,
  ...byMember,
  ...odd,
  ...inEachState,
  ...deletion
]
