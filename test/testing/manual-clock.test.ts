import { expect, it } from 'vitest'
import { ManualClock } from '../../src/testing/manual-clock.ts'

it('a manual clock fires alarms of all its clocks in the order of their times, each at its own time', () => {
  const clock = new ManualClock()
  const { deadline, loop } = clock
  const [deadlineMs, loopMs] = [deadline.now(), loop.now()]
  const fired: string[] = []
  deadline.at(deadlineMs + 300, () => fired.push(`c at ${deadline.now() - deadlineMs}`))
  loop.at(loopMs + 100, () => {
    fired.push(`a at ${loop.now() - loopMs}`)
    deadline.at(deadlineMs + 200, () => fired.push(`b at ${deadline.now() - deadlineMs}`))
  })
  clock.advance(250)
  expect(fired).toEqual(['a at 100', 'b at 200'])
  expect([deadline.now() - deadlineMs, loop.now() - loopMs]).toEqual([250, 250])
  expect(clock.nextAlarmInMs).toBe(50)
  clock.advance(50)
  expect(fired).toEqual(['a at 100', 'b at 200', 'c at 300'])
})

it('a manual clock does not fire a cancelled alarm', () => {
  const clock = new ManualClock()
  const alarm = clock.deadline.at(clock.deadline.now() + 10, () => expect.unreachable())
  alarm.cancel()
  clock.advance(100)
  expect(clock.pendingAlarms).toBe(0)
})

it('a manual clock fires an alarm set in the past without turning time back', () => {
  const clock = new ManualClock()
  const nowMs = clock.loop.now()
  const times: number[] = []
  clock.loop.at(5, () => times.push(clock.loop.now()))
  clock.advance(0)
  expect(times).toEqual([nowMs])
})

it('a manual clock steps the wall clock alone, forward and back, and fires nothing by that', () => {
  const clock = new ManualClock(1000)
  const [deadlineMs, loopMs] = [clock.deadline.now(), clock.loop.now()]
  clock.deadline.at(deadlineMs + 10, () => expect.unreachable())
  clock.stepWall(500)
  expect(clock.wall.now()).toBe(1500)
  clock.stepWall(-800)
  expect(clock.wall.now()).toBe(700)
  expect([clock.deadline.now(), clock.loop.now()]).toEqual([deadlineMs, loopMs])
})

it('a manual clock with work time advances the loop clock at each reading', () => {
  const clock = new ManualClock(1000)
  const loopMs = clock.loop.now()
  clock.workMs = 3
  expect([clock.loop.now() - loopMs, clock.loop.now() - loopMs]).toEqual([3, 6])
  clock.workMs = 0
  clock.loop.at(loopMs + 16, () => expect(clock.loop.now() - loopMs).toBe(16))
  clock.advance(10)
  expect([clock.pendingAlarms, clock.wall.now()]).toEqual([0, 1010])
})
