import { expect, test } from 'vitest'
import { runAtOnce, runYielding, type Steps, yieldToEventLoop } from '../../src/runtime/pace.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** Work takes time on it. */
function slowClock(): ManualClock {
  const clock = new ManualClock()
  clock.workMs = 3
  return clock
}

function* counting(done: number[], upTo: number): Steps<string, number> {
  for (let step = 1; step <= upTo; step++) {
    done.push(step)
    yield step
  }
  return 'done'
}

test('work can be done at once', () => {
  const done: number[] = []
  expect(runAtOnce(counting(done, 3))).toBe('done')
  expect(done).toEqual([1, 2, 3])
})

test('work can be done beside other work, and tells each step', async () => {
  const done: number[] = []
  const progress: number[] = []
  const others: number[] = []
  const work = runYielding(counting(done, 20), { clocks: slowClock(), each: step => progress.push(step) })
  let isOver = false
  void work.then(() => {
    isOver = true
  })
  while (!isOver) {
    others.push(done.length)
    await yieldToEventLoop()
  }
  expect(await work).toBe('done')
  expect(progress).toEqual(done)
  expect(others.filter(count => count < 20).length).toBeGreaterThan(2)
})

test('work can be called off between two steps', async () => {
  const done: number[] = []
  const controller = new AbortController()
  const work = runYielding(counting(done, 1000), { clocks: slowClock(), signal: controller.signal })
  controller.abort()
  await expect(work).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  expect(done.length).toBeLessThan(1000)
})

test('work that throws ends with what it threw', async () => {
  function* failing(): Steps {
    yield 1
    throw new Error('no more')
  }
  expect(() => runAtOnce(failing())).toThrow('no more')
  await expect(runYielding(failing(), { clocks: slowClock() })).rejects.toThrow('no more')
})
