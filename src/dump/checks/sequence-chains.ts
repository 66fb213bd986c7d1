/**
 * Whether each idempotent producer's batches follow one another in a log. Compaction, retention and expiry tear holes
 * in these chains, so a gap counts only where no offset is missing between; going back is wrong everywhere.
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
  /** Undefined where any sequence may follow. */
  readonly lastSequence: number | undefined
  readonly lastOffset: bigint
  /** Of the last batch with a sequence; markers have none. */
  readonly lastDataOffset: bigint | undefined
  readonly timestamp: bigint
}

/** More producers than these are forgotten, the longest silent ones first. */
const MOST_PRODUCERS = 100_000
/** A producer that was silent for so long may begin with any sequence. The log does not say its broker's setting, so the default counts. */
const EXPIRATION_MS = BigInt(settings['producer.id.expiration.ms'].byDefault.value)
/** Half of all sequence numbers: what is further ahead is rather behind. */
const HALF = 2 ** 30

export class SequenceChains {
  readonly #chains = new Map<bigint, Chain>()
  readonly #kind: 'numbered' | 'not numbered'
  /** No offset is missing from here on. */
  #denseFrom = 0n

  /** What a coordinator writes in a producer's name is not numbered, though it begins with 0. */
  constructor(kind: 'numbered' | 'not numbered') {
    this.#kind = kind
  }

  /** Tells that offsets are missing before `offset`. */
  gapBefore(offset: bigint): void {
    this.#denseFrom = offset
  }

  /** Takes in the next batch; says what is wrong with it. */
  add(batch: RecordBatch): string | undefined {
    const { producerId, producerEpoch: epoch, baseSequence } = batch
    if (producerId === NO_PRODUCER_ID) return undefined
    const chain = this.#chains.get(producerId)
    const numbered = baseSequence !== NO_SEQUENCE && this.#kind === 'numbered'
    const wrong = chain && this.#wrong(chain, batch)
    // A marker ends a transaction, and what follows is of the same chain unless it raised the epoch.
    const same = chain?.epoch === epoch ? chain : undefined
    const lastSequence = numbered ? batch.lastSequence : same?.lastSequence
    const { lastOffset, maxTimestamp: timestamp } = batch
    const lastDataOffset = numbered ? lastOffset : same?.lastDataOffset
    this.#chains.delete(producerId)
    this.#chains.set(producerId, { epoch, lastSequence, lastOffset, lastDataOffset, timestamp })
    this.#forgetOldest()
    return wrong
  }

  /** What is wrong with what a snapshot says of a producer, once all batches before it have been taken in. */
  wrongIn({ producerId, producerEpoch, lastOffset, lastSequence }: ProducerEntry): string | undefined {
    const chain = this.#chains.get(producerId)
    // Batches that are not in the log any more say nothing.
    if (!chain) return undefined
    const subject = `producer ${producerId}`
    const mustBeThere = chain.lastOffset >= this.#denseFrom
    if (producerEpoch < chain.epoch || (producerEpoch > chain.epoch && mustBeThere)) {
      return `${subject} has epoch ${producerEpoch}, and in the log ${chain.epoch}`
    }
    const { lastDataOffset } = chain
    if (producerEpoch > chain.epoch || lastDataOffset === undefined) return undefined
    if (lastOffset < lastDataOffset || (lastOffset > lastDataOffset && lastOffset >= this.#denseFrom)) {
      return `${subject} ends at offset ${lastOffset}, and in the log at ${lastDataOffset}`
    }
    if (lastOffset > lastDataOffset || lastSequence === chain.lastSequence) return undefined
    return `${subject} ends with sequence ${lastSequence}, and in the log with ${chain.lastSequence}`
  }

  #wrong(chain: Chain, { producerId, producerEpoch, baseSequence, maxTimestamp }: RecordBatch): string | undefined {
    const subject = `producer ${producerId}`
    if (maxTimestamp - chain.timestamp >= EXPIRATION_MS) return undefined
    if (producerEpoch < chain.epoch) return `${subject} goes back from epoch ${chain.epoch} to ${producerEpoch}`
    if (baseSequence === NO_SEQUENCE || chain.lastSequence === undefined) return undefined
    const isDense = chain.lastOffset >= this.#denseFrom
    if (producerEpoch > chain.epoch) {
      if (baseSequence === 0 || !isDense) return undefined
      return `${subject} begins epoch ${producerEpoch} with sequence ${baseSequence}, not 0`
    }
    const expected = incrementSequence(chain.lastSequence, 1)
    if (baseSequence === expected) return undefined
    const isBehind = decrementSequence(baseSequence, expected) >= HALF
    return isDense || isBehind ? `${subject} has sequence ${baseSequence} where ${expected} should follow` : undefined
  }

  #forgetOldest(): void {
    if (this.#chains.size <= MOST_PRODUCERS) return
    for (const oldest of this.#chains.keys()) {
      this.#chains.delete(oldest)
      return
    }
  }
}
