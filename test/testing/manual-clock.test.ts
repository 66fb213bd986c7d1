import { expect, it } from 'vitest'
import { ManualClock } from '../../src/testing/manual-clock.ts'

it('fires alarms in the order of their times, each at its own time', () => {
  const clock = new ManualClock(1000)
  const fired: string[] = []
  clock.at(1300, () => fired.push(`c at ${clock.now()}`))
  clock.at(1100, () => {
    fired.push(`a at ${clock.now()}`)
    clock.at(1200, () => fired.push(`b at ${clock.now()}`))
  })
  clock.advance(250)
  expect(fired).toEqual(['a at 1100', 'b at 1200'])
  expect(clock.now()).toBe(1250)
  clock.advance(50)
  expect(fired).toEqual(['a at 1100', 'b at 1200', 'c at 1300'])
})

it('does not fire a cancelled alarm', () => {
  const clock = new ManualClock(0)
  const alarm = clock.at(10, () => expect.unreachable())
  alarm.cancel()
  clock.advance(100)
  expect(clock.pendingAlarms).toBe(0)
})

it('fires an alarm set in the past without turning time back', () => {
  const clock = new ManualClock(1000)
  const times: number[] = []
  clock.at(5, () => times.push(clock.now()))
  clock.advance(0)
  expect(times).toEqual([1000])
})
