import { describe, expect, it } from 'vitest'
import { ProducerIds } from '../../src/idempotence/producer-ids.ts'

describe('producer ids', () => {
  it('a broker allocates a block of producer ids only when the last block is used up', () => {
    let next = 7000n
    const blocks: bigint[] = []
    const ids = new ProducerIds(() => {
      blocks.push(next)
      next += 10n
      return { firstProducerId: next - 10n, size: 2 }
    })
    expect(blocks).toEqual([])
    expect([ids.next(), ids.next(), ids.next()]).toEqual([7000n, 7001n, 7010n])
    expect(blocks).toEqual([7000n, 7010n])
  })

  it('a broker gives out no producer id while no block can be allocated, and continues afterwards', () => {
    let broken = true
    const ids = new ProducerIds(() => {
      if (broken) throw new Error('the disk is full')
      return { firstProducerId: 0n, size: 1000 }
    })
    expect(() => ids.next()).toThrow('the disk is full')
    broken = false
    expect(ids.next()).toBe(0n)
  })
})
