// SyncGroup and Heartbeat at every version and in every state of a group; responses to waiting members after a timeout,
// after a join, and after a removal. Not compared, because Kafka sends no response: a waiting JoinGroup or SyncGroup
// whose member sends another one, and the SyncGroup of a removed member. minikafka returns REBALANCE_IN_PROGRESS and
// UNKNOWN_MEMBER_ID.

import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'
import { Group, STRANGER } from './group.ts'

const { Heartbeat, SyncGroup } = APIS
const upTo = (last: number) => Array.from({ length: last + 1 }, (_, version) => version)

const nobody = { groupId: 'rebalance-none', generationId: 1, memberId: STRANGER, assignments: [] }
const spoken = (version: number) => (version < 5 ? {} : { protocolType: 'consumer', protocolName: 'range' })

const versions = new Group('rebalance-versions')
const everyVersion: Step[] = [
  versions.found(),
  ...versions.enter('a'),
  ...upTo(5).flatMap(version => [
    versions.sync('a', 'assigns', { version, assignments: { a: `in version ${version}` } }),
    versions.sync('a', 'asks again', { version }),
    versions.sync('a', 'claims another type', { version, protocolType: 'connect' }),
    versions.sync('a', 'is of an older generation', { version, generation: 0 }),
    versions.sync('a', 'is not known', { version, memberId: STRANGER }),
    versions.join('a', 'joins again')
  ]),
  ...upTo(4).flatMap(version => [
    versions.heartbeat('a', 'is alive', { version }),
    versions.heartbeat('a', 'is of an older generation', { version, generation: 0 }),
    versions.heartbeat('a', 'is not known', { version, memberId: STRANGER })
  ]),
  ...atEachVersion('the empty group', Heartbeat, () => ({ ...nobody, groupId: '' })),
  ...atEachVersion('a group that is none', Heartbeat, () => nobody),
  ...atEachVersion('the empty group', SyncGroup, version => ({ ...nobody, ...spoken(version), groupId: '' })),
  ...atEachVersion('a group that is none', SyncGroup, version => ({ ...nobody, ...spoken(version) }))
]

/** Requests with every wrong identity, and with the right one, in the current state of the group. */
function claims(group: Group, state: string, member = 'a'): Step[] {
  const wrong = [
    ['is not known', { memberId: STRANGER }],
    ['has no id', { memberId: '' }],
    ['is of an older generation', { generation: 0 }],
    ['is of a generation to come', { generation: 99 }],
    ['is of no generation', { generation: -1 }],
    ['claims an instance', { instance: 'A' }]
  ] as const
  return wrong.flatMap(([name, claim]) => [
    group.sync(member, `${name}, ${state}`, claim),
    group.heartbeat(member, `${name}, ${state}`, claim)
  ])
}

const states = new Group('rebalance-states')
const late = states.delayedJoin('b', 'joins')
const joining = states.delayedJoin('a', 'joins again')
const following = states.delayedSync('b', 'follows')
const everyState: Step[] = [
  states.found(),
  ...states.enter('a'),
  states.heartbeat('a', 'is alive before the first assignment'),
  ...claims(states, 'completing'),
  states.sync('a', 'claims another type', { protocolType: 'connect', assignments: { a: 'x' } }),
  states.sync('a', 'claims another protocol', { protocolName: 'sticky', assignments: { a: 'x' } }),
  states.sync('a', 'claims no type', { protocolType: null, assignments: { a: 'x' } }),
  states.sync('a', 'claims no protocol', { protocolName: null, assignments: { a: 'x' } }),
  states.sync('a', 'assigns', { assignments: { a: 'all', '?': 'nothing' } }),
  states.heartbeat('a', 'is alive'),
  ...claims(states, 'stable'),
  states.sync('a', 'assigns what is not heard', { assignments: { a: 'other' } }),
  states.newcomer('b'),
  states.heartbeat('a', 'is not disturbed by one that was only given an id'),
  late.sent,
  states.rebalancing('a'),
  ...claims(states, 'preparing'),
  states.sync('a', 'must join first'),
  states.heartbeat('b', 'does not know its generation', { generation: 0 }),
  joining.sent,
  late.answer,
  joining.answer,
  states.heartbeat('b', 'is alive'),
  following.sent,
  states.sync('a', 'assigns', { assignments: { a: 'one half', b: 'the other' } }),
  following.answer,
  states.sync('b', 'asks again'),
  states.leave('both leave', 'a', 'b'),
  ...claims(states, 'empty'),
  states.heartbeat('a', 'is of the generation that is empty', { generation: 3 }),
  states.heartbeat('a', 'has no id, and is of the generation that is empty', { generation: 3, memberId: '' })
]

