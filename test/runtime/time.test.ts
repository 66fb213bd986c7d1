import { afterEach, expect, it, vi } from 'vitest'
import { systemClocks } from '../../src/runtime/time.ts'

afterEach(() => {
  vi.useRealTimers()
})

it('an alarm does not fire before its time, and keeps its time when Date moves', async () => {
  const { deadline } = systemClocks
  const dueMs = deadline.now() + 20
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
  const firedMs = await new Promise<number>(resolve => deadline.at(dueMs, () => resolve(deadline.now())))
  expect(firedMs).toBeGreaterThanOrEqual(dueMs)
})

it('a cancelled alarm does not fire', async () => {
  const { loop } = systemClocks
  const nowMs = loop.now()
  loop.at(nowMs + 1, () => expect.unreachable()).cancel()
  await new Promise<void>(resolve => loop.at(nowMs + 5, resolve))
})

it('alarms and yields are real if time was faked before their modules were loaded', async () => {
  vi.useFakeTimers()
  vi.resetModules()
  const time = await import('../../src/runtime/time.ts')
  const { yieldToEventLoop: nextTurn } = await import('../../src/runtime/pace.ts')
  expect(time.systemClocks).not.toBe(systemClocks)
  await nextTurn()
  await new Promise<void>(resolve => time.systemClocks.loop.at(time.systemClocks.loop.now() + 1, resolve))
})
