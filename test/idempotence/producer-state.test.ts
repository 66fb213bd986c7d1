import { describe, expect, it } from 'vitest'
import type { ProducerBatch } from '../../src/idempotence/producer.ts'
import { ProducerStates } from '../../src/idempotence/producer-state.ts'
import { decrementSequence, incrementSequence } from '../../src/protocol/records/batch.ts'
import type { EndTxnMarker } from '../../src/protocol/records/control.ts'

const batch = (changes: Partial<ProducerBatch> & { baseSequence: number }, count = 1): ProducerBatch => ({
  producerId: 7n,
  producerEpoch: 0,
  lastSequence: incrementSequence(changes.baseSequence, count - 1),
  lastOffset: BigInt(changes.baseSequence + count - 1),
  lastOffsetDelta: count - 1,
  baseOffset: BigInt(changes.baseSequence),
  maxTimestamp: 1000n,
  isTransactional: false,
  isControl: false,
  ...changes
})

const statesAfter = (...batches: ProducerBatch[]): ProducerStates => {
  const states = new ProducerStates()
  for (const batch of batches) states.record(batch)
  return states
}

describe('sequence numbers', () => {
  it('sequence numbers wrap to 0 after 2^31-1, in both directions', () => {
    expect(incrementSequence(2_147_483_647, 1)).toBe(0)
    expect(incrementSequence(2_147_483_646, 4)).toBe(2)
    expect(decrementSequence(0, 1)).toBe(2_147_483_647)
    expect(decrementSequence(2, 4)).toBe(2_147_483_646)
  })
})

