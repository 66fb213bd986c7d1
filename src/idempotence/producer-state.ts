/**
 * What one partition knows of its producers: epoch and the last five batches of each, to recognise a retry and to
 * refuse a gap (KIP-98, KIP-360), and their open transactions (KIP-890). Checking and recording are apart: the checks
 * decide before the append, `record` and `mark` take in what the log holds, live and on replay alike.
 */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { incrementSequence } from '../protocol/records/batch.ts'
import type { Ending } from './ending.ts'
import { type CompletedTxn, OpenTransactions } from './open-transactions.ts'
import type { ProducerEntry } from './producer-snapshot.ts'
import { decrementSequence } from './sequence.ts'

/** The part of a batch's header that idempotence looks at. */
export interface ProducerBatch {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly lastOffsetDelta: number
  readonly maxTimestamp: bigint
  readonly isTransactional: boolean
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
const LARGEST_EPOCH = 32_767

/** How many batches of a producer are remembered: as many as a client may have in flight. */
const REMEMBERED_BATCHES = 5

/** From this `transaction.version` on a marker's epoch is one above that of the data (KIP-890). */
const EPOCH_BUMP_VERSION = 2

interface Producer {
  epoch: number
  /** Oldest first, all of this epoch. */
  batches: AppendedBatch[]
  lastTimestamp: bigint
  /** Of the last marker, -1 before the first. */
  coordinatorEpoch: number
  /** Where its open transaction begins. */
  txnFirstOffset: bigint | undefined
}

/**
 * A producer whose coordinator has been asked about a first batch that has not been appended yet. Of several such
 * batches only the one with the lowest sequence may open the transaction.
 */
interface Asked {
  readonly epoch: number
  readonly lowestSequence: number
  readonly bumpsEpochs: boolean
  readonly sinceMs: number
}

const NO_BATCH = { lastSequence: -1, lastOffset: -1n, offsetDelta: 0 }

const UNKNOWN: Pick<Producer, 'epoch' | 'batches' | 'txnFirstOffset'> = {
  epoch: NO_EPOCH,
  batches: [],
  txnFirstOffset: undefined
}

export class ProducerStates {
  readonly #producers = new Map<bigint, Producer>()
  readonly #asked = new Map<bigint, Asked>()
  readonly #transactions = new OpenTransactions()

  /** How many producers are remembered. */
  get size(): number {
    return this.#producers.size
  }

  /** The first offset that is not decided for readers who may see what lies before `highWatermark`. */
  firstUnstableOffset(highWatermark: bigint): bigint | undefined {
    return this.#transactions.firstUnstable(highWatermark)
  }

  /** Whether a producer has a transaction open; of exactly this epoch, where one is named. */
  hasOpenTransaction(producerId: bigint, epoch?: number): boolean {
    const producer = this.#producers.get(producerId)
    return producer?.txnFirstOffset !== undefined && (epoch === undefined || producer.epoch === epoch)
  }

  /**
   * The batch that `batch` repeats, if it is a retry of one of the producer's last five: the caller answers with that
   * one's offset and appends nothing.
   */
  repeated({ producerId, producerEpoch, baseSequence, lastSequence }: ProducerBatch): AppendedBatch | undefined {
    const { epoch, batches } = this.#producers.get(producerId) ?? UNKNOWN
    if (producerEpoch !== epoch) return undefined
    return batches.find(known => lastSequence === known.lastSequence && baseSequence === firstSequenceOf(known))
  }

  /**
   * Notes that the coordinator is about to be asked whether a transactional batch may be the first of its transaction
   * here. Throws INVALID_PRODUCER_EPOCH.
   */
  ask(batch: ProducerBatch, bumpsEpochs: boolean, now: number): void {
    const { producerId, producerEpoch: epoch, baseSequence } = batch
    this.#checkEpoch(batch)
    const known = this.#asked.get(producerId)
    const isSame = known !== undefined && known.epoch >= epoch
    const lowestSequence = isSame ? Math.min(known.lowestSequence, baseSequence) : baseSequence
    this.#asked.set(producerId, { epoch, lowestSequence, bumpsEpochs, sinceMs: isSame ? known.sinceMs : now })
  }