const again = new Group('rebalance-again')
const other = { protocols: { range: 'b, changed' } }
const delayedFollower = again.delayedJoin('b', 'has something new', other)
const delayedLeader = again.delayedJoin('a', 'joins again, as the leader')
const rejoining: Step[] = [
  again.found(),
  ...again.enter('a'),
  again.join('a', 'cannot give up its only protocol', { protocols: { sticky: 'a' } }),
  ...again.gather('a', {}, ['b']),
  again.sync('a', 'assigns to itself alone', { assignments: { a: 'all' } }),
  again.sync('b', 'follows, with nothing to do'),
  again.join('b', 'has nothing new'),
  again.heartbeat('a', 'hears nothing of that'),
  delayedFollower.sent,
  again.rebalancing('a'),
  again.join('a', 'joins again'),
  delayedFollower.answer,
  again.sync('a', 'assigns', { assignments: { b: 'all' } }),
  again.sync('b', 'follows'),
  delayedLeader.sent,
  again.rebalancing('b'),
  again.join('b', 'joins again', other),
  delayedLeader.answer
]

const interrupted = new Group('rebalance-interrupted')
const waiting = interrupted.delayedSync('b', 'waits for its assignment')
const newcomer = interrupted.delayedJoin('c', 'joins')
const third = interrupted.delayedJoin('b', 'joins again')
const interruption: Step[] = [
  interrupted.found(),
  ...interrupted.enter('a'),
  ...interrupted.gather('a', {}, ['b']),
  waiting.sent,
  interrupted.newcomer('c'),
  newcomer.sent,
  waiting.answer,
  interrupted.sync('a', 'assigns too late', { assignments: { a: 'a', b: 'b' } }),
  third.sent,
  interrupted.join('a', 'joins again'),
  third.answer,
  newcomer.answer
]

// Short rebalance timeouts, for members that do not join. The remaining member is the leader, so the result is not
// random.
const HURRY = { rebalanceTimeoutMs: 1500 }
const missing = new Group('rebalance-without-join')
const inTime = missing.delayedJoin('b', 'joins', HURRY)
const withoutJoin: Step[] = [
  missing.found(),
  ...missing.enter('a', HURRY),
  missing.sync('a', 'assigns', { assignments: { a: 'all' } }),
  missing.newcomer('b', HURRY),
  inTime.sent,
  inTime.answer,
  missing.heartbeat('a', 'did not join again'),
  missing.sync('a', 'did not join again'),
  missing.join('a', 'did not join again'),
  missing.heartbeat('b', 'is alone')
]

const silent = new Group('rebalance-without-sync')
const unassigned = silent.delayedSync('b', 'waits for its assignment')
const withoutSync: Step[] = [
  silent.found(),
  ...silent.enter('a', HURRY),
  ...silent.gather('a', HURRY, ['b', HURRY]),
  unassigned.sent,
  unassigned.answer,
  silent.heartbeat('a', 'did not assign'),
  silent.heartbeat('b', 'must rejoin'),
  silent.join('b', 'is alone', HURRY)
]

const lazy = new Group('rebalance-without-a-follower')
const withoutFollower: Step[] = [
  lazy.found(),
  ...lazy.enter('a', HURRY),
  ...lazy.gather('a', HURRY, ['b', HURRY]),
  lazy.sync('a', 'assigns', { assignments: { a: 'a', b: 'b' } }),
  lazy.rebalancing('a'),
  lazy.heartbeat('b', 'did not ask for its assignment'),
  lazy.join('a', 'is alone', HURRY)
]

