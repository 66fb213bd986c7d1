/**
 * One partition as its leader serves it: connects the log, the producer state and the delayed fetches. The log does not depend on
 * producer state, nor producer state on the log.
 */

import type { DurableProducers } from '../idempotence/durable-producers.ts'
import type { AppendedBatch } from '../idempotence/producer.ts'
import type { ProducerEntry } from '../idempotence/producer-snapshot.ts'
import { Journal, type JournalRecord } from '../log/partition-log/journal.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import { type ValidationRules, validateBatch } from '../log/partition-log/validator.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { RecordBatch } from '../protocol/records/batch.ts'
import type { BatchOptions } from '../protocol/records/builder.ts'
import { buildEndTxnMarker, type EndTxnMarker } from '../protocol/records/control.ts'
import type { WallClock } from '../runtime/time.ts'
import { Watchers } from './purgatory.ts'

/** The leader epoch of a request that accepts any leader. */
export const ANY_EPOCH = -1

export interface Appended {
  readonly baseOffset: bigint
  /** The broker's time for topics with LogAppendTime, else -1. */
  readonly logAppendTimeMs: bigint
}

export class Partition {
  readonly topic: string
  readonly index: number
  readonly log: PartitionLog
  /** Delayed fetches of read_uncommitted consumers. */
  readonly fetchWatchers = new Watchers()
  /** Delayed fetches of read_committed consumers. */
  readonly committedFetchWatchers = new Watchers()
  readonly #producers: DurableProducers
  #leaderEpoch = ANY_EPOCH

  constructor(topic: string, index: number, log: PartitionLog, producers: DurableProducers, leaderEpoch: number) {
    this.topic = topic
    this.index = index
    this.log = log
    this.#producers = producers
    log.observe({
      observed: batch => producers.observed(batch),
      firstUnstableOffset: highWatermark => producers.states.firstUnstableOffset(highWatermark),
      isLastOfProducer: batch => producers.states.isLast(batch),
      arrived: bytes => {
        this.fetchWatchers.arrived(bytes)
        stable.arrived(bytes)
      },
      offline: () => this.completeDelayedFetches(),
      rolled: baseOffset => {
        producers.rolled(baseOffset)
        // Fetches do not wait for more records of a full segment.
        this.fetchWatchers.completeAll()
      },
      closing: endOffset => producers.closing(endOffset)
    })
    const stable = new StableArrivals(log, this.committedFetchWatchers)
    this.lead(leaderEpoch)
  }

