/**
 * One partition as its leader serves it: the log, what it knows of producers, and who waits for it.
 * The log knows no producers' rules and producers no log: this is where the two meet.
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
  /** The broker's time for LogAppendTime topics, else -1. */
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
        // Readers do not wait for more in a segment that is full.
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

  /** Leads in this epoch, which comes from the metadata image. It is known to the log before its first record. */
  lead(epoch: number): void {
    if (epoch === this.#leaderEpoch) return
    if (this.log.leaderEpochs.latest?.epoch !== epoch) this.log.beginLeaderEpoch(epoch)
    this.#leaderEpoch = epoch
  }

  /** Throws when the client's leader epoch is behind ours (FENCED) or ahead of it (UNKNOWN). */
  checkLeaderEpoch(currentLeaderEpoch: number): void {
    if (currentLeaderEpoch === ANY_EPOCH || currentLeaderEpoch === this.leaderEpoch) return
    const code = currentLeaderEpoch < this.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
    throw new KafkaError(code, `the leader epoch of ${this.topic}-${this.index} is ${this.leaderEpoch}`)
  }

  /**
   * Validates and appends one batch of a client; a retry of a known batch appends nothing and gets the first answer again.
   * Throws the KafkaError of the check that failed; then nothing has changed.
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

  /** What is known of the partition's producers. */
  producers(): ProducerEntry[] {
    return this.#producers.states.entries()
  }

  /** Whether a producer has a transaction open here; of exactly this epoch, where one is named. */
  hasOpenTransaction(producerId: bigint, epoch?: number): boolean {
    return this.#producers.states.hasOpenTransaction(producerId, epoch)
  }

  /**
   * Whether a client's transactional batch may only be appended once its coordinator has agreed: it would be the first
   * of its transaction here. Throws INVALID_PRODUCER_EPOCH.
   */
  needsVerification(batch: RecordBatch, bumpsEpochs: boolean, now: number): boolean {
    const { states } = this.#producers
    if (states.hasOpenTransaction(batch.producerId, batch.producerEpoch)) return false
    states.startVerification(batch, bumpsEpochs, now)
    return true
  }

  /** Ends a producer's transaction here. Throws as ProducerStates.checkMarker and PartitionLog.append. */
  end(marker: EndTxnMarker, transactionVersion: number): void {
    this.#producers.states.checkMarker(marker, transactionVersion)
    this.log.append(buildEndTxnMarker(marker), this.leaderEpoch)
  }

  /** Forgets producers that have been silent for `expirationMs`. */
  expireProducers(now: number, expirationMs: number): void {
    this.#producers.states.expire(now, expirationMs)
  }

  /**
   * Appends records of a coordinator as one batch, in the transaction of a producer where one is named. Throws as
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
 * When bytes arrive for readers of committed data: with their append where no transaction is open, else all at once
 * with the marker that makes them stable. An open transaction alone wakes nobody, however much is appended beside it.
 */
class StableArrivals {
  readonly #log: PartitionLog
  readonly #waiting: Watchers
  #stableOffset: bigint
  #highWatermark: bigint

  /** The log's observer can tell by now what is stable. */
  constructor(log: PartitionLog, waiting: Watchers) {
    this.#log = log
    this.#waiting = waiting
    this.#stableOffset = log.lastStableOffset
    this.#highWatermark = log.highWatermark
  }

  /** So many bytes more lie before the high watermark. */
  arrived(bytes: number): void {
    const from = this.#stableOffset
    const wasAllStable = from === this.#highWatermark
    const { lastStableOffset: to, highWatermark } = this.#log
    this.#stableOffset = to
    this.#highWatermark = highWatermark
    if (to === from || this.#waiting.isEmpty) return
    // Readers do not wait for more in a segment that is full.
    if (!this.#log.reader.areInOneSegment(from, to)) this.#waiting.completeAll()
    else this.#waiting.arrived(wasAllStable && to === highWatermark ? bytes : this.#log.reader.bytesBetween(from, to))
  }
}
