// Static members (group.instance.id): a restarted member replaces its previous member id, which is then fenced; in each
// state of the group, at each version, as leader and as follower.
import { arrange, type Step } from '../transcript.ts'
import { Group, STRANGER } from './group.ts'

const VERSIONS = [5, 6, 7, 8, 9]
const A = { instance: 'A' }
const B = { instance: 'B' }
const fresh = { memberId: '' }

/** The leader of a stable group restarts. */
const everyVersion = VERSIONS.flatMap((version): Step[] => {
  const group = new Group(`static-v${version}`)
  return [
    group.found(),
    group.join('a', 'joins without an id', { version, ...A, ...fresh }),
    group.heartbeat('a', 'is alive', A),
    group.sync('a', 'assigns', { ...A, assignments: { a: 'all' } }),
    group.join('a2', 'takes the place of a', { version, ...A, ...fresh }),
    group.join('a', 'is fenced', { version, ...A }),
    group.join('a', 'is not known without its instance', { version }),
    group.join('a2', 'claims an instance that is none', { version, ...B }),
    group.join('b', 'claims an instance, with an id that is none', { version, ...A, memberId: STRANGER }),
    group.join('b', 'claims a free instance, with an id that is none', { version, ...B, memberId: STRANGER }),
    ...[3, 4, 5].flatMap(at => [
      group.sync('a', 'is fenced', { version: at, ...A }),
      group.sync('a2', 'claims an instance that is none', { version: at, ...B }),
      group.sync('a2', 'keeps what a had', { version: at, ...A }),
      group.sync('a2', 'does not say its instance', { version: at })
    ]),
    ...[3, 4].flatMap(at => [
      group.heartbeat('a', 'is fenced', { version: at, ...A }),
      group.heartbeat('a', 'is not known without its instance', { version: at }),
      group.heartbeat('a2', 'claims an instance that is none', { version: at, ...B }),
      group.heartbeat('a2', 'is alive', { version: at, ...A })
    ]),
    group.join('a2', 'joins again with its id', { version, ...A }),
    group.leave('a is fenced, and leaves nothing', { member: 'a', ...A }),
    group.leave('an instance that is none', B),
    group.leave('the id of one, the instance of none', { member: 'a2', ...B }),
    group.leave('by the instance alone', A),
    group.leave('once more', A)
  ]
})

const pair = new Group('static-pair')
const both = [
  pair.found(),
  pair.join('a', 'joins', { ...A, ...fresh }),
  ...pair.gather('a', A, ['b', { ...B, ...fresh }]),
  pair.sync('a', 'assigns', { ...A, assignments: { a: 'for A', b: 'for B' } }),
  pair.sync('b', 'follows', B)
]
const delayedA = pair.delayedJoin('a', 'joins again', A)
const waitingB = pair.delayedSync('b3', 'waits for its assignment', B)
const restartedB = pair.delayedJoin('b4', 'takes the place of b3', { ...B, ...fresh })
const restartedA = pair.delayedJoin('a2', 'takes the place of a, which waits', { ...A, ...fresh })
const follower: Step[] = [
  ...both,
  pair.join('b2', 'takes the place of b', { ...B, ...fresh }),
  pair.heartbeat('a', 'hears nothing of that', A),
  pair.sync('b2', 'keeps what b had', B),
  pair.join('b', 'is fenced', B),
  pair.join('b3', 'takes the place of b2, with other metadata', { ...B, ...fresh, protocols: { range: 'new' } }),
  pair.heartbeat('a', 'hears nothing of that either', A),
  pair.sync('b3', 'keeps what b had', B),
  // While the leader waits for other members to join.
  delayedA.sent,
  pair.rebalancing('b3', B),
  restartedA.sent,
  delayedA.answer,
  pair.join('b3', 'joins again', B),
  restartedA.answer,
  // While members wait for their assignment.
  waitingB.sent,
  restartedB.sent,
  waitingB.answer,
  pair.heartbeat('a2', 'must join again', A),
  pair.sync('a2', 'assigns to one that is gone', { ...A, assignments: { a2: 'for A', b3: 'for B' } }),
  pair.join('a2', 'joins again', A),
  restartedB.answer,
  // An admin removes a static member.
  pair.sync('a2', 'assigns', { ...A, assignments: { a2: 'for A', b4: 'for B' } }),
  pair.leave('by the instance, with the id of another', { member: 'a2', ...B }),
  pair.leave('by the instance, with its id', { member: 'b4', ...B }),
  pair.heartbeat('a2', 'must join again', A)
]

const choice = new Group('static-protocols')
const two = { protocols: { range: 'a', sticky: 'a' } }
const changing: Step[] = [
  choice.found(),
  choice.join('a', 'joins', { ...A, ...fresh, ...two }),
  choice.sync('a', 'assigns', { ...A, assignments: { a: 'all' } }),
  choice.join('a2', 'takes the place of a, and changes the protocol', {
    ...{ ...A, ...fresh },
    protocols: { sticky: 'a' }
  }),
  choice.sync('a2', 'believes in the old protocol', { ...A, assignments: { a2: 'all' } }),
  choice.sync('a2', 'assigns', { ...A, protocolName: 'sticky', assignments: { a2: 'all' } })
]