  /** Completes all delayed fetches (log offline or partition deleted). */
  completeDelayedFetches(): void {
    this.fetchWatchers.completeAll()
    this.committedFetchWatchers.completeAll()
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** Sets the leader epoch from the metadata image. A new epoch is added to the log's leader epochs before its first record. */
  lead(epoch: number): void {
    if (epoch === this.#leaderEpoch) return
    if (this.log.leaderEpochs.latest?.epoch !== epoch) this.log.beginLeaderEpoch(epoch)
    this.#leaderEpoch = epoch
  }

  /**
   * Throws FENCED_LEADER_EPOCH if the client's leader epoch is older than the partition's, UNKNOWN_LEADER_EPOCH if it is newer.
   */
  checkLeaderEpoch(currentLeaderEpoch: number): void {
    if (currentLeaderEpoch === ANY_EPOCH || currentLeaderEpoch === this.leaderEpoch) return
    const code = currentLeaderEpoch < this.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
    throw new KafkaError(code, `the leader epoch of ${this.topic}-${this.index} is ${this.leaderEpoch}`)
  }

  /**
   * Validates and appends one batch of a client. A duplicate of a recent batch is not appended; it gets the first response again.
   * Throws the KafkaError of the failed check; then nothing has changed.
   */
  append(arrived: RecordBatch, rules: ValidationRules, now: number): Appended {
    const topicPartition = `${this.topic}-${this.index}`
    const batch = validateBatch({ batch: arrived, topicPartition, now, origin: 'client' }, rules)
    const { states } = this.#producers
    const repeated = batch.producerId >= 0n ? states.repeated(batch) : undefined
    if (repeated) return repeatedResponse(repeated)
    if (batch.producerId >= 0n) states.check(batch)
    const { baseOffset } = this.log.append(batch, this.leaderEpoch)
    return { baseOffset, logAppendTimeMs: batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : -1n }
  }

  /** The producers of the partition. */
  producers(): ProducerEntry[] {
    return this.#producers.states.entries()
  }

  /** True if the producer has an open transaction in this partition, with exactly this epoch if `epoch` is given. */
  hasOpenTransaction(producerId: bigint, epoch?: number): boolean {
    return this.#producers.states.hasOpenTransaction(producerId, epoch)
  }

  /**
   * True if the transaction coordinator must verify a transactional batch before it is appended: the batch is the first one of
   * its transaction in this partition. Throws INVALID_PRODUCER_EPOCH.
   */
  needsVerification(batch: RecordBatch, bumpsEpochs: boolean, now: number): boolean {
    const { states } = this.#producers
    if (states.hasOpenTransaction(batch.producerId, batch.producerEpoch)) return false
    states.startVerification(batch, bumpsEpochs, now)
    return true
  }

  /** Appends the marker of a producer's transaction. Throws as ProducerStates.checkMarker and PartitionLog.append. */
  end(marker: EndTxnMarker, transactionVersion: number): void {
    this.#producers.states.checkMarker(marker, transactionVersion)
    this.log.append(buildEndTxnMarker(marker), this.leaderEpoch)
  }

  /** Removes producers without batches for `expirationMs`. */
  expireProducers(now: number, expirationMs: number): void {
    this.#producers.states.expire(now, expirationMs)
  }

  /**
   * Appends records of a coordinator as one batch, as part of a producer's transaction if `options` has a producer. Throws as
   * PartitionLog.append and ProducerStates.checkFromCoordinator.
   */
  appendJournal(records: readonly JournalRecord[], wall: WallClock, options: BatchOptions): void {
    const journal = new Journal(this.log, wall, this.leaderEpoch)
    const batch = journal.batchOf(records, options)
    if (batch.isTransactional) this.#producers.states.checkFromCoordinator(batch)
    journal.appendBatch(batch)
  }
}

function repeatedResponse({ lastOffset, offsetDelta, timestamp }: AppendedBatch): Appended {
  return { baseOffset: lastOffset - BigInt(offsetDelta), logAppendTimeMs: timestamp }
}

/**
 * Counts the bytes that become visible to read_committed fetches. Without an open transaction an append is visible at once; else
 * the marker makes all bytes below the new last stable offset visible. While a transaction is open, appends complete no delayed
 * fetch.
 */
class StableArrivals {
  readonly #log: PartitionLog
  readonly #waiting: Watchers
  #stableOffset: bigint
  #highWatermark: bigint

  /** The log's observer must be set: `log.lastStableOffset` depends on it. */
  constructor(log: PartitionLog, waiting: Watchers) {
    this.#log = log
    this.#waiting = waiting
    this.#stableOffset = log.lastStableOffset
    this.#highWatermark = log.highWatermark
  }

  /** Handles an advance of the high watermark by `bytes`. */
  arrived(bytes: number): void {
    const from = this.#stableOffset
    const wasAllStable = from === this.#highWatermark
    const { lastStableOffset: to, highWatermark } = this.#log
    this.#stableOffset = to
    this.#highWatermark = highWatermark
    if (to === from || this.#waiting.isEmpty) return
    // Fetches do not wait for more records of a full segment.
    if (!this.#log.reader.areInOneSegment(from, to)) this.#waiting.completeAll()
    else this.#waiting.arrived(wasAllStable && to === highWatermark ? bytes : this.#log.reader.bytesBetween(from, to))
  }
}
