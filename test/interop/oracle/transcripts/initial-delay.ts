// The initial rebalance delay of groups (group.initial.rebalance.delay.ms, which must be DELAY_MS): its length, members
// that extend it, events that end it. The time of a response is compared in halves of a delay.
import { arrange, type Step } from '../transcript.ts'
import { Group } from './group.ts'

export const DELAY_MS = 4000

const HALF_MS = DELAY_MS / 2
type Options = Parameters<Group['delayedJoin']>[2]

/** Clients before KIP-394 join without an id, in one request. */
const old = { version: 3, memberId: '' }

const halfPasses = arrange('half a delay passes', () => new Promise(resolve => setTimeout(resolve, HALF_MS)))
const quarterPasses = arrange('a quarter passes', () => new Promise(resolve => setTimeout(resolve, HALF_MS / 2)))

/** A busy machine makes responses late, never early, apart from the time between two requests. */
function halvesSince(begunMs: number): number {
  return Math.floor((Date.now() - begunMs + HALF_MS / 8) / HALF_MS)
}

/** A JoinGroup that waits, and the duration of the wait. */
function joining(group: Group, member: string, options: Options = old): { sent: Step; answer: Step } {
  const { sent, answer } = group.delayedJoin(member, 'joins', options)
  const begun = `${member} joins ${group.id}`
  return {
    sent: {
      ...sent,
      async play(session) {
        session.remember(begun, Date.now())
        return sent.play(session)
      }
    },
    answer: {
      ...answer,
      async play(session) {
        const outcome = await answer.play(session)
        return { outcome, halves: halvesSince(Number(session.recall(begun))) }
      }
    }
  }
}

/** Two members; the second joins half a delay later. */
function together(group: Group, first: Options = old, second: Options = first): Step[] {
  const [a, b] = [joining(group, 'a', first), joining(group, 'b', second)]
  return [a.sent, halfPasses, b.sent, a.answer, b.answer]
}

const alone = new Group('delay-alone')
const single = joining(alone, 'a')
const later = joining(alone, 'b')
const singleMember: Step[] = [
  alone.found(),
  single.sent,
  single.answer,
  alone.sync('a', 'assigns', { version: 3, assignments: { a: 'all' } }),
  // Only the first rebalance of a group is delayed.
  later.sent,
  alone.rebalancing('a'),
  alone.join('a', 'joins again'),
  later.answer
]

const pair = new Group('delay-pair')
const longer: Step[] = [pair.found(), ...together(pair)]

const limit = new Group('delay-limit')
const limited: Step[] = [limit.found(), ...together(limit, { ...old, rebalanceTimeoutMs: DELAY_MS + HALF_MS })]

const hasty = new Group('delay-hasty')
const notLonger: Step[] = [
  hasty.found(),
  ...together(hasty, { ...old, rebalanceTimeoutMs: DELAY_MS }),
  hasty.leave('both leave', 'a', 'b'),
  // Kafka remembers that members joined during an earlier delay, and waits longer.
  ...['c', 'd'].flatMap(member => {
    const next = joining(hasty, member)
    return [next.sent, next.answer, hasty.leave(`${member} leaves`, member)]
  })
]

const ids = new Group('delay-ids')
const waiting = joining(ids, 'a')
const givenAnId: Step[] = [
  ids.found(),
  waiting.sent,
  halfPasses,
  ids.newcomer('b'),
  waiting.answer,
  ids.heartbeat('a', 'is alone'),
  ids.leave('b gives its id back', 'b')
]

const lapse = new Group('delay-lapse')
const cutShort = joining(lapse, 'a')
const idLapses: Step[] = [lapse.found(), cutShort.sent, lapse.newcomer('b', { sessionTimeoutMs: 900 }), cutShort.answer]

const left = new Group('delay-left')
const stays = joining(left, 'a', { memberId: '', instance: 'A' })
const goes = joining(left, 'b', {})
const memberLeaves: Step[] = [
  left.found(),
  stays.sent,
  left.newcomer('b'),
  halfPasses,
  goes.sent,
  quarterPasses,
  left.leave('b leaves', 'b'),
  goes.answer,
  stays.answer
]

const empty = new Group('delay-empty')
const vanishes = joining(empty, 'a', {})
const comesLater = joining(empty, 'b', {})
const allLeave: Step[] = [
  empty.found(),
  empty.newcomer('a'),
  vanishes.sent,
  quarterPasses,
  empty.leave('a leaves', 'a'),
  vanishes.answer,
  empty.newcomer('b'),
  comesLater.sent,
  comesLater.answer
]

const restart = new Group('delay-static')
const A = { memberId: '', instance: 'A' }
const former = joining(restart, 'a', A)
const present = joining(restart, 'a2', A)
const restarts: Step[] = [restart.found(), former.sent, halfPasses, present.sent, former.answer, present.answer]

export const initialDelay: Step[] = [
  ...singleMember,
  ...longer,
  ...limited,
  ...notLonger,
  ...givenAnId,
  ...idLapses,
  ...memberLeaves,
  ...allLeave,
  ...restarts
]