const HURRY = { rebalanceTimeoutMs: 1500 }
const away = new Group('static-away')
const patient = away.delayedJoin('b', 'joins', HURRY)
const absent: Step[] = [
  away.found(),
  away.join('a', 'joins', { ...A, ...fresh, ...HURRY }),
  away.sync('a', 'assigns', { ...A, assignments: { a: 'all' } }),
  away.newcomer('b', HURRY),
  patient.sent,
  patient.answer,
  away.sync('b', 'assigns to both', { assignments: { a: 'kept for A', b: 'for b' } }),
  away.heartbeat('a', 'missed a generation', A),
  away.join('a', 'comes back as a follower', { ...A, ...HURRY }),
  away.sync('a', 'gets what was kept for it', A)
]

const gone = new Group('static-gone')
const heir = gone.delayedJoin('b', 'joins')
const expired: Step[] = [
  gone.found(),
  gone.join('a', 'joins', { ...A, ...fresh, sessionTimeoutMs: 1000 }),
  gone.sync('a', 'assigns', { ...A, assignments: { a: 'all' } }),
  gone.newcomer('b'),
  heir.sent,
  heir.answer,
  gone.heartbeat('a', 'was silent for too long', A),
  gone.join('a', 'was silent for too long', A),
  gone.sync('b', 'assigns', { assignments: { b: 'all' } })
]

const unnamed = new Group('static-unnamed')
const odd: Step[] = [
  unnamed.found(),
  unnamed.join('a', 'has an instance without a name', { ...fresh, instance: '' }),
  unnamed.heartbeat('a', 'is alive', { instance: '' }),
  unnamed.join('a2', 'takes the place of a', { ...fresh, instance: '' }),
  unnamed.heartbeat('a', 'is fenced', { instance: '' }),
  unnamed.leave('by the instance alone', { instance: '' })
]

/** A member restarts before SyncGroup: the group then waits for the SyncGroup of its previous member id. */
const unsynced = new Group('static-unsynced')
const hurried = (instance: string) => ({ instance, ...fresh, ...HURRY, sessionTimeoutMs: 60_000 })
const beforeSync: Step[] = [
  unsynced.found(),
  unsynced.join('a', 'joins', hurried('A')),
  ...unsynced.gather('a', { ...A, ...HURRY }, ['b', hurried('B')]),
  unsynced.sync('a', 'assigns', { ...A, assignments: { a: 'for A', b: 'for B' } }),
  unsynced.join('b2', 'takes the place of b', hurried('B')),
  unsynced.sync('b2', 'gets what b was to have', B),
  unsynced.heartbeat('a', 'hears nothing of that', A),
  unsynced.rebalancing('a', A),
  unsynced.heartbeat('b2', 'must join again', B),
  unsynced.sync('b2', 'must join again', B)
]

/** After a restart the session timeout is that of the previous member id, until the first heartbeat. */
const sessions = new Group('static-sessions')
const short = { ...A, ...fresh, sessionTimeoutMs: 1000 }
const sessionOf: Step[] = [
  sessions.found(),
  sessions.join('a', 'joins', { ...A, ...fresh }),
  sessions.sync('a', 'assigns', { ...A, assignments: { a: 'all' } }),
  sessions.join('a2', 'takes the place of a, with a short session', short),
  arrange('longer than that passes', () => new Promise(resolve => setTimeout(resolve, 1700))),
  sessions.heartbeat('a2', 'is still there', A),
  arrange('longer than that passes again', () => new Promise(resolve => setTimeout(resolve, 1700))),
  sessions.heartbeat('a2', 'was silent for too long', A)
]

const updated = new Group('static-updated')
const changedB = updated.delayedJoin('b', 'joins again with other metadata', { ...B, protocols: { range: 'changed' } })
const restarted = updated.delayedJoin('a2', 'takes the place of the leader, while all sync', { ...A, ...fresh })
const completing: Step[] = [
  updated.found(),
  updated.join('a', 'joins', { ...A, ...fresh }),
  ...updated.gather('a', A, ['b', { ...B, ...fresh }]),
  updated.join('b', 'joins again with the same metadata', B),
  updated.join('a', 'joins again with the same metadata, and leads', A),
  changedB.sent,
  updated.rebalancing('a', A),
  updated.sync('a', 'must join first', { ...A, assignments: { a: 'a', b: 'b' } }),
  updated.join('a', 'joins again', A),
  changedB.answer,
  restarted.sent,
  updated.rebalancing('b', B),
  updated.join('b', 'joins again', { ...B, protocols: { range: 'changed' } }),
  restarted.answer,
  updated.sync('a2', 'assigns', { ...A, assignments: { a2: 'all' } }),
  updated.leave('several, some of them twice', A, A, { member: 'b', ...A }, { member: 'b', ...B }, B, {
    memberId: STRANGER
  })
]

export const staticMembers: Step[] = [
  ...everyVersion,
  ...follower,
  ...changing,
  ...absent,
  ...expired,
  ...odd,
  ...beforeSync,
  ...sessionOf,
  ...completing
]
