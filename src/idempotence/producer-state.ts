/**
 * What one partition knows of its producers: epoch and the last five batches of each, to recognise a retry and to
 * refuse a gap (KIP-98, KIP-360). Checking and recording are apart: `check` decides before the append, `record` takes
 * in what the log holds, live and on replay alike.
 */
import { KafkaError } from '../protocol/errors.ts'
import { incrementSequence } from '../protocol/records/batch.ts'
import type { ProducerEntry } from './producer-snapshot.ts'
import { decrementSequence } from './sequence.ts'

/** The part of a batch's header that idempotence looks at. */
export interface ProducerBatch {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly lastOffset: bigint
  readonly lastOffsetDelta: number
  readonly maxTimestamp: bigint
  readonly isControl: boolean
}

/** A batch that the log holds already. */
export interface AppendedBatch {
  readonly lastSequence: number
  readonly lastOffset: bigint
  readonly offsetDelta: number
  readonly timestamp: bigint
}

/** No epoch has been seen: any sequence may come. A batch that says so itself is Kafka's special case, too. */
const NO_EPOCH = -1

/** How many batches of a producer are remembered: as many as a client may have in flight. */
const REMEMBERED_BATCHES = 5

interface Producer {
  epoch: number
  /** Oldest first, all of this epoch. */
  batches: AppendedBatch[]
  lastTimestamp: bigint
}

const NO_BATCH = { lastSequence: -1, lastOffset: -1n, offsetDelta: 0 }

const UNKNOWN: Pick<Producer, 'epoch' | 'batches'> = { epoch: NO_EPOCH, batches: [] }

export class ProducerStates {
  readonly #producers = new Map<bigint, Producer>()

  /** How many producers are remembered. */
  get size(): number {
    return this.#producers.size
  }

  /**
   * Decides about a batch that is about to be appended. Returns the batch it repeats, if it is a retry; the caller
   * answers with that one's offset and appends nothing. Throws INVALID_PRODUCER_EPOCH for an epoch that has been
   * fenced, OUT_OF_ORDER_SEQUENCE_NUMBER for a gap. An unknown producer may start anywhere (KIP-360).
   */
  check(batch: ProducerBatch): AppendedBatch | undefined {
    const { producerId, producerEpoch, baseSequence } = batch
    const { epoch, batches } = this.#producers.get(producerId) ?? UNKNOWN
    const repeated = producerEpoch === epoch ? batches.find(known => repeats(batch, known)) : undefined
    if (repeated) return repeated
    if (producerEpoch < epoch) {
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `producer ${producerId} uses epoch ${producerEpoch}, but epoch ${epoch} has been seen`
      )
    }
    const expected = producerEpoch > epoch ? 0 : nextSequence(batches)
    if (baseSequence !== expected && epoch !== NO_EPOCH) {
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `producer ${producerId} sent sequence ${baseSequence} in epoch ${producerEpoch}, expected ${expected}`
      )
    }
    return undefined
  }

  /** Takes in a batch with its offsets as they stand in the log. */
  record(batch: ProducerBatch): void {
    const { producerEpoch: epoch, lastSequence, lastOffset, maxTimestamp: timestamp } = batch
    const known = this.#producers.get(batch.producerId)
    const batches = known && known.epoch === epoch ? known.batches : []
    batches.push({ lastSequence, lastOffset, offsetDelta: batch.lastOffsetDelta, timestamp })
    if (batches.length > REMEMBERED_BATCHES) batches.shift()
    this.#producers.set(batch.producerId, { epoch, batches, lastTimestamp: timestamp })
  }

  /** Whether a batch is the newest that is known of its producer. */
  isLast({ producerId, lastOffset }: Pick<ProducerBatch, 'producerId' | 'lastOffset'>): boolean {
    return this.#producers.get(producerId)?.batches.at(-1)?.lastOffset === lastOffset
  }

  /** What a snapshot keeps: of each producer the last batch alone. */
  entries(): ProducerEntry[] {
    return Array.from(this.#producers, ([producerId, { epoch, batches, lastTimestamp }]) => {
      const { lastSequence, lastOffset, offsetDelta } = batches.at(-1) ?? NO_BATCH
      return {
        producerId,
        producerEpoch: epoch,
        lastSequence,
        lastOffset,
        offsetDelta,
        timestamp: lastTimestamp,
        coordinatorEpoch: -1,
        currentTxnFirstOffset: -1n
      }
    })
  }

  /** Knows what a snapshot kept, and nothing else. */
  restore(entries: readonly ProducerEntry[]): void {
    this.#producers.clear()
    for (const { producerId, producerEpoch: epoch, lastSequence, lastOffset, offsetDelta, timestamp } of entries) {
      const batches = lastOffset < 0n ? [] : [{ lastSequence, lastOffset, offsetDelta, timestamp }]
      this.#producers.set(producerId, { epoch, batches, lastTimestamp: timestamp })
    }
  }

  /** Forgets producers that have been silent for `expirationMs` (`producer.id.expiration.ms`). */
  expire(now: number, expirationMs: number): void {
    const limit = BigInt(now - expirationMs)
    for (const [producerId, { lastTimestamp }] of this.#producers) {
      if (lastTimestamp <= limit) this.#producers.delete(producerId)
    }
  }
}

function repeats(batch: ProducerBatch, known: AppendedBatch): boolean {
  const firstSequence = decrementSequence(known.lastSequence, known.offsetDelta)
  return batch.lastSequence === known.lastSequence && batch.baseSequence === firstSequence
}

function nextSequence(batches: readonly AppendedBatch[]): number {
  const last = batches.at(-1)
  return last ? incrementSequence(last.lastSequence, 1) : 0
}
