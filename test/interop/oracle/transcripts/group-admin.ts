// DescribeGroups, ListGroups and DeleteGroups at every version, for groups in every state: simple groups, with pending
// or static members, of Connect, with offsets of open transactions, deleted, and unknown.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { Group, STRANGER } from './group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { DeleteGroups, DescribeGroups, ListGroups, OffsetCommit, OffsetFetch, TxnOffsetCommit } = APIS
const TOPIC = 'administered'
/** Excludes the groups of other transcripts. */
const PREFIX = 'admin-'
const BROUGHT = { [DeleteGroups.versions[1]]: '4.4.0' }

const listed = (name: string, version: number, request: object = {}): Step =>
  call(name, ListGroups, version, request, {
    compare: ({ groups, ...answer }) => ({
      ...answer,
      groups: groups.filter(({ groupId }) => groupId.startsWith(PREFIX))
    })
  })

/** Kafka writes a group's first record after the response; the group is visible after that. */
const shown = ({ id }: Group): Step =>
  arrange(`${id} is listed`, session =>
    session.requestUntil(ListGroups, 5, {}, ({ groups }) => groups.some(({ groupId }) => groupId === id))
  )

/** Kafka lists members in no order, and localhost has two addresses. */
function inOrder({ groups, ...answer }: DecodedResponseOf<typeof DescribeGroups>) {
  const described = groups.map(({ members, ...group }) => ({
    ...group,
    members: members
      .toSorted((a, b) => Number(orderOf(a) > orderOf(b)) - 0.5)
      .map(member => ({ ...member, clientHost: member.clientHost.replace(/[0-9.:]+$/, '<address>') }))
  }))
  return { ...answer, groups: described }
}

const orderOf = ({ groupInstanceId, memberMetadata }: { groupInstanceId: string | null; memberMetadata: Buffer }) =>
  `${memberMetadata.toString('hex')}/${groupInstanceId}`

const described = (name: string, version: number, groups: readonly string[], operations = false): Step =>
  call(
    `${name}${operations ? ', with operations' : ''}`,
    DescribeGroups,
    version,
    { groups: [...groups], ...(version >= 3 && { includeAuthorizedOperations: operations }) },
    { compare: inOrder }
  )

const describedAtEachVersion = (name: string, ...groups: string[]): Step[] =>
  [0, 1, 2, 3, 4, 5, 6].flatMap(version => [
    described(name, version, groups),
    ...(version < 3 ? [] : [described(name, version, groups, true)])
  ])

const deleted = (name: string, ...groupsNames: string[]): Step => call(name, DeleteGroups, 2, { groupsNames })

const commits = (groupId: string, committedOffset = 1n, partitions = [0]): Step =>
  call(`${groupId} commits`, OffsetCommit, 9, {
    groupId,
    topics: [
      {
        name: TOPIC,
        partitions: partitions.map(partitionIndex => ({ partitionIndex, committedOffset, committedMetadata: '' }))
      }
    ]
  })

const offsets = (groupId: string): Step => call(`offsets of ${groupId}`, OffsetFetch, 7, { groupId, topics: null })

const simple = new Group('admin-simple')
const unknown: Step[] = [
  simple.found(),
  commits(simple.id),
  ...describedAtEachVersion('no group'),
  ...describedAtEachVersion('a group that is none', 'admin-none'),
  ...describedAtEachVersion('the empty group', ''),
  ...describedAtEachVersion('a simple group', simple.id),
  ...describedAtEachVersion('several, one of them twice', simple.id, 'admin-none', simple.id, ''),
  ...atEachVersion('nothing is deleted', DeleteGroups, () => ({ groupsNames: [] }), { since: BROUGHT }),
  ...atEachVersion('what is not there is deleted', DeleteGroups, () => ({ groupsNames: ['admin-none', ''] }), {
    since: BROUGHT
  })
]

/** All requests, for a group in some state. */
const look = (group: Group, state: string): Step[] => [
  ...describedAtEachVersion(state, group.id),
  ...[0, 1, 2, 3, 4, 5].map(version => listed(`all, ${state}`, version)),
  listed(`by state, ${state}`, 4, { statesFilter: ['Stable', 'CompletingRebalance'] }),
  listed(`by state in lower case, ${state}`, 5, { statesFilter: ['empty', 'preparingrebalance'] }),
  listed(`by state in upper case, ${state}`, 5, { statesFilter: [' STABLE ', '\tCOMPLETINGREBALANCE'] })
]

const refused = (group: Group, state: string): Step[] =>
  atEachVersion(`deleted, ${state}`, DeleteGroups, () => ({ groupsNames: [group.id, 'admin-none'] }), {
    since: BROUGHT
  })

