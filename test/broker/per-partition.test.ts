import { describe, expect, it } from 'vitest'
import { byTopic, distinct, eachYielding } from '../../src/broker/per-partition.ts'
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

describe('partitions of a request', () => {
  const ref = (topic: string, partition: number, data = '') => ({ topic, topicId: 'id', partition, data })

  it('the last of repeated partitions counts, at the position of the first', () => {
    const refs = [ref('a', 0, 'first'), ref('b', 0), ref('a', 1), ref('a', 0, 'last'), ref('b', 0, 'other')]
    expect(distinct(refs)).toEqual([ref('a', 0, 'last'), ref('b', 0, 'other'), ref('a', 1)])
  })

  it('topics of the same name with different ids have partitions of their own', () => {
    const refs = [ref('', 0, 'x'), { ...ref('', 0, 'y'), topicId: 'other' }, ref('', 0, 'z')]
    expect(distinct(refs).map(({ data }) => data)).toEqual(['z', 'y'])
  })

  it('responses are grouped by topic in the order of the first occurrence', () => {
    const grouped = byTopic([ref('b', 0, 'b0'), ref('a', 0, 'a0'), ref('b', 1, 'b1')])
    expect(grouped).toEqual([
      { topic: 'b', topicId: 'id', partitions: ['b0', 'b1'] },
      { topic: 'a', topicId: 'id', partitions: ['a0'] }
    ])
  })
})