  /**
   * Decides about a client's batch that is about to be appended. Throws INVALID_PRODUCER_EPOCH for an epoch that has
   * been fenced, OUT_OF_ORDER_SEQUENCE_NUMBER for a gap, INVALID_TXN_STATE where it mixes with a transaction of its
   * producer. An unknown producer may start anywhere (KIP-360), unless it has just been asked about with a lower
   * sequence, or works by KIP-890: its transactions begin with sequence 0.
   */
  check(batch: ProducerBatch): void {
    const { producerId, producerEpoch, baseSequence } = batch
    const { epoch, batches } = this.#producers.get(producerId) ?? UNKNOWN
    this.#checkEpoch(batch)
    const asked = this.#asked.get(producerId)
    if (asked?.bumpsEpochs && baseSequence !== 0 && epoch === NO_EPOCH) throw outOfOrder(batch, 0)
    if (asked && baseSequence > asked.lowestSequence) throw outOfOrder(batch, asked.lowestSequence)
    const expected = producerEpoch > epoch ? 0 : nextSequence(batches)
    if (baseSequence !== expected && epoch !== NO_EPOCH) throw outOfOrder(batch, expected)
    this.#checkMix(batch)
  }

  /** As `check`, for what a coordinator writes in a producer's name: such batches carry no sequences. */
  checkFromCoordinator(batch: ProducerBatch): void {
    this.#checkEpoch(batch)
    this.#checkMix(batch)
  }

  /** Decides about a marker. Throws INVALID_PRODUCER_EPOCH and TRANSACTION_COORDINATOR_FENCED for one that comes late. */
  checkEnding({ producerId, producerEpoch, coordinatorEpoch }: Ending, transactionVersion: number): void {
    const known = this.#producers.get(producerId)
    if (!known) return
    const { epoch, txnFirstOffset } = known
    // The same marker once more ends nothing, and does no harm.
    const isRepeated = producerEpoch === epoch && (txnFirstOffset === undefined || producerEpoch === LARGEST_EPOCH)
    const least = transactionVersion >= EPOCH_BUMP_VERSION && !isRepeated ? epoch + 1 : epoch
    if (producerEpoch < least) {
      throw refused('INVALID_PRODUCER_EPOCH', producerId, `is in epoch ${epoch}, the marker in ${producerEpoch}`)
    }
    if (coordinatorEpoch < known.coordinatorEpoch) {
      const seen = `has seen coordinator epoch ${known.coordinatorEpoch}`
      throw refused('TRANSACTION_COORDINATOR_FENCED', producerId, `${seen}, the marker is of ${coordinatorEpoch}`)
    }
  }

  /** Takes in a batch with its offsets as they stand in the log. */
  record(batch: ProducerBatch): void {
    const { producerId, producerEpoch, lastSequence, lastOffset, maxTimestamp: timestamp } = batch
    const producer = this.#inEpoch(producerId, producerEpoch)
    producer.batches.push({ lastSequence, lastOffset, offsetDelta: batch.lastOffsetDelta, timestamp })
    if (producer.batches.length > REMEMBERED_BATCHES) producer.batches.shift()
    producer.lastTimestamp = timestamp
    if (!batch.isTransactional) return
    this.#asked.delete(producerId)
    if (producer.txnFirstOffset !== undefined) return
    producer.txnFirstOffset = batch.baseOffset
    this.#transactions.begin(producerId, batch.baseOffset)
  }

  /** Takes in a marker at `offset`. Gives the transaction it ends, undefined where none is open. */
  mark(
    { producerId, producerEpoch, coordinatorEpoch, isAborted, timestamp }: Ending,
    offset: bigint
  ): CompletedTxn | undefined {
    const firstOffset = this.#producers.get(producerId)?.txnFirstOffset
    const producer = this.#inEpoch(producerId, producerEpoch)
    producer.coordinatorEpoch = coordinatorEpoch
    producer.lastTimestamp = timestamp
    producer.txnFirstOffset = undefined
    // A client of KIP-890 may have asked for its next transaction, in the marker's epoch, before the marker came.
    const asked = this.#asked.get(producerId)
    if (asked && !(asked.bumpsEpochs && asked.epoch === producerEpoch)) this.#asked.delete(producerId)
    if (firstOffset === undefined) return undefined
    const lastStableOffset = this.#transactions.end(firstOffset, offset)
    return { producerId, firstOffset, lastOffset: offset, isAborted, lastStableOffset }
  }

  /** Whether a batch is the newest that is known of its producer. */
  isLast({ producerId, lastOffset }: Pick<ProducerBatch, 'producerId' | 'lastOffset'>): boolean {
    return this.#producers.get(producerId)?.batches.at(-1)?.lastOffset === lastOffset
  }