const live = new Group('admin-live')
const instance = { instance: 'S' }
const inEachState: Step[] = [
  live.found(),
  live.newcomer('a'),
  shown(live),
  ...look(live, 'empty, with a pending member'),
  live.join('a', 'joins'),
  ...look(live, 'completing'),
  ...refused(live, 'completing'),
  ...live.gather('a', {}, ['s', { ...instance, memberId: '' }]),
  live.sync('a', 'assigns', { assignments: { a: 'for a', s: 'for s' } }),
  ...look(live, 'stable'),
  ...refused(live, 'stable'),
  live.join('s', 'joins again, and changes nothing', instance),
  live.leave('s leaves', { instance: 'S' }),
  live.rebalancing('a'),
  ...look(live, 'preparing'),
  ...refused(live, 'preparing'),
  live.join('a', 'joins again'),
  ...look(live, 'completing again'),
  live.leave('a leaves before it has assigned', 'a'),
  live.join('s', 'joins again', instance),
  ...look(live, 'completing a third time'),
  live.leave('all leave', { instance: 'S' }),
  ...look(live, 'empty')
]

const connect = new Group('admin-connect')
const otherProtocols: Step[] = [
  connect.found(),
  ...connect.enter('w', { protocolType: 'connect', protocols: { sessioned: 'w', eager: 'w' } }),
  connect.sync('w', 'assigns', {
    ...{ protocolType: 'connect', protocolName: 'sessioned' },
    assignments: { w: 'all tasks' }
  }),
  ...look(connect, 'of Connect'),
  ...refused(connect, 'of Connect')
]

const filters: Step[] = [
  ...[['none'], [''], ['Dead'], ['Stable', 'none'], ['Empty', 'Empty'], ['assigning'], ['Reconciling']].flatMap(
    states => [4, 5].map(version => listed(`in the states ${states.join(' and ')}`, version, { statesFilter: states }))
  ),
  ...[['classic'], ['Classic'], ['CONSUMER'], ['share'], ['none'], [''], [' classic'], ['none', 'classic']].map(types =>
    listed(`of the types ${types.join(' and ')}`, 5, { typesFilter: types })
  ),
  listed('of a type, in a state', 5, { typesFilter: ['classic'], statesFilter: ['empty'] }),
  listed('of another type, in a state', 5, { typesFilter: ['consumer'], statesFilter: ['empty'] })
]

const deletion: Step[] = [
  ...[0, 1, 2, 3].flatMap(version => {
    const group = new Group(`admin-deleted-v${version}`)
    return [
      group.found(),
      commits(group.id),
      call('deleted', DeleteGroups, version, { groupsNames: [group.id] }, version === 3 ? { since: '4.4.0' } : {}),
      ...(version === 3 ? [] : [described('deleted', 6, [group.id]), offsets(group.id)])
    ]
  }),
  live.newcomer('late'),
  deleted('with a pending member, named twice', live.id, 'admin-none', live.id),
  deleted('again', live.id),
  listed('all, without it', 5),
  ...[5, 6].map(version => described('deleted', version, [live.id])),
  live.join('late', 'was pending'),
  live.heartbeat('a', 'was a member'),
  live.leave('a former member leaves', 'a', { memberId: STRANGER }),
  commits(live.id),
  described('recreated by a commit', 6, [live.id]),
  records(live.id),
  commits('admin-simple', 2n, [0, 1]),
  deleted('several', simple.id, connect.id, live.id),
  offsets(simple.id),
  records(simple.id)
]

const pending = new Group('admin-held')
const producer = new Transactional('admin-held')
const holds = (committedOffset: bigint, ...partitions: number[]): Step =>
  call('offsets of a transaction', TxnOffsetCommit, 3, session => ({
    ...{ transactionalId: producer.id, groupId: pending.id, groupInstanceId: null },
    ...producer.claim(session),
    topics: [
      {
        name: TOPIC,
        partitions: partitions.map(partitionIndex => ({ partitionIndex, committedOffset, committedMetadata: '' }))
      }
    ]
  }))
const withTransactions: Step[] = [
  pending.found(),
  producer.found(),
  producer.init('a producer'),
  producer.addOffsets('the group', pending.id),
  holds(5n, 1),
  described('with offsets of a transaction alone', 6, [pending.id]),
  listed('all, with one that has offsets of a transaction alone', 5),
  deleted('with offsets of a transaction alone', pending.id),
  described('deleted', 6, [pending.id]),
  commits(pending.id),
  holds(6n, 0, 1),
  deleted('with offsets of a transaction', pending.id),
  ...producer.commit('it commits'),
  described('after the end', 6, [pending.id]),
  offsets(pending.id),
  // Before 4.4, offset records of transactions have no topic id.
  records(pending.id, '4.4.0')
]

export const groupAdmin: Step[] = [
  topic(TOPIC, 2),
  ...unknown,
  ...inEachState,
  ...otherProtocols,
  ...filters,
  ...deletion,
  ...withTransactions
]
