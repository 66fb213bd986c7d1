/**
 * The check that the sequences of each idempotent producer are consecutive in a log. Compaction, retention and the expiration
 * of producers leave gaps, so a gap is a problem only if no offset is missing in it. A lower sequence or epoch is a problem
 * in any case, unless the producer expired before it.
 */
import { settings } from '../../config/tables/broker.ts'
import type { ProducerEntry } from '../../idempotence/producer-snapshot.ts'
import {
  decrementSequence,
  incrementSequence,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  type RecordBatch
} from '../../protocol/records/batch.ts'

interface Chain {
  readonly epoch: number
  /** Undefined if any sequence may follow. */
  readonly lastSequence: number | undefined
  readonly lastOffset: bigint
  /** Last offset of the last batch with a sequence. Markers have none. */
  readonly lastDataOffset: bigint | undefined
  readonly timestamp: bigint
}

/** The limit of producers. Above it the producer with the oldest last batch is dropped. */
const MOST_PRODUCERS = 100_000
/**
 * A producer without batches for this time has expired and may begin with any sequence. The log does not record the setting of
 * its broker, so the default is used.
 */
const EXPIRATION_MS = BigInt(settings['producer.id.expiration.ms'].byDefault.value)
/** Half of all sequence numbers. A distance of at least this counts as a lower sequence. */
const HALF = 2 ** 30

export class SequenceChains {
  readonly #chains = new Map<bigint, Chain>()
  readonly #kind: 'numbered' | 'not numbered'
  /** No offset from this one to the current one is missing. */
  #denseFrom = 0n

  /** `not numbered` for batches that a coordinator writes with the id of a producer: all of them have base sequence 0. */
  constructor(kind: 'numbered' | 'not numbered') {
    this.#kind = kind
  }

  /** Records that offsets before `offset` are missing. */
  gapBefore(offset: bigint): void {
    this.#denseFrom = offset
  }

  /** Adds the next batch. Returns its problem, if there is one. */
  add(batch: RecordBatch): string | undefined {
    const { producerId, producerEpoch: epoch, baseSequence } = batch
    if (producerId === NO_PRODUCER_ID) return undefined
    const chain = this.#chains.get(producerId)
    const numbered = baseSequence !== NO_SEQUENCE && this.#kind === 'numbered'
    const wrong = chain && this.#wrong(chain, batch)
    // A marker keeps the sequence of its producer, unless it bumps the epoch.
    const same = chain?.epoch === epoch ? chain : undefined
    const lastSequence = numbered ? batch.lastSequence : same?.lastSequence
    const { lastOffset, maxTimestamp: timestamp } = batch
    const lastDataOffset = numbered ? lastOffset : same?.lastDataOffset
    this.#chains.delete(producerId)
    this.#chains.set(producerId, { epoch, lastSequence, lastOffset, lastDataOffset, timestamp })
    this.#forgetOldest()
    return wrong
  }

  /** Returns the problem of a snapshot entry, if there is one. All batches before the snapshot must have been added. */
  wrongIn({ producerId, producerEpoch, lastOffset, lastSequence }: ProducerEntry): string | undefined {
    const chain = this.#chains.get(producerId)
    // The batches of this producer are not in the log any more.
    if (!chain) return undefined
    const subject = `producer ${producerId}`
    const mustBeThere = chain.lastOffset >= this.#denseFrom
    if (producerEpoch < chain.epoch || (producerEpoch > chain.epoch && mustBeThere)) {
      return `${subject} has epoch ${producerEpoch}, but epoch ${chain.epoch} in the log`
    }
    const { lastDataOffset } = chain
    if (producerEpoch > chain.epoch || lastDataOffset === undefined) return undefined
    if (lastOffset < lastDataOffset || (lastOffset > lastDataOffset && lastOffset >= this.#denseFrom)) {
      return `${subject} has the last offset ${lastOffset}, but ${lastDataOffset} in the log`
    }
    if (lastOffset > lastDataOffset || lastSequence === chain.lastSequence) return undefined
    return `${subject} has the last sequence ${lastSequence}, but ${chain.lastSequence} in the log`
  }

  #wrong(chain: Chain, { producerId, producerEpoch, baseSequence, maxTimestamp }: RecordBatch): string | undefined {
    const subject = `producer ${producerId}`
    if (maxTimestamp - chain.timestamp >= EXPIRATION_MS) return undefined
    if (producerEpoch < chain.epoch) return `${subject} has epoch ${producerEpoch} after epoch ${chain.epoch}`
    if (baseSequence === NO_SEQUENCE || chain.lastSequence === undefined) return undefined
    const isDense = chain.lastOffset >= this.#denseFrom
    if (producerEpoch > chain.epoch) {
      if (baseSequence === 0 || !isDense) return undefined
      return `${subject} begins epoch ${producerEpoch} with sequence ${baseSequence}, expected 0`
    }
    const expected = incrementSequence(chain.lastSequence, 1)
    if (baseSequence === expected) return undefined
    const isBehind = decrementSequence(baseSequence, expected) >= HALF
    return isDense || isBehind ? `${subject} has sequence ${baseSequence}, expected ${expected}` : undefined
  }

  #forgetOldest(): void {
    if (this.#chains.size <= MOST_PRODUCERS) return
    for (const oldest of this.#chains.keys()) {
      this.#chains.delete(oldest)
      return
    }
  }
}