  /** What a snapshot keeps: of each producer the last batch alone. */
  entries(): ProducerEntry[] {
    return Array.from(this.#producers, ([producerId, producer]) => {
      const { lastSequence, lastOffset, offsetDelta } = producer.batches.at(-1) ?? NO_BATCH
      return {
        producerId,
        producerEpoch: producer.epoch,
        lastSequence,
        lastOffset,
        offsetDelta,
        timestamp: producer.lastTimestamp,
        coordinatorEpoch: producer.coordinatorEpoch,
        currentTxnFirstOffset: producer.txnFirstOffset ?? -1n
      }
    })
  }

  /** Knows what a snapshot kept, and nothing else. */
  restore(entries: readonly ProducerEntry[]): void {
    this.#producers.clear()
    this.#transactions.clear()
    for (const { producerId, producerEpoch: epoch, currentTxnFirstOffset, ...entry } of entries) {
      const { lastSequence, lastOffset, offsetDelta, timestamp, coordinatorEpoch } = entry
      const batches = lastOffset < 0n ? [] : [{ lastSequence, lastOffset, offsetDelta, timestamp }]
      const txnFirstOffset = currentTxnFirstOffset < 0n ? undefined : currentTxnFirstOffset
      this.#producers.set(producerId, { epoch, batches, lastTimestamp: timestamp, coordinatorEpoch, txnFirstOffset })
    }
    const open = entries.filter(({ currentTxnFirstOffset }) => currentTxnFirstOffset >= 0n)
    open.sort((a, b) => (a.currentTxnFirstOffset < b.currentTxnFirstOffset ? -1 : 1))
    for (const { producerId, currentTxnFirstOffset } of open)
      this.#transactions.begin(producerId, currentTxnFirstOffset)
  }

  /** Forgets producers without an open transaction that have been silent for `expirationMs` (`producer.id.expiration.ms`). */
  expire(now: number, expirationMs: number): void {
    const limit = BigInt(now - expirationMs)
    for (const [producerId, { lastTimestamp, txnFirstOffset }] of this.#producers) {
      if (lastTimestamp <= limit && txnFirstOffset === undefined) this.#producers.delete(producerId)
    }
    for (const [producerId, { sinceMs }] of this.#asked) {
      if (sinceMs <= now - expirationMs) this.#asked.delete(producerId)
    }
  }

  /** The producer, known from now on to be in this epoch; what was of an older one is forgotten. */
  #inEpoch(producerId: bigint, epoch: number): Producer {
    const known = this.#producers.get(producerId)
    if (known?.epoch === epoch) return known
    const unseen = { lastTimestamp: -1n, coordinatorEpoch: -1, txnFirstOffset: undefined }
    const producer = { ...unseen, ...known, epoch, batches: [] }
    this.#producers.set(producerId, producer)
    return producer
  }

  #checkEpoch({ producerId, producerEpoch }: ProducerBatch): void {
    const epoch = this.#producers.get(producerId)?.epoch ?? NO_EPOCH
    if (producerEpoch >= epoch) return
    throw refused('INVALID_PRODUCER_EPOCH', producerId, `uses epoch ${producerEpoch}, but epoch ${epoch} has been seen`)
  }

  #checkMix({ producerId, isTransactional }: ProducerBatch): void {
    if (isTransactional || !this.hasOpenTransaction(producerId)) return
    throw refused('INVALID_TXN_STATE', producerId, 'has a transaction open, and this batch is not of it')
  }
}

function outOfOrder({ producerId, producerEpoch, baseSequence }: ProducerBatch, expected: number): KafkaError {
  const sent = `sent sequence ${baseSequence} in epoch ${producerEpoch}, expected ${expected}`
  return refused('OUT_OF_ORDER_SEQUENCE_NUMBER', producerId, sent)
}

function refused(code: ErrorName, producerId: bigint, why: string): KafkaError {
  return new KafkaError(code, `producer ${producerId} ${why}`)
}

function firstSequenceOf({ lastSequence, offsetDelta }: AppendedBatch): number {
  return decrementSequence(lastSequence, offsetDelta)
}

function nextSequence(batches: readonly AppendedBatch[]): number {
  const last = batches.at(-1)
  return last ? incrementSequence(last.lastSequence, 1) : 0
}
