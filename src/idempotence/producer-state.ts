/**
 * Producer state of a partition (Kafka's ProducerStateManager): epoch and last five batches of each producer, to detect
 * duplicates and sequence gaps (KIP-98, KIP-360), and ongoing transactions with their verification (KIP-890). The checks
 * run before the append and change nothing. `record` and `mark` apply appended batches, live and during replay.
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

/** The number of retained batches of a producer, equal to the limit of in-flight requests of an idempotent producer. */
const REMEMBERED_BATCHES = 5
const NO_BATCH = { lastSequence: -1, lastOffset: -1n, offsetDelta: 0 }

export class ProducerStates {
  readonly #producers = new Map<bigint, Producer>()
  readonly #verification = new Map<bigint, VerificationState>()
  readonly #transactions = new OngoingTransactions()

  /** Number of producers. */
  get size(): number {
    return this.#producers.size
  }

  /** The first unstable offset: the first offset of an open transaction or of one whose marker is not below `highWatermark`. */
  firstUnstableOffset(highWatermark: bigint): bigint | undefined {
    return this.#transactions.firstUnstable(highWatermark)
  }

  /** Removes completed transactions whose marker is below `highWatermark`. */
  settle(highWatermark: bigint): void {
    this.#transactions.settle(highWatermark)
  }

  /** True if the producer has an open transaction and, if `epoch` is given, is in that epoch. */
  hasOpenTransaction(producerId: bigint, epoch?: number): boolean {
    const producer = this.#of(producerId)
    return producer.txnFirstOffset !== undefined && (epoch === undefined || producer.epoch === epoch)
  }

  /**
   * The appended batch that `batch` duplicates, among the last five of the producer; undefined for a new batch. The caller
   * responds with the offset of the appended batch and appends nothing.
   */
  repeated(batch: ProducerBatch): AppendedBatch | undefined {
    return repeatedBy(batch, this.#of(batch.producerId))
  }

  /**
   * Starts the verification of a transactional batch that would open its transaction in this partition (KIP-890). `bumpsEpochs`
   * is true for a client of transactions V2. Throws INVALID_PRODUCER_EPOCH for a fenced epoch.
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
   * Validates a batch of a client before the append. Throws INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER or
   * INVALID_TXN_STATE.
   */
  check(batch: ProducerBatch): void {
    const producer = this.#of(batch.producerId)
    checkEpoch(batch, producer)
    checkSequence(batch, producer, this.#verification.get(batch.producerId))
    checkMix(batch, producer)
  }

  /** As `check`, for batches that a coordinator writes with the id of a producer. They carry no sequences. */
  checkFromCoordinator(batch: ProducerBatch): void {
    const producer = this.#of(batch.producerId)
    checkEpoch(batch, producer)
    checkMix(batch, producer)
  }

  /** Validates a transaction marker. Throws INVALID_PRODUCER_EPOCH or TRANSACTION_COORDINATOR_FENCED for a stale marker. */
  checkMarker(marker: EndTxnMarker, transactionVersion: number): void {
    checkMarker(marker, this.#of(marker.producerId), transactionVersion)
  }

  /** Applies an appended batch, which has its final offsets. */
  record(batch: ProducerBatch): void {
    const {
      producerId,
      producerEpoch: epoch,
      lastSequence,
      lastOffset,
      isTransactional,
      maxTimestamp: timestamp
    } = batch
    const producer = this.#inEpoch(producerId, epoch)
    const appended = { lastSequence, lastOffset, offsetDelta: batch.lastOffsetDelta, timestamp }
    const batches = producer.batches.slice(1 - REMEMBERED_BATCHES)
    batches.push(appended)
    const { coordinatorEpoch } = producer
    const txnFirstOffset = producer.txnFirstOffset ?? (isTransactional ? batch.baseOffset : undefined)
    // Not a spread, which is slower: this runs for each batch.
    this.#producers.set(producerId, { epoch, batches, lastTimestamp: timestamp, coordinatorEpoch, txnFirstOffset })
    if (!isTransactional) return
    this.#verification.delete(producerId)
    if (producer.txnFirstOffset === undefined) this.#transactions.begin(producerId, batch.baseOffset)
  }

  /** Applies a transaction marker at `offset`. Returns the transaction that it completes; undefined if none is open. */
  mark(marker: EndTxnMarker, offset: bigint): CompletedTxn | undefined {
    const { producerId, producerEpoch, coordinatorEpoch, result, timestamp: lastTimestamp } = marker
    const producer = this.#inEpoch(producerId, producerEpoch)
    const { txnFirstOffset: firstOffset } = producer
    this.#producers.set(producerId, { ...producer, coordinatorEpoch, lastTimestamp, txnFirstOffset: undefined })
    // A client of transactions V2 may start the verification for its next transaction, in the epoch of the marker, before the
    // marker is appended. That verification is kept.
    const verification = this.#verification.get(producerId)
    if (verification && !(verification.bumpsEpochs && verification.epoch === producerEpoch))
      this.#verification.delete(producerId)
    if (firstOffset === undefined) return undefined
    const lastStableOffset = this.#transactions.end(firstOffset, offset)
    return { producerId, firstOffset, lastOffset: offset, result, lastStableOffset }
  }

  /**
   * True for the last data batch of a producer, or for a marker if the producer has no data batch in its current epoch.
   * Compaction keeps the header of such a batch, because it carries the last sequence and the epoch of the producer.
   */
  isLast({ producerId, producerEpoch, lastOffset, isControl }: ProducerBatch): boolean {
    const { epoch, batches } = this.#of(producerId)
    const last = batches.at(-1)
    return last ? last.lastOffset === lastOffset : isControl && producerEpoch === epoch
  }

  /** The entries of a snapshot, with only the last batch of each producer. */
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

  /** Replaces the producers and open transactions by those of a snapshot. */
  restore(entries: readonly ProducerEntry[]): void {
    this.#producers.clear()
    this.#transactions.clear()
    for (const entry of entries) this.#producers.set(entry.producerId, restored(entry))
    const open = entries.filter(({ currentTxnFirstOffset }) => currentTxnFirstOffset >= 0n)
    open.sort((a, b) => (a.currentTxnFirstOffset < b.currentTxnFirstOffset ? -1 : 1))
    for (const { producerId, currentTxnFirstOffset } of open)
      this.#transactions.begin(producerId, currentTxnFirstOffset)
  }

  /**
   * Removes producers without an open transaction whose last timestamp is at least `expirationMs` (`producer.id.expiration.ms`)
   * before `now`, and verifications that started as long ago.
   */
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

  /** The producer in this epoch. Batches of another epoch are dropped. */
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
