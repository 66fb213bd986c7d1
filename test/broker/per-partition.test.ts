import { describe, expect, it } from 'vitest'
import { eachYielding } from '../../src/broker/per-partition.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

describe('many items with a response each', () => {
  const items = Array.from({ length: 40 }, (_, index) => index)

  it('are answered in order, and other requests are served between them', async () => {
    const clock = new ManualClock()
    let done = 0
    const answered = eachYielding(items, clock.loop, async item => {
      clock.advance(1)
      done++
      return item * 2
    })
    const seen: number[] = []
    while (done < items.length) {
      seen.push(done)
      await yieldToEventLoop()
    }
    expect(await answered).toEqual(items.map(item => item * 2))
    expect(seen.length).toBeGreaterThan(2)
  })

  it('all begin at once if they do not wait', async () => {
    let begun = 0
    const answered = eachYielding(items, new ManualClock().loop, async () => ++begun)
    expect(begun).toBe(items.length)
    await answered
  })

  it('fail together, and no failure stays unhandled', async () => {
    const clock = new ManualClock()
    const failing = eachYielding(items, clock.loop, async item => {
      clock.advance(3)
      if (item === 1) throw new Error('a bug')
    })
    await expect(failing).rejects.toThrow('a bug')
  })
})
