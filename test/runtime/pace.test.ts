import { describe, expect, it } from 'vitest'
import {
  forEachYielding,
  Pause,
  runAtOnce,
  runYielding,
  type Steps,
  waitFor,
  yieldToEventLoop
} from '../../src/runtime/pace.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** A clock on which each step takes time, so that a slice has few of them. */
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

/** Results of `count` after each yield until the work is over. */
async function countsDuring(work: Promise<unknown> | unknown, count: () => number): Promise<number[]> {
  const counts: number[] = []
  let isOver = false
  const over = Promise.resolve(work).then(() => {
    isOver = true
  })
  while (!isOver) {
    counts.push(count())
    await yieldToEventLoop()
  }
  await over
  return counts
}

describe('runAtOnce', () => {
  it('runAtOnce runs all steps and returns the result', () => {
    const done: number[] = []
    expect(runAtOnce(counting(done, 3))).toBe('done')
    expect(done).toEqual([1, 2, 3])
  })

  it('runAtOnce refuses work that waits', () => {
    function* waiting(): Steps {
      yield Promise.resolve()
    }
    expect(() => runAtOnce(waiting())).toThrow('work of runAtOnce yields no promise')
  })
})

describe('runYielding', () => {
  it('runYielding returns the result and no promise if nothing is due', () => {
    const done: number[] = []
    expect(runYielding(counting(done, 1000), { clocks: new ManualClock() })).toBe('done')
    expect(done).toHaveLength(1000)
  })

  it('runYielding yields after each slice and reports each step', async () => {
    const done: number[] = []
    const progress: number[] = []
    const work = runYielding(counting(done, 20), { clocks: slowClock(), each: step => progress.push(step) })
    const counts = await countsDuring(work, () => done.length)
    expect(await work).toBe('done')
    expect(progress).toEqual(done)
    expect(counts.filter(count => count < 20).length).toBeGreaterThan(2)
  })

  it('a yield returns whether other code has run since', async () => {
    const hasYielded: (boolean | undefined)[] = []
    function* steps(): Steps {
      hasYielded.push(yield)
      hasYielded.push(yield new Pause())
      hasYielded.push(yield)
      hasYielded.push(yield Promise.resolve())
    }
    await runYielding(steps(), { clocks: new ManualClock() })
    expect(hasYielded).toEqual([false, true, false, true])
  })

  it('runYielding rejects with the error of the work', async () => {
    function* failing(): Steps {
      yield new Pause()
      throw new Error('no more')
    }
    expect(() => runAtOnce(failing())).toThrow('no more')
    await expect(runYielding(failing(), { clocks: slowClock() })).rejects.toThrow('no more')
  })

  it('work gets the value of a promise that it waits for', async () => {
    function* reading(): Steps<string> {
      return yield* waitFor(Promise.resolve('read'))
    }
    expect(await runYielding(reading(), { clocks: new ManualClock() })).toBe('read')
  })

  it('work catches the rejection of a promise that it waits for, and continues', async () => {
    const errors: unknown[] = []
    function* writing(): Steps<string> {
      try {
        yield Promise.reject(new Error('the disk is full'))
      } catch (error) {
        errors.push(error)
      }
      yield
      return 'written later'
    }
    expect(await runYielding(writing(), { clocks: new ManualClock() })).toBe('written later')
    expect(errors).toEqual([new Error('the disk is full')])
  })

  it('a pause ends at its time', async () => {
    const clocks = new ManualClock()
    let isOver = false
    function* throttled(): Steps {
      yield new Pause(100)
      isOver = true
    }
    const work = runYielding(throttled(), { clocks })
    clocks.advance(99)
    await yieldToEventLoop()
    expect(isOver).toBe(false)
    clocks.advance(1)
    await work
    expect(isOver).toBe(true)
    expect(clocks.pendingAlarms).toBe(0)
  })
})

