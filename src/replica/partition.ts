/**
 * This node's replica of a partition: its role, log, high watermark, producer state and delayed fetches. The
 * log does not depend on producer state, nor producer state on the log.
 */

import type { DurableProducers } from '../idempotence/durable-producers.ts'
import type { AppendedBatch } from '../idempotence/producer.ts'
import type { ProducerEntry } from '../idempotence/producer-snapshot.ts'
import type { BatchObserver } from '../log/partition-log/batch-observer.ts'
import { type JournalRecord, journalBatch } from '../log/partition-log/journal.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import { type ValidationRules, validateBatch } from '../log/partition-log/validator.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { RecordBatch } from '../protocol/records/batch.ts'
import type { BatchOptions } from '../protocol/records/builder.ts'
import { buildEndTxnMarker, type EndTxnMarker } from '../protocol/records/control.ts'
import type { Steps } from '../runtime/pace.ts'
import type { WallClock } from '../runtime/time.ts'
import { HighWatermark } from './high-watermark.ts'
import { Watchers } from './purgatory.ts'
import type { Role } from './role.ts'

/** The leader epoch of a request that accepts any leader. */
export const ANY_EPOCH = -1

export interface Appended {
  readonly baseOffset: bigint
  /** The broker's time for topics with LogAppendTime, else -1. */
  readonly logAppendTimeMs: bigint
}

export interface PartitionOptions {
  readonly topic: string
  readonly index: number
  readonly producers: DurableProducers
  /** Opens the log with its observer. */
  readonly openLog: (observer: BatchObserver) => PartitionLog
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
  readonly #highWatermark: HighWatermark
  #role: Role
  /** Undefined until the producer state is loaded: the last stable offset depends on it. */
  #stable: StableArrivals | undefined

  /** Opens the log. The partition can be used after `loading`. */
  constructor({ topic, index, producers, openLog }: PartitionOptions, role: Role) {
    this.topic = topic
    this.index = index
    this.#producers = producers
    this.log = openLog({
      observed: batch => producers.observed(batch),
      firstUnstableOffset: highWatermark => producers.states.firstUnstableOffset(highWatermark),
      isLastOfProducer: batch => producers.states.isLast(batch),
      flushed: () => this.#highWatermark.advance(),
      offline: why => {
        this.#highWatermark.fail(why)
        this.completeDelayedFetches()
      },
      rolled: baseOffset => {
        producers.rolled(baseOffset)
        // Fetches do not wait for more records of a full segment.
        this.fetchWatchers.completeAll()
      },
      closing: endOffset => producers.closing(endOffset)
    })
    this.#highWatermark = new HighWatermark(this.log, bytes => {
      this.fetchWatchers.arrived(bytes)
      this.#stable?.arrived(bytes)
    })
    this.#role = role
    this.#highWatermark.follow(role, () => this.#notLeader())
  }

  /** Loads the producer state. After an error it may be called again. Throws StorageError. */
  *loading(now: number, expirationMs: number): Steps {
    yield* this.#producers.loading(this.log, now, expirationMs)
    this.#beginLeaderEpoch()
    this.#stable = new StableArrivals(this.log, this.committedFetchWatchers)
  }

  get isLoaded(): boolean {
    return this.#stable !== undefined
  }

  get role(): Role {
    return this.#role
  }

  get leaderEpoch(): number {
    return this.#role.leaderEpoch
  }

  /**
   * Takes the role that the metadata image has for this node. If it does not lead, waits for the high watermark are rejected with
   * NOT_LEADER_OR_FOLLOWER, and delayed fetches complete. A new leader epoch begins in the log at the first use by the leader.
   */
  become(role: Role): void {
    this.#role = role
    this.#highWatermark.follow(role, () => this.#notLeader())
    if (role.kind !== 'leader') this.completeDelayedFetches()
  }

  /** Completes all delayed fetches (log offline, partition deleted, or led by another node). */
  completeDelayedFetches(): void {
    this.fetchWatchers.completeAll()
    this.committedFetchWatchers.completeAll()
  }

  /**
   * Throws NOT_LEADER_OR_FOLLOWER if this node does not lead the partition, and before that the errors of `checkLeaderEpoch`.
   */
  checkLeads(currentLeaderEpoch: number): void {
    this.checkLeaderEpoch(currentLeaderEpoch)
    if (this.#role.kind !== 'leader') throw this.#notLeader()
    this.#beginLeaderEpoch()
  }

  /**
   * Resolves when the high watermark reaches the log end offset; undefined if it already has. Rejects or throws if the log goes
   * offline or the partition is deleted, and NOT_LEADER_OR_FOLLOWER if this node does not lead.
   */
  replicated(): Promise<void> | undefined {
    this.log.checkOnline()
    const { logEndOffset, highWatermark } = this.log
    if (highWatermark < logEndOffset && this.#role.kind !== 'leader') throw this.#notLeader()
    return this.#highWatermark.reached(logEndOffset)
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
   * Validates and appends one batch of a client. A duplicate of a recent batch is not appended, and gets the response to the first.
   * Throws the KafkaError of the failed check; then nothing has changed.
   */
  append(arrived: RecordBatch, rules: ValidationRules, now: number): Appended {
    const topicPartition = `${this.topic}-${this.index}`
    const batch = validateBatch({ batch: arrived, topicPartition, now, origin: 'client' }, rules)
    const { states } = this.#producers
    const repeated = batch.producerId >= 0n ? states.repeated(batch) : undefined
    if (repeated) return repeatedResponse(repeated)
    if (batch.producerId >= 0n) states.check(batch)
    const { baseOffset } = this.#append(batch)
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
    this.#append(buildEndTxnMarker(marker))
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
    const batch = journalBatch(records, wall.now(), options)
    if (batch.isTransactional) this.#producers.states.checkFromCoordinator(batch)
    this.#append(batch)
  }

  #append(batch: RecordBatch): { baseOffset: bigint } {
    const appended = this.log.append(batch, this.leaderEpoch)
    this.#highWatermark.appended(this.log.logEndOffset, batch.sizeInBytes)
    return appended
  }

  /** Adds the leader epoch to the log's leader epochs, before the first record of the epoch. */
  #beginLeaderEpoch(): void {
    const { kind, leaderEpoch } = this.#role
    if (kind === 'leader' && this.log.leaderEpochs.latest?.epoch !== leaderEpoch) this.log.beginLeaderEpoch(leaderEpoch)
  }

  #notLeader(): KafkaError {
    return new KafkaError('NOT_LEADER_OR_FOLLOWER', `this node does not lead ${this.topic}-${this.index}`)
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

  /** The producer state must be loaded: `log.lastStableOffset` depends on it. */
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
