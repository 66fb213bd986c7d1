/**
 * What one partition knows of its producers: epoch and the last five batches of each, to recognise a retry and to
 * refuse a gap (KIP-98, KIP-360), and their open transactions (KIP-890). Checking and recording are apart: the checks
 * decide before the append, `record` and `mark` take in what the log holds, live and on replay alike.
 */
import type { EndTxnMarker } from '../protocol/records/control.ts'
import { type CompletedTxn, OngoingTransactions } from './ongoing-transactions.ts'
import {
  type AppendedBatch,
  checkEpoch,
  checkMarker,
  checkMix,
  checkSequence,
  type Producer,
  type ProducerBatch,
  repeatedBy,
  UNKNOWN,
  type VerificationState
} from './producer.ts'
import type { ProducerEntry } from './producer-snapshot.ts'

/** How many batches of a producer are remembered: as many as a client may have in flight. */
const REMEMBERED_BATCHES = 5
const NO_BATCH = { lastSequence: -1, lastOffset: -1n, offsetDelta: 0 }

export class ProducerStates {
  readonly #producers = new Map<bigint, Producer>()
  readonly #verification = new Map<bigint, VerificationState>()
  readonly #transactions = new OngoingTransactions()

  /** How many producers are remembered. */
  get size(): number {
    return this.#producers.size
  }

  /** The first offset that is not decided for readers who may see what lies before `highWatermark`. */
  firstUnstableOffset(highWatermark: bigint): bigint | undefined {
    return this.#transactions.firstUnstable(highWatermark)
  }

  /** The ends of transactions before `highWatermark` are safe. */
  settle(highWatermark: bigint): void {
    this.#transactions.settle(highWatermark)
  }

  /** Whether a producer has a transaction open; of exactly this epoch, where one is named. */
  hasOpenTransaction(producerId: bigint, epoch?: number): boolean {
    const producer = this.#of(producerId)
    return producer.txnFirstOffset !== undefined && (epoch === undefined || producer.epoch === epoch)
  }

  /**
   * The batch that `batch` repeats, if it is a retry of one of the producer's last five: the caller answers with that
   * one's offset and appends nothing.
   */
  repeated(batch: ProducerBatch): AppendedBatch | undefined {
    return repeatedBy(batch, this.#of(batch.producerId))
  }

  /**
   * Notes that the coordinator is about to be asked whether a transactional batch may be the first of its transaction
   * here. Throws INVALID_PRODUCER_EPOCH.
   */
  startVerification(batch: ProducerBatch, bumpsEpochs: boolean, now: number): void {
    const { producerId, producerEpoch: epoch, baseSequence } = batch
    checkEpoch(batch, this.#of(producerId))
    const entry = this.#verification.get(producerId) ?? {
      epoch,
      lowestSequence: baseSequence,
      bumpsEpochs,
      sinceMs: now
    }
    if (epoch < entry.epoch) return
    const lowestSequence = epoch > entry.epoch ? baseSequence : Math.min(entry.lowestSequence, baseSequence)
    this.#verification.set(producerId, { ...entry, epoch, lowestSequence })
  }

  /**
   * Decides about a client's batch that is about to be appended. Throws INVALID_PRODUCER_EPOCH,
   * OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE.
   */
  check(batch: ProducerBatch): void {
    const producer = this.#of(batch.producerId)
    checkEpoch(batch, producer)
    checkSequence(batch, producer, this.#verification.get(batch.producerId))
    checkMix(batch, producer)
  }

  /** As `check`, for what a coordinator writes in a producer's name: such batches carry no sequences. */
  checkFromCoordinator(batch: ProducerBatch): void {
    const producer = this.#of(batch.producerId)
    checkEpoch(batch, producer)
    checkMix(batch, producer)
  }

  /** Decides about a marker. Throws INVALID_PRODUCER_EPOCH and TRANSACTION_COORDINATOR_FENCED for one that comes late. */
  checkMarker(marker: EndTxnMarker, transactionVersion: number): void {
    checkMarker(marker, this.#of(marker.producerId), transactionVersion)
  }

  /** Takes in a batch with its offsets as they stand in the log. */
  record(batch: ProducerBatch): void {
    const { producerId, producerEpoch, lastSequence, lastOffset, maxTimestamp: timestamp } = batch
    const producer = this.#inEpoch(producerId, producerEpoch)
    const appended = { lastSequence, lastOffset, offsetDelta: batch.lastOffsetDelta, timestamp }
    const batches = [...producer.batches.slice(1 - REMEMBERED_BATCHES), appended]
    const txnFirstOffset = producer.txnFirstOffset ?? (batch.isTransactional ? batch.baseOffset : undefined)
    this.#producers.set(producerId, { ...producer, batches, lastTimestamp: timestamp, txnFirstOffset })
    if (!batch.isTransactional) return
    this.#verification.delete(producerId)
    if (producer.txnFirstOffset === undefined) this.#transactions.begin(producerId, batch.baseOffset)
  }

  /** Takes in a marker at `offset`. Gives the transaction it ends, undefined where none is open. */
  mark(marker: EndTxnMarker, offset: bigint): CompletedTxn | undefined {
    const { producerId, producerEpoch, coordinatorEpoch, result, timestamp: lastTimestamp } = marker
    const producer = this.#inEpoch(producerId, producerEpoch)
    const { txnFirstOffset: firstOffset } = producer
    this.#producers.set(producerId, { ...producer, coordinatorEpoch, lastTimestamp, txnFirstOffset: undefined })
    // A client of KIP-890 may have asked for its next transaction, in the marker's epoch, before the marker came.
    const verification = this.#verification.get(producerId)
    if (verification && !(verification.bumpsEpochs && verification.epoch === producerEpoch))
      this.#verification.delete(producerId)
    if (firstOffset === undefined) return undefined
    const lastStableOffset = this.#transactions.end(firstOffset, offset)
    return { producerId, firstOffset, lastOffset: offset, result, lastStableOffset }
  }

  /**
   * Whether a batch is what is newest of its producer, and so the one that a log must keep a trace of: the last with
   * data, or where there is none of this epoch the marker that tells of the epoch.
   */
  isLast({ producerId, producerEpoch, lastOffset, isControl }: ProducerBatch): boolean {
    const { epoch, batches } = this.#of(producerId)
    const last = batches.at(-1)
    return last ? last.lastOffset === lastOffset : isControl && producerEpoch === epoch
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
    for (const entry of entries) this.#producers.set(entry.producerId, restored(entry))
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
    for (const [producerId, { sinceMs }] of this.#verification) {
      if (sinceMs <= now - expirationMs) this.#verification.delete(producerId)
    }
  }

  #of(producerId: bigint): Producer {
    return this.#producers.get(producerId) ?? UNKNOWN
  }

  /** The producer, known from now on to be in this epoch; what was of an older one is forgotten. */
  #inEpoch(producerId: bigint, epoch: number): Producer {
    const producer = this.#of(producerId)
    return producer.epoch === epoch ? producer : { ...producer, epoch, batches: [] }
  }
}

function restored({ lastOffset, timestamp, currentTxnFirstOffset, ...entry }: ProducerEntry): Producer {
  const { producerEpoch: epoch, lastSequence, offsetDelta, coordinatorEpoch } = entry
  return {
    epoch,
    batches: lastOffset < 0n ? [] : [{ lastSequence, lastOffset, offsetDelta, timestamp }],
    lastTimestamp: timestamp,
    coordinatorEpoch,
    txnFirstOffset: currentTxnFirstOffset < 0n ? undefined : currentTxnFirstOffset
  }
}
