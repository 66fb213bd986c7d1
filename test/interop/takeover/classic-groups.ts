// Classic groups that survive a change of brokers: with dynamic and static members, and without members; of another
// protocol type; during a rebalance; with offsets but without members at any time; and deleted.
import { assignmentOf, subscriptionOf } from '../../group/embedded.ts'
import type { Step } from '../oracle/transcript.ts'
import { Group } from '../oracle/transcripts/group.ts'
import { commits, deleted, expecting, type GroupScenario, succeeding, TIMEOUT_MS, TOPIC } from './group-scenario.ts'

const TIMES = { sessionTimeoutMs: TIMEOUT_MS, rebalanceTimeoutMs: TIMEOUT_MS }
const CONSUMER = { ...TIMES, protocols: { range: subscriptionOf([TOPIC]), sticky: subscriptionOf([TOPIC]) } }
const WORKER = { ...TIMES, protocolType: 'connect', protocols: { sessioned: Buffer.from('the url of a worker') } }
const A = { instance: 'A' }
/** Assignments: the first is the leader's, the others follow in the order of members. */
const SHARES = [[0, 1], [2, 3], []].map(partitions => assignmentOf({ [TOPIC]: partitions }))

const joins = (group: Group, member: string) => group.join(member, 'joins', { ...CONSUMER, ...A })

/** A commit of a member in its generation. */
const commitsIn = (group: Group, member: string, offset: number): Step =>
  commits(group.id, offset, {
    by: session => ({
      memberId: group.memberId(session, member),
      generationIdOrMemberEpoch: group.generation(session, member)
    }),
    metadata: `by ${member}`
  })

/** Joins and syncs a generation with a leader, which is the static member A, and other members. */
function gathered(group: Group, leader: string, ...others: string[]): Step[] {
  const waiting = others.map(member => group.delayedJoin(member, 'joins', CONSUMER))
  const shares = [leader, ...others].map((member, index) => [member, SHARES[index] ?? Buffer.alloc(0)])
  return [
    ...waiting.map(({ sent }) => sent),
    group.rebalancing(leader, A),
    succeeding(joins(group, leader)),
    ...waiting.map(({ answer }) => succeeding(answer)),
    succeeding(group.sync(leader, 'assigns', { ...A, assignments: Object.fromEntries(shares) })),
    ...others.map(member => succeeding(group.sync(member, 'is assigned')))
  ]
}

/** Two members. The static one restarts, another member joins and leaves, and all commit. */
function stable(): GroupScenario {
  const group = new Group('classic-stable')
  const leader = (phase: number) => `A${phase}`
  const fresh = { ...CONSUMER, ...A, memberId: '' }
  return {
    id: group.id,
    begin: () => [
      succeeding(group.join(leader(0), 'comes', fresh)),
      succeeding(group.sync(leader(0), 'assigns', { ...A, assignments: { [leader(0)]: SHARES[0] ?? '' } })),
      group.newcomer('b', CONSUMER),
      ...gathered(group, leader(0), 'b'),
      commitsIn(group, leader(0), 1),
      commitsIn(group, 'b', 2)
    ],
    resume: phase => [
      succeeding(group.heartbeat(leader(phase - 1), 'continues', A)),
      succeeding(group.sync(leader(phase - 1), 'has what it had', A)),
      succeeding(group.heartbeat('b', 'continues')),
      succeeding(group.sync('b', 'has what it had'))
    ],
    change: phase => [
      expecting(group.join(leader(phase), 'starts again', fresh), session => ({
        ...{ errorCode: 'NONE', skipAssignment: true },
        generationId: group.generation(session, 'b')
      })),
      succeeding(group.sync(leader(phase), 'has what it had', A)),
      expecting(group.heartbeat(leader(phase - 1), 'is fenced', A), { errorCode: 'FENCED_INSTANCE_ID' }),
      succeeding(group.heartbeat('b', 'hears nothing of that')),
      commitsIn(group, 'b', phase * 10),
      group.newcomer('c', CONSUMER),
      ...gathered(group, leader(phase), 'b', 'c'),
      commitsIn(group, 'c', phase * 10 + 1),
      succeeding(group.leave('c leaves', 'c')),
      ...gathered(group, leader(phase), 'b')
    ]
  }
}

/** A group with one member. The broker goes down while a second member waits to join. */
function awaited(): GroupScenario {
  const group = new Group('classic-awaited')
  const assigns = succeeding(group.sync('a', 'assigns', { ...A, assignments: { a: SHARES[0] ?? '' } }))
  return {
    id: group.id,
    begin: () => [succeeding(group.join('a', 'comes', { ...CONSUMER, ...A, memberId: '' })), assigns],
    resume: phase => [
      succeeding(group.heartbeat('a', 'continues', A)),
      expecting(group.join(`b${phase - 1}`, 'is not known', CONSUMER), { errorCode: 'UNKNOWN_MEMBER_ID' })
    ],
    change: () => [succeeding(joins(group, 'a')), assigns],
    unfinished: phase => [
      group.newcomer(`b${phase}`, CONSUMER),
      group.delayedJoin(`b${phase}`, 'joins', CONSUMER).sent,
      group.rebalancing('a', A)
    ]
  }
}

/** A group of Connect workers, whose assignments have their own format. */
function workers(): GroupScenario {
  const group = new Group('classic-workers')
  const said = { protocolType: 'connect', protocolName: 'sessioned' }
  const works = (phase: number): Step[] => [
    succeeding(group.join('w', 'joins', WORKER)),
    succeeding(group.sync('w', 'assigns', { ...said, assignments: { w: `tasks of phase ${phase}` } }))
  ]
  return {
    id: group.id,
    begin: () => [group.newcomer('w', WORKER), ...works(0)],
    resume: phase => [
      succeeding(group.heartbeat('w', 'continues')),
      expecting(group.sync('w', 'has what it had', said), {
        assignment: Buffer.from(`tasks of phase ${phase - 1}`).toString('hex')
      })
    ],
    change: works
  }
}

/** In every phase a member joins, commits and leaves. The group then has only its offsets, or is deleted. */
function left(id: string, end: readonly Step[]): GroupScenario {
  const group = new Group(id)
  const visit = (phase: number): Step[] => [
    group.newcomer('a', CONSUMER),
    succeeding(group.join('a', 'joins', CONSUMER)),
    succeeding(group.sync('a', 'assigns', { assignments: { a: SHARES[0] ?? '' } })),
    commitsIn(group, 'a', phase * 10),
    succeeding(group.leave('a leaves', 'a')),
    ...end
  ]
  return { id, begin: () => visit(0), resume: () => [], change: visit }
}

/** Commits without membership (a simple group). */
function simple(): GroupScenario {
  const id = 'simple'
  const committed = (phase: number): Step[] => [
    commits(id, phase, { metadata: phase % 2 === 0 ? null : `in phase ${phase}` })
  ]
  return { id, begin: () => committed(0), resume: () => [], change: committed }
}

/** All classic groups. */
export function classicGroups(): readonly GroupScenario[] {
  const doomed = 'classic-deleted'
  return [stable(), awaited(), workers(), left('classic-empty', []), left(doomed, [deleted(doomed)]), simple()]
}