describe('a stop of work', () => {
  const aborted = expect.objectContaining({ name: 'AbortError' })

  it('a stop ends work between two steps, and its finally blocks run', async () => {
    const done: number[] = []
    let isClosed = false
    function* closing(): Steps {
      try {
        yield* counting(done, 1000)
      } finally {
        isClosed = true
      }
    }
    const stopping = new AbortController()
    const work = runYielding(closing(), { clocks: slowClock(), signal: stopping.signal })
    stopping.abort()
    await expect(work).rejects.toThrow(aborted)
    expect(done.length).toBeLessThan(1000)
    expect(isClosed).toBe(true)
  })

  it('a stop by a step of the work ends it after that step', () => {
    const done: number[] = []
    const stopping = new AbortController()
    const each = (step: number) => {
      if (step === 2) stopping.abort()
    }
    const run = () => runYielding(counting(done, 9), { clocks: new ManualClock(), signal: stopping.signal, each })
    expect(run).toThrow(aborted)
    expect(done).toEqual([1, 2])
  })

  it('a stop ends a pause early', async () => {
    const clocks = new ManualClock()
    function* throttled(): Steps {
      yield new Pause(1000)
    }
    const stopping = new AbortController()
    const work = runYielding(throttled(), { clocks, signal: stopping.signal })
    stopping.abort()
    await expect(work).rejects.toThrow(aborted)
    expect(clocks.pendingAlarms).toBe(0)
  })

  it('a stop waits for the promise that the work waits for', async () => {
    const order: string[] = []
    let written = () => {}
    function* writing(): Steps {
      try {
        yield new Promise<void>(resolve => {
          written = resolve
        })
        order.push('next step')
      } finally {
        order.push('closed')
      }
    }
    const stopping = new AbortController()
    const work = runYielding(writing(), { clocks: new ManualClock(), signal: stopping.signal })
    stopping.abort()
    await yieldToEventLoop()
    order.push('written')
    written()
    await expect(work).rejects.toThrow(aborted)
    expect(order).toEqual(['written', 'closed'])
  })

  it('a stop gives a late rejection to the work, which can report it, and closes it then', async () => {
    const reported: unknown[] = []
    let fail = (_: Error) => {}
    function* writing(): Steps {
      try {
        yield new Promise<void>((_, reject) => {
          fail = reject
        })
      } catch (error) {
        reported.push(error)
      }
      yield
      reported.push('next step')
    }
    const stopping = new AbortController()
    const work = runYielding(writing(), { clocks: new ManualClock(), signal: stopping.signal })
    stopping.abort()
    const error = new Error('the disk failed')
    fail(error)
    await expect(work).rejects.toThrow(aborted)
    expect(reported).toEqual([error])
  })

  it('a stop closes work that handles an error of its finally block', async () => {
    const order: string[] = []
    const cleanUp = () => {
      throw new Error('the disk failed')
    }
    function* closing(): Steps {
      try {
        try {
          yield new Pause(1000)
        } finally {
          order.push('closed')
          cleanUp()
        }
      } catch {
        order.push('handled')
      }
      yield
      order.push('next step')
    }
    const stopping = new AbortController()
    const work = runYielding(closing(), { clocks: new ManualClock(), signal: stopping.signal })
    stopping.abort()
    await expect(work).rejects.toThrow(aborted)
    expect(order).toEqual(['closed', 'handled'])
  })
})

describe('forEachYielding', () => {
  const items = Array.from({ length: 40 }, (_, index) => index)

  it('forEachYielding takes the items in order and yields after each slice', async () => {
    const done: number[] = []
    const work = forEachYielding(items, slowClock().loop, item => done.push(item))
    const counts = await countsDuring(work, () => done.length)
    expect(done).toEqual(items)
    expect(counts.filter(count => count < items.length).length).toBeGreaterThan(2)
  })

  it('forEachYielding takes all items at once if nothing is due', async () => {
    const done: number[] = []
    const work = forEachYielding(items, new ManualClock().loop, item => done.push(item))
    expect(done).toEqual(items)
    await work
  })

  it('forEachYielding waits for the promise of an item before it takes the next', async () => {
    const order: string[] = []
    await forEachYielding([1, 2], new ManualClock().loop, async item => {
      order.push(`begin ${item}`)
      await yieldToEventLoop()
      order.push(`end ${item}`)
    })
    expect(order).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2'])
  })

  it('forEachYielding rejects with the error of an item and takes no further item', async () => {
    const done: number[] = []
    const work = forEachYielding(items, new ManualClock().loop, item => {
      done.push(item)
      if (item === 3) throw new Error('no more')
    })
    await expect(work).rejects.toThrow('no more')
    expect(done).toEqual([0, 1, 2, 3])
  })
})