const mortal = new Group('rebalance-without-heartbeat')
const withoutHeartbeat: Step[] = [
  mortal.found(),
  ...mortal.enter('a'),
  ...mortal.gather('a', {}, ['b', { sessionTimeoutMs: 1000 }]),
  mortal.sync('a', 'assigns', { assignments: { a: 'a', b: 'b' } }),
  mortal.sync('b', 'follows'),
  mortal.rebalancing('a'),
  mortal.heartbeat('b', 'was silent for too long'),
  mortal.join('a', 'is alone')
]

const removed = new Group('rebalance-removed')
const victim = removed.delayedJoin('b', 'joins')
const removal: Step[] = [
  removed.found(),
  ...removed.enter('a'),
  removed.sync('a', 'assigns', { assignments: { a: 'all' } }),
  removed.newcomer('b'),
  victim.sent,
  removed.rebalancing('a'),
  removed.leave('the one that waits is sent away', 'b'),
  victim.answer,
  removed.heartbeat('a', 'must join all the same'),
  removed.join('a', 'is alone')
]

/** An assignment that is too large to write: the whole generation gets an error, and must join again. */
const large = new Group('rebalance-large')
const LARGE = 'x'.repeat(1_100_000)
const follower = large.delayedSync('b', 'waits for its assignment')
const tooLarge: Step[] = [
  large.found(),
  ...large.enter('a'),
  ...large.gather('a', {}, ['b']),
  follower.sent,
  large.sync('a', 'assigns more than can be written', { assignments: { a: LARGE, b: 'b' } }),
  follower.answer,
  large.heartbeat('a', 'must join again'),
  large.heartbeat('b', 'must join again'),
  large.sync('a', 'must join first', { assignments: { a: 'a', b: 'b' } }),
  large.leave('b leaves', 'b'),
  large.join('a', 'joins again'),
  large.sync('a', 'assigns less', { assignments: { a: 'all' } })
]

/** Connect workers: another protocol type, with its own metadata format. */
const workers = new Group('rebalance-connect')
const worker = (member: string) => ({
  protocolType: 'connect',
  protocols: { sessioned: `${member}1`, compatible: `${member}2`, default: `${member}3` }
})
const asWorker = { protocolType: 'connect', protocolName: 'sessioned' }
const connect: Step[] = [
  workers.found(),
  ...workers.enter('a', worker('a')),
  ...workers.gather('a', worker('a'), ['b', worker('b')]),
  workers.sync('a', 'speaks as a consumer', { assignments: { a: 'a' } }),
  workers.sync('a', 'speaks another protocol', { ...asWorker, protocolName: 'default', assignments: { a: 'a' } }),
  workers.sync('a', 'assigns', { ...asWorker, assignments: { a: 'a', b: 'b' } }),
  workers.sync('b', 'follows', asWorker),
  workers.join('b', 'has nothing new', worker('b')),
  workers.join('c', 'comes as a consumer', { memberId: '', protocols: worker('c').protocols }),
  workers.join('c', 'comes as a worker of an older release', {
    ...{ memberId: '', protocolType: 'connect' },
    protocols: { eager: 'c' }
  }),
  workers.leave('both leave', 'a', 'b'),
  ...workers.enter('d'),
  workers.sync('d', 'is a consumer now', { assignments: { d: 'all' } })
]

/** Of two assignments for one member, the later counts. */
const twice = new Group('rebalance-twice')
const doubled: Step[] = [
  twice.found(),
  ...twice.enter('a'),
  call('two assignments for one member', SyncGroup, 5, session => {
    const { memberId, ...claim } = twice.claim(session, 'a')
    const assignments = ['first', 'second'].map(words => ({ memberId, assignment: Buffer.from(words) }))
    return { groupId: twice.id, memberId, ...claim, protocolType: 'consumer', protocolName: 'range', assignments }
  }),
  twice.sync('a', 'asks again')
]

export const rebalance: Step[] = [
  ...everyVersion,
  ...everyState,
  ...rejoining,
  ...interruption,
  ...withoutJoin,
  ...withoutSync,
  ...withoutFollower,
  ...withoutHeartbeat,
  ...removal,
  ...tooLarge,
  ...connect,
  ...doubled
]
