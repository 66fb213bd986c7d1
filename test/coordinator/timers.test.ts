import { beforeEach, describe, expect, it } from 'vitest'
import { NO_MEMBER, Timers } from '../../src/coordinator/timers.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

type Kind = 'session' | 'join'

let clock: ManualClock
let timers: Timers<Kind>
/** The timers that ran, with the time since the beginning of the test. */
let ran: string[]

beforeEach(() => {
  clock = new ManualClock()
  ran = []
  timers = new Timers<Kind>(clock.deadline, runDue)
})

function runDue(): void {
  for (let timer = timers.takeDue(); timer; timer = timers.takeDue()) {
    if (timer !== 'moved') ran.push(`${timer.subject} ${timer.member} ${timer.kind} ${elapsed()}`)
  }
}

const start = new ManualClock().deadline.now()
const elapsed = () => clock.deadline.now() - start
const at = (ms: number) => start + ms

describe('keyed timers', () => {
  it('timers run at their deadlines, those with the same deadline in the order of their creation', () => {
    timers.set('g', 'b', 'session', at(20))
    timers.set('g', 'a', 'session', at(10))
    timers.set('h', NO_MEMBER, 'join', at(10))
    clock.advance(30)
    expect(ran).toEqual(['g a session 10', 'h null join 10', 'g b session 20'])
    expect([timers.size, clock.pendingAlarms]).toEqual([0, 0])
  })

  it('a timer that is set again moves, to a later or an earlier time', () => {
    timers.set('g', 'a', 'session', at(10))
    timers.set('g', 'b', 'session', at(30))
    timers.set('g', 'a', 'session', at(40))
    timers.set('g', 'b', 'session', at(5))
    clock.advance(39)
    expect(ran).toEqual(['g b session 5'])
    clock.advance(1)
    expect(ran).toEqual(['g b session 5', 'g a session 40'])
  })

  it('timers that are due at once, because the clock jumped, run in the order of their deadlines', () => {
    const late = new Timers<Kind>(clock.deadline, () => {})
    late.set('g', 'a', 'session', at(10))
    late.set('g', 'b', 'session', at(30))
    late.set('g', 'a', 'session', at(40))
    clock.advance(50)
    const members = []
    for (let timer = late.takeDue(); timer; timer = late.takeDue()) if (timer !== 'moved') members.push(timer.member)
    expect(members).toEqual(['b', 'a'])
  })

  it('a timer that moves to a later time sets no alarm', () => {
    timers.set('g', 'a', 'session', at(10))
    const before = clock.nextAlarmInMs
    for (let beat = 11; beat < 20; beat++) timers.set('g', 'a', 'session', at(beat))
    expect([clock.pendingAlarms, clock.nextAlarmInMs]).toEqual([1, before])
  })

  it('cancelled timers do not run: a single timer, those of a member, those of a subject', () => {
    for (const subject of ['g', 'h']) {
      for (const member of ['a', 'b']) {
        for (const kind of ['session', 'join'] as const) timers.set(subject, member, kind, at(10))
      }
    }
    timers.cancel('g', 'a', 'session')
    timers.cancelMember('g', 'b')
    timers.cancelAll('h')
    clock.advance(10)
    expect(ran).toEqual(['g a join 10'])
  })

  it('no timer runs after clear, and no alarm stays', () => {
    timers.set('g', 'a', 'session', at(10))
    timers.clear()
    expect([timers.size, clock.pendingAlarms]).toEqual([0, 0])
    timers.set('g', 'a', 'session', at(20))
    clock.advance(20)
    expect(ran).toEqual(['g a session 20'])
  })

  it('changes of an operation apply in their order to one subject', () => {
    timers.set('g', 'a', 'session', at(10))
    timers.set('h', 'a', 'session', at(10))
    timers.change('g', [
      { type: 'set if absent', member: 'a', kind: 'session', deadlineMs: at(1) },
      { type: 'set if absent', member: 'b', kind: 'session', deadlineMs: at(20) },
      { type: 'set', member: 'b', kind: 'join', deadlineMs: at(30) },
      { type: 'cancel', member: 'b', kind: 'join' },
      { type: 'set', member: 'c', kind: 'session', deadlineMs: at(1) },
      { type: 'cancel member', member: 'c' }
    ])
    clock.advance(30)
    expect(ran).toEqual(['g a session 10', 'h a session 10', 'g b session 20'])
    timers.set('g', 'a', 'session', at(40))
    timers.change('g', [{ type: 'cancel all' }])
    expect(timers.size).toBe(0)
  })

  it('the deadline of a timer is known until it runs', () => {
    const timer = { subject: 'g', member: 'a', kind: 'session' } as const
    expect(timers.deadlineOf(timer)).toBeUndefined()
    timers.set('g', 'a', 'session', at(10))
    expect(timers.deadlineOf(timer)).toBe(at(10))
    clock.advance(10)
    expect(timers.deadlineOf(timer)).toBeUndefined()
  })

  it.each([1, 2, 3, 4, 5])('random changes run the same timers as a list of deadlines, seed %i', seed => {
    const random = seededRandom(seed)
    const deadlines = new Map<string, number>()
    const expected: string[] = []
    for (let step = 0; step < 2_000; step++) {
      const subject = `g${random.below(3)}`
      const member = `m${random.below(40)}`
      const choice = random.below(20)
      if (choice < 12) {
        const deadline = at(elapsed() + random.below(50))
        timers.set(subject, member, 'session', deadline)
        deadlines.set(`${subject} ${member} session`, deadline)
      } else if (choice < 15) {
        timers.cancel(subject, member, 'session')
        deadlines.delete(`${subject} ${member} session`)
      } else if (choice === 15) {
        timers.cancelAll(subject)
        for (const key of deadlines.keys()) if (key.startsWith(`${subject} `)) deadlines.delete(key)
      } else {
        clock.advance(random.below(10))
        for (const [key, deadline] of deadlines) {
          if (deadline > clock.deadline.now()) continue
          expected.push(key)
          deadlines.delete(key)
        }
      }
    }
    expect(ran.map(run => run.replace(/ \d+$/, '')).sort()).toEqual(expected.sort())
    expect(timers.size).toBe(deadlines.size)
  })
})
