import { describe, expect, it } from 'vitest'
import { type ProducerBatch, ProducerStates } from '../../src/idempotence/producer-state.ts'
import { decrementSequence } from '../../src/idempotence/sequence.ts'
import { incrementSequence } from '../../src/protocol/records/batch.ts'

const batch = (changes: Partial<ProducerBatch> & { baseSequence: number }, count = 1): ProducerBatch => ({
  producerId: 7n,
  producerEpoch: 0,
  lastSequence: incrementSequence(changes.baseSequence, count - 1),
  lastOffset: BigInt(changes.baseSequence + count - 1),
  lastOffsetDelta: count - 1,
  baseOffset: BigInt(changes.baseSequence),
  maxTimestamp: 1000n,
  isTransactional: false,
  ...changes
})

const statesAfter = (...batches: ProducerBatch[]): ProducerStates => {
  const states = new ProducerStates()
  for (const one of batches) states.record(one)
  return states
}

describe('sequence numbers', () => {
  it('wrap to 0 after 2^31-1, both ways', () => {
    expect(incrementSequence(2_147_483_647, 1)).toBe(0)
    expect(incrementSequence(2_147_483_646, 4)).toBe(2)
    expect(decrementSequence(0, 1)).toBe(2_147_483_647)
    expect(decrementSequence(2, 4)).toBe(2_147_483_646)
  })
})

describe('producer states', () => {
  it('accept an unknown producer at any sequence', () => {
    expect(() => new ProducerStates().check(batch({ baseSequence: 41 }))).not.toThrow()
  })

  it('take an epoch below -1 for an old one, though the producer is unknown', () => {
    expect(() => new ProducerStates().check(batch({ producerEpoch: -3, baseSequence: 0 }))).toThrow(
      expect.objectContaining({ code: 'INVALID_PRODUCER_EPOCH' })
    )
  })

  it('do not look for gaps in a producer without an epoch', () => {
    const states = statesAfter(batch({ producerEpoch: -1, baseSequence: 0 }, 2))
    expect(() => states.check(batch({ producerEpoch: -1, baseSequence: 9 }))).not.toThrow()
  })

  it('accept the next sequence and refuse a gap', () => {
    const states = statesAfter(batch({ baseSequence: 0 }, 3))
    expect(() => states.check(batch({ baseSequence: 3 }))).not.toThrow()
    expect(() => states.check(batch({ baseSequence: 4 }))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    )
  })

  it('recognise a retry of any of the last five batches, and no older one', () => {
    const sent = [0, 1, 2, 3, 4, 5].map(baseSequence => batch({ baseSequence }))
    const states = statesAfter(...sent)
    for (const retry of sent.slice(1)) expect(states.repeated(retry)?.lastOffset).toBe(retry.lastOffset)
    expect(() => states.check(batch({ baseSequence: 0 }))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    )
  })

  it('take a batch that only overlaps a known one for a gap, not for a retry', () => {
    const states = statesAfter(batch({ baseSequence: 0 }, 3))
    expect(states.repeated(batch({ baseSequence: 0 }, 2))).toBeUndefined()
    expect(() => states.check(batch({ baseSequence: 0 }, 2))).toThrow()
  })

  it('follow a producer around the end of the sequence numbers', () => {
    const states = statesAfter(batch({ baseSequence: 2_147_483_646 }, 3))
    expect(states.repeated(batch({ baseSequence: 2_147_483_646 }, 3))).toBeDefined()
    expect(() => states.check(batch({ baseSequence: 1 }))).not.toThrow()
  })

  it('let a higher epoch start at 0 only, and fence the lower one', () => {
    const states = statesAfter(batch({ baseSequence: 0, producerEpoch: 3 }))
    expect(() => states.check(batch({ baseSequence: 1, producerEpoch: 4 }))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    )
    const next = batch({ baseSequence: 0, producerEpoch: 4 })
    expect(() => states.check(next)).not.toThrow()
    states.record(next)
    expect(() => states.check(batch({ baseSequence: 1, producerEpoch: 3 }))).toThrow(
      expect.objectContaining({ code: 'INVALID_PRODUCER_EPOCH' })
    )
  })

  it('forget a producer that has been silent for the expiration time', () => {
    const states = statesAfter(batch({ baseSequence: 0, maxTimestamp: 1000n }))
    states.expire(1999, 1000)
    expect(states.size).toBe(1)
    states.expire(2000, 1000)
    expect(states.size).toBe(0)
  })
})
