// Classic groups that survive a change of brokers: with dynamic and static members, and without members; of another
// protocol type; during a rebalance; with offsets but without members at any time; and deleted.
import { assignmentOf, subscriptionOf } from '../../group/embedded.ts'
import type { Step } from '../oracle/transcript.ts'
import { Group } from '../oracle/transcripts/group.ts'
import { commits, deleted, type Tale, TIMEOUT_MS, TOPIC, thus, well } from './tale.ts'

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
    well(joins(group, leader)),
    ...waiting.map(({ answer }) => well(answer)),
    well(group.sync(leader, 'assigns', { ...A, assignments: Object.fromEntries(shares) })),
    ...others.map(member => well(group.sync(member, 'is assigned')))
  ]
}

/** Two members. The static one restarts, another member joins and leaves, and all commit. */
function stable(): Tale {
  const group = new Group('classic-stable')
  const leader = (life: number) => `A${life}`
  const fresh = { ...CONSUMER, ...A, memberId: '' }
  return {
    id: group.id,
    begin: () => [
      well(group.join(leader(0), 'comes', fresh)),
      well(group.sync(leader(0), 'assigns', { ...A, assignments: { [leader(0)]: SHARES[0] ?? '' } })),
      group.newcomer('b', CONSUMER),
      ...gathered(group, leader(0), 'b'),
      commitsIn(group, leader(0), 1),
      commitsIn(group, 'b', 2)
    ],
    goOn: life => [
      well(group.heartbeat(leader(life - 1), 'goes on', A)),
      well(group.sync(leader(life - 1), 'has what it had', A)),
      well(group.heartbeat('b', 'goes on')),
      well(group.sync('b', 'has what it had'))
    ],
    change: life => [
      thus(group.join(leader(life), 'starts again', fresh), session => ({
        ...{ errorCode: 'NONE', skipAssignment: true },
        generationId: group.generation(session, 'b')
      })),
      well(group.sync(leader(life), 'has what it had', A)),
      thus(group.heartbeat(leader(life - 1), 'is fenced', A), { errorCode: 'FENCED_INSTANCE_ID' }),
      well(group.heartbeat('b', 'hears nothing of that')),
      commitsIn(group, 'b', life * 10),
      group.newcomer('c', CONSUMER),
      ...gathered(group, leader(life), 'b', 'c'),
      commitsIn(group, 'c', life * 10 + 1),
      well(group.leave('c leaves', 'c')),
      ...gathered(group, leader(life), 'b')
    ]
  }
}

/** A group with one member. The broker goes down while a second member waits to join. */
function awaited(): Tale {
  const group = new Group('classic-awaited')
  const assigns = well(group.sync('a', 'assigns', { ...A, assignments: { a: SHARES[0] ?? '' } }))
  return {
    id: group.id,
    begin: () => [well(group.join('a', 'comes', { ...CONSUMER, ...A, memberId: '' })), assigns],
    goOn: life => [
      well(group.heartbeat('a', 'goes on', A)),
      thus(group.join(`b${life - 1}`, 'is not known', CONSUMER), { errorCode: 'UNKNOWN_MEMBER_ID' })
    ],
    change: () => [well(joins(group, 'a')), assigns],
    unfinished: life => [
      group.newcomer(`b${life}`, CONSUMER),
      group.delayedJoin(`b${life}`, 'joins', CONSUMER).sent,
      group.rebalancing('a', A)
    ]
  }
}

/** A group of Connect workers, whose assignments have their own format. */
function workers(): Tale {
  const group = new Group('classic-workers')
  const said = { protocolType: 'connect', protocolName: 'sessioned' }
  const works = (life: number): Step[] => [
    well(group.join('w', 'joins', WORKER)),
    well(group.sync('w', 'assigns', { ...said, assignments: { w: `tasks of life ${life}` } }))
  ]
  return {
    id: group.id,
    begin: () => [group.newcomer('w', WORKER), ...works(0)],
    goOn: life => [
      well(group.heartbeat('w', 'goes on')),
      thus(group.sync('w', 'has what it had', said), {
        assignment: Buffer.from(`tasks of life ${life - 1}`).toString('hex')
      })
    ],
    change: works
  }
}

/** In every phase a member joins, commits and leaves. The group then has only its offsets, or is deleted. */
function left(id: string, end: readonly Step[]): Tale {
  const group = new Group(id)
  const visit = (life: number): Step[] => [
    group.newcomer('a', CONSUMER),
    well(group.join('a', 'joins', CONSUMER)),
    well(group.sync('a', 'assigns', { assignments: { a: SHARES[0] ?? '' } })),
    commitsIn(group, 'a', life * 10),
    well(group.leave('a leaves', 'a')),
    ...end
  ]
  return { id, begin: () => visit(0), goOn: () => [], change: visit }
}

/** Commits without membership (a simple group). */
function simple(): Tale {
  const id = 'simple'
  const committed = (life: number): Step[] => [
    commits(id, life, { metadata: life % 2 === 0 ? null : `in life ${life}` })
  ]
  return { id, begin: () => committed(0), goOn: () => [], change: committed }
}

/** All classic groups. */
export function classicTales(): readonly Tale[] {
  const doomed = 'classic-deleted'
  return [stable(), awaited(), workers(), left('classic-empty', []), left(doomed, [deleted(doomed)]), simple()]
}
