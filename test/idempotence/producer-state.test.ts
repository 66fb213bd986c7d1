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

const NOW = 5000

/** A producer's marker. */
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
  it('make unstable what begins with the oldest open one', () => {
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

  it('stay unstable until their marker is below the high watermark', () => {
    const states = statesAfter(part(0, 10n))
    states.mark(marker(), 11n)
    expect(states.firstUnstableOffset(11n)).toBe(10n)
    states.record(part(1, 12n))
    expect(states.firstUnstableOffset(11n)).toBe(10n)
    expect(states.firstUnstableOffset(12n)).toBe(12n)
  })

  it('are ended once: another marker ends nothing', () => {
    const states = statesAfter(part(0, 10n))
    states.mark(marker(), 11n)
    expect(states.mark(marker(), 12n)).toBeUndefined()
    expect(states.hasOpenTransaction(7n)).toBe(false)
  })

  it('are not mixed with other batches of their producer', () => {
    const states = statesAfter(part(0, 10n))
    expect(() => states.check(batch({ baseSequence: 1 }))).toThrow(refusal('INVALID_TXN_STATE'))
    expect(() => states.check(part(1, 11n))).not.toThrow()
  })

  it('refuse markers of an old epoch or coordinator', () => {
    const states = statesAfter(part(0, 10n, { producerEpoch: 4 }))
    expect(() => states.checkMarker(marker({ producerEpoch: 3 }), 0)).toThrow(refusal('INVALID_PRODUCER_EPOCH'))
    states.mark(marker({ producerEpoch: 4 }), 11n)
    const late = marker({ producerEpoch: 4, coordinatorEpoch: 2 })
    expect(() => states.checkMarker(late, 0)).toThrow(refusal('TRANSACTION_COORDINATOR_FENCED'))
  })

  it('of KIP-890 end in the next epoch, and their marker may come twice', () => {
    const states = statesAfter(part(0, 10n))
    expect(() => states.checkMarker(marker(), 2)).toThrow(refusal('INVALID_PRODUCER_EPOCH'))
    states.mark(marker({ producerEpoch: 1 }), 11n)
    expect(() => states.checkMarker(marker({ producerEpoch: 1 }), 2)).not.toThrow()
    expect(() => states.checkMarker(marker(), 2)).toThrow(refusal('INVALID_PRODUCER_EPOCH'))
  })

  it('outlive the expiration of their producer', () => {
    const states = statesAfter(part(0, 10n), batch({ producerId: 8n, baseSequence: 0 }))
    states.expire(NOW, 1)
    expect(states.entries().map(({ producerId }) => producerId)).toEqual([7n])
    states.mark(marker(), 11n)
    states.expire(NOW, 1)
    expect(states.size).toBe(0)
  })

  it('come back from a snapshot as they were', () => {
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

describe('a producer whose coordinator has been asked about a first batch', () => {
  const outOfOrder = refusal('OUT_OF_ORDER_SEQUENCE_NUMBER')
  const sent = (baseSequence: number, producerEpoch = 1) => part(baseSequence, 10n, { producerEpoch })

  function verification(...questions: readonly { batch: ProducerBatch; bumpsEpochs?: boolean }[]): ProducerStates {
    const states = new ProducerStates()
    for (const { batch: question, bumpsEpochs = false } of questions) states.startVerification(question, bumpsEpochs, 0)
    return states
  }

  it('opens its transaction with the lowest sequence that was asked about', () => {
    const states = verification({ batch: sent(4) }, { batch: sent(2) }, { batch: sent(3) })
    expect(() => states.check(sent(3))).toThrow(outOfOrder)
    expect(() => states.check(sent(2))).not.toThrow()
  })

  it('begins anew in a higher epoch, and not because one of a lower epoch asks', () => {
    const states = verification({ batch: sent(2) }, { batch: sent(1, 0) }, { batch: sent(5) })
    expect(() => states.check(sent(5))).toThrow(outOfOrder)
    expect(() => states.check(sent(2))).not.toThrow()
    states.startVerification(sent(5, 2), false, 0)
    expect(() => states.check(sent(5, 2))).not.toThrow()
  })

  it('begins with sequence 0 where KIP-890 was known to the first question, whoever asks later', () => {
    const states = verification({ batch: sent(3), bumpsEpochs: true }, { batch: sent(3) })
    expect(() => states.check(sent(3))).toThrow(outOfOrder)
    expect(() => verification({ batch: sent(3) }, { batch: sent(3), bumpsEpochs: true }).check(sent(3))).not.toThrow()
  })

  it('is asked about anew once a batch has come', () => {
    const states = verification({ batch: sent(2) })
    states.record(sent(2))
    states.startVerification(sent(3), false, 0)
    expect(() => states.check(sent(3))).not.toThrow()
  })
})

describe('what compaction must keep of a producer', () => {
  const control = { isControl: true, baseSequence: -1, lastSequence: -1 }

  it('is its last batch with data, whatever marker follows', () => {
    const states = statesAfter(part(0, 10n), part(1, 11n))
    states.mark(marker(), 12n)
    expect(states.isLast(part(0, 10n))).toBe(false)
    expect(states.isLast(part(1, 11n))).toBe(true)
    expect(states.isLast(part(-1, 12n, control))).toBe(false)
  })

  it('is a marker where the epoch has no data', () => {
    const states = statesAfter(part(0, 10n))
    states.mark(marker({ producerEpoch: 1 }), 11n)
    expect(states.isLast(part(0, 10n))).toBe(false)
    expect(states.isLast(part(-1, 11n, { ...control, producerEpoch: 1 }))).toBe(true)
    expect(states.isLast(part(-1, 5n, { ...control, producerEpoch: 0 }))).toBe(false)
    expect(states.isLast(part(-1, 11n, { ...control, producerId: 99n }))).toBe(false)
  })
})
