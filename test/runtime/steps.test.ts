import { expect, test } from 'vitest'
import { type Clock, nextTurn } from '../../src/runtime/clock.ts'
import { finishFairly, finishNow, type Steps } from '../../src/runtime/steps.ts'

/** Every look at it takes a while. */
function slowClock(): Clock {
  let nowMs = 0
  return { now: () => (nowMs += 3), at: () => ({ cancel: () => {} }) }
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
  expect(finishNow(counting(done, 3))).toBe('done')
  expect(done).toEqual([1, 2, 3])
})

test('work can be done beside other work, and tells each step', async () => {
  const done: number[] = []
  const told: number[] = []
  const others: number[] = []
  const work = finishFairly(counting(done, 20), { clock: slowClock(), each: step => told.push(step) })
  let isOver = false
  void work.then(() => {
    isOver = true
  })
  while (!isOver) {
    others.push(done.length)
    await nextTurn()
  }
  expect(await work).toBe('done')
  expect(told).toEqual(done)
  expect(others.filter(count => count < 20).length).toBeGreaterThan(2)
})

test('work can be called off between two steps', async () => {
  const done: number[] = []
  const controller = new AbortController()
  const work = finishFairly(counting(done, 1000), { clock: slowClock(), signal: controller.signal })
  controller.abort()
  await expect(work).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  expect(done.length).toBeLessThan(1000)
})

test('work that throws ends with what it threw', async () => {
  function* failing(): Steps {
    yield 1
    throw new Error('no more')
  }
  expect(() => finishNow(failing())).toThrow('no more')
  await expect(finishFairly(failing(), { clock: slowClock() })).rejects.toThrow('no more')
})