describe('producer states', () => {
  it('an unknown producer is accepted at any sequence', () => {
    expect(() => new ProducerStates().check(batch({ baseSequence: 41 }))).not.toThrow()
  })

  it('an epoch below -1 counts as old, though the producer is unknown', () => {
    expect(() => new ProducerStates().check(batch({ producerEpoch: -3, baseSequence: 0 }))).toThrow(
      expect.objectContaining({ code: 'INVALID_PRODUCER_EPOCH' })
    )
  })

  it('a producer without an epoch may have gaps in its sequences', () => {
    const states = statesAfter(batch({ producerEpoch: -1, baseSequence: 0 }, 2))
    expect(() => states.check(batch({ producerEpoch: -1, baseSequence: 9 }))).not.toThrow()
  })

  it('the next sequence is accepted and a gap is refused', () => {
    const states = statesAfter(batch({ baseSequence: 0 }, 3))
    expect(() => states.check(batch({ baseSequence: 3 }))).not.toThrow()
    expect(() => states.check(batch({ baseSequence: 4 }))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    )
  })

  it('a retry of any of the last five batches is a duplicate, and a retry of an older batch is not', () => {
    const sent = [0, 1, 2, 3, 4, 5].map(baseSequence => batch({ baseSequence }))
    const states = statesAfter(...sent)
    for (const retry of sent.slice(1)) expect(states.repeated(retry)?.lastOffset).toBe(retry.lastOffset)
    expect(() => states.check(batch({ baseSequence: 0 }))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    )
  })

  it('a batch that only overlaps an earlier one is a gap and not a duplicate', () => {
    const states = statesAfter(batch({ baseSequence: 0 }, 3))
    expect(states.repeated(batch({ baseSequence: 0 }, 2))).toBeUndefined()
    expect(() => states.check(batch({ baseSequence: 0 }, 2))).toThrow()
  })

  it('sequences continue after the wrap to 0', () => {
    const states = statesAfter(batch({ baseSequence: 2_147_483_646 }, 3))
    expect(states.repeated(batch({ baseSequence: 2_147_483_646 }, 3))).toBeDefined()
    expect(() => states.check(batch({ baseSequence: 1 }))).not.toThrow()
  })

  it('a higher epoch must start at sequence 0, and fences the lower epoch', () => {
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

  it('a producer that is idle for the expiration time is removed', () => {
    const states = statesAfter(batch({ baseSequence: 0, maxTimestamp: 1000n }))
    states.expire(1999, 1000)
    expect(states.size).toBe(1)
    states.expire(2000, 1000)
    expect(states.size).toBe(0)
  })
})

const NOW = 5000

/** A transaction marker of a producer. */
const marker = (changes: Partial<EndTxnMarker> = {}): EndTxnMarker => ({
  producerId: 7n,
  producerEpoch: 0,
  coordinatorEpoch: 3,
  result: 'COMMIT',
  timestamp: 2000n,
  ...changes
})

/** A transactional batch of one record. */
const part = (baseSequence: number, baseOffset: bigint, changes: Partial<ProducerBatch> = {}): ProducerBatch =>
  batch({ baseSequence, baseOffset, lastOffset: baseOffset, isTransactional: true, ...changes })

const refusal = (code: string) => expect.objectContaining({ code })

describe('transactions', () => {
  it('the oldest open transaction holds back the last stable offset', () => {
    const states = statesAfter(part(0, 10n), part(0, 11n, { producerId: 8n }), part(1, 12n))
    expect(states.firstUnstableOffset(20n)).toBe(10n)
    expect(states.mark(marker(), 13n)).toEqual({
      producerId: 7n,
      firstOffset: 10n,
      lastOffset: 13n,
      result: 'COMMIT',
      lastStableOffset: 11n
    })
    expect(states.firstUnstableOffset(20n)).toBe(11n)
    expect(states.mark(marker({ producerId: 8n }), 14n)).toMatchObject({ lastStableOffset: 15n })
    expect(states.firstUnstableOffset(20n)).toBeUndefined()
  })

  it('a transaction holds back the last stable offset until its marker is below the high watermark', () => {
    const states = statesAfter(part(0, 10n))
    states.mark(marker(), 11n)
    expect(states.firstUnstableOffset(11n)).toBe(10n)
    states.record(part(1, 12n))
    expect(states.firstUnstableOffset(11n)).toBe(10n)
    expect(states.firstUnstableOffset(12n)).toBe(12n)
  })

  it('a transaction ends once, and another marker has no effect', () => {
    const states = statesAfter(part(0, 10n))
    states.mark(marker(), 11n)
    expect(states.mark(marker(), 12n)).toBeUndefined()
    expect(states.hasOpenTransaction(7n)).toBe(false)
  })

  it('a transaction refuses non-transactional batches of its producer', () => {
    const states = statesAfter(part(0, 10n))
    expect(() => states.check(batch({ baseSequence: 1 }))).toThrow(refusal('INVALID_TXN_STATE'))
    expect(() => states.check(part(1, 11n))).not.toThrow()
  })

  it('a marker of an old epoch or coordinator epoch is refused', () => {
    const states = statesAfter(part(0, 10n, { producerEpoch: 4 }))
    expect(() => states.checkMarker(marker({ producerEpoch: 3 }), 0)).toThrow(refusal('INVALID_PRODUCER_EPOCH'))
    states.mark(marker({ producerEpoch: 4 }), 11n)
    const late = marker({ producerEpoch: 4, coordinatorEpoch: 2 })
    expect(() => states.checkMarker(late, 0)).toThrow(refusal('TRANSACTION_COORDINATOR_FENCED'))
  })

  it('a transaction of KIP-890 ends in the next epoch, and accepts its marker twice', () => {
    const states = statesAfter(part(0, 10n))
    expect(() => states.checkMarker(marker(), 2)).toThrow(refusal('INVALID_PRODUCER_EPOCH'))
    states.mark(marker({ producerEpoch: 1 }), 11n)
    expect(() => states.checkMarker(marker({ producerEpoch: 1 }), 2)).not.toThrow()
    expect(() => states.checkMarker(marker(), 2)).toThrow(refusal('INVALID_PRODUCER_EPOCH'))
  })

  it('an open transaction keeps its producer from expiration', () => {
    const states = statesAfter(part(0, 10n), batch({ producerId: 8n, baseSequence: 0 }))
    states.expire(NOW, 1)
    expect(states.entries().map(({ producerId }) => producerId)).toEqual([7n])
    states.mark(marker(), 11n)
    states.expire(NOW, 1)
    expect(states.size).toBe(0)
  })

  it('open transactions are unchanged after a snapshot is loaded', () => {
    const states = statesAfter(part(0, 12n, { producerId: 9n }), part(0, 13n), part(1, 14n))
    states.mark(marker({ producerId: 8n, producerEpoch: 2 }), 15n)
    const entries = states.entries()
    expect(entries.map(entry => entry.currentTxnFirstOffset)).toEqual([12n, 13n, -1n])
    expect(entries.at(-1)).toMatchObject({ producerEpoch: 2, coordinatorEpoch: 3, lastOffset: -1n, timestamp: 2000n })
    const again = new ProducerStates()
    again.restore(entries.toReversed())
    expect(again.firstUnstableOffset(99n)).toBe(12n)
    expect(again.mark(marker({ producerId: 9n }), 16n)).toMatchObject({ firstOffset: 12n, lastStableOffset: 13n })
    expect(() => again.checkMarker(marker({ producerId: 8n, producerEpoch: 1 }), 0)).toThrow(
      refusal('INVALID_PRODUCER_EPOCH')
    )
  })
})

describe("transaction verification of a producer's first batch", () => {
  const outOfOrder = refusal('OUT_OF_ORDER_SEQUENCE_NUMBER')
  const sent = (baseSequence: number, producerEpoch = 1) => part(baseSequence, 10n, { producerEpoch })

  function verification(...questions: readonly { batch: ProducerBatch; bumpsEpochs?: boolean }[]): ProducerStates {
    const states = new ProducerStates()
    for (const { batch: question, bumpsEpochs = false } of questions) states.startVerification(question, bumpsEpochs, 0)
    return states
  }

  it('a verified transaction begins with the lowest sequence of its verification requests', () => {
    const states = verification({ batch: sent(4) }, { batch: sent(2) }, { batch: sent(3) })
    expect(() => states.check(sent(3))).toThrow(outOfOrder)
    expect(() => states.check(sent(2))).not.toThrow()
  })

  it('a verification starts again for a higher epoch, and ignores requests of a lower epoch', () => {
    const states = verification({ batch: sent(2) }, { batch: sent(1, 0) }, { batch: sent(5) })
    expect(() => states.check(sent(5))).toThrow(outOfOrder)
    expect(() => states.check(sent(2))).not.toThrow()
    states.startVerification(sent(5, 2), false, 0)
    expect(() => states.check(sent(5, 2))).not.toThrow()
  })

  it('a transaction begins with sequence 0 if its first verification request supports KIP-890, even if later ones do not', () => {
    const states = verification({ batch: sent(3), bumpsEpochs: true }, { batch: sent(3) })
    expect(() => states.check(sent(3))).toThrow(outOfOrder)
    expect(() => verification({ batch: sent(3) }, { batch: sent(3), bumpsEpochs: true }).check(sent(3))).not.toThrow()
  })

  it('a verification starts again after a batch was appended', () => {
    const states = verification({ batch: sent(2) })
    states.record(sent(2))
    states.startVerification(sent(3), false, 0)
    expect(() => states.check(sent(3))).not.toThrow()
  })
})

describe('the last batch of a producer, which compaction keeps', () => {
  const control = { isControl: true, baseSequence: -1, lastSequence: -1 }

  it('the last batch of a producer is one with data, even if a marker follows', () => {
    const states = statesAfter(part(0, 10n), part(1, 11n))
    states.mark(marker(), 12n)
    expect(states.isLast(part(0, 10n))).toBe(false)
    expect(states.isLast(part(1, 11n))).toBe(true)
    expect(states.isLast(part(-1, 12n, control))).toBe(false)
  })

  it('the last batch of a producer is a marker if the epoch has no data', () => {
    const states = statesAfter(part(0, 10n))
    states.mark(marker({ producerEpoch: 1 }), 11n)
    expect(states.isLast(part(0, 10n))).toBe(false)
    expect(states.isLast(part(-1, 11n, { ...control, producerEpoch: 1 }))).toBe(true)
    expect(states.isLast(part(-1, 5n, { ...control, producerEpoch: 0 }))).toBe(false)
    expect(states.isLast(part(-1, 11n, { ...control, producerId: 99n }))).toBe(false)
  })
})
