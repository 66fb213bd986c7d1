/**
 * The log of one partition: batches at consecutive offsets, over segments of which the last is written to. Appends are
 * synchronous: when `append` returns, the batch is in the page cache and has its offsets; when it throws, the log holds
 * what it held before.
 */
import { KafkaError } from '../protocol/errors.ts'
import type { RecordBatch } from '../protocol/records/batch.ts'
import { assert } from '../runtime/assert.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { BatchObserver } from './batch-observer.ts'
import { abortedWithin } from './committed-read.ts'
import { DiskGuard } from './disk-guard.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { LogSync } from './log-sync.ts'
import { LogUpkeep } from './log-upkeep.ts'
import type { Removal } from './removal.ts'
import { RollPolicy } from './roll-policy.ts'
import { Segment } from './segment.ts'
import { type ReadLimits, Segments } from './segments.ts'
import { soundBytes } from './sound-bytes.ts'
import { type Storage, StorageError } from './storage.ts'
import { findByTimestamp, findMaxTimestamp, type RecordTime } from './timestamp-lookup.ts'
import type { AbortedTxn } from './transaction-index.ts'

/** What a log needs from outside, and where it is. */
export interface PartitionLogOptions {
  readonly storage: Storage
  /** The partition's folder, which exists and needs no recovery. */
  readonly folder: string
  readonly config: LogConfig
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Takes the files of segments that have gone. */
  readonly removal: Removal
  /** From the checkpoints: the least offset that is still offered, and up to where the disk is known to have everything. */
  readonly logStartOffset?: bigint | undefined
  readonly recoveryPoint?: bigint | undefined
}

export class PartitionLog {
  readonly folder: string
  /** What becomes of its old segments. */
  readonly upkeep: LogUpkeep
  readonly #options: PartitionLogOptions
  readonly #guard: DiskGuard
  readonly #epochs: LeaderEpochs
  readonly #segments: Segments
  readonly #sync: LogSync
  readonly #rollPolicy: RollPolicy
  #config: LogConfig
  #observer: BatchObserver | undefined
  #endOffset: bigint
  /** What lies before was written by earlier processes: nobody has seen since whether the disk kept it. */
  readonly #inheritedEnd: bigint

  /** Opens the log of a folder that was closed clean or has been recovered. Only headers after the last index entry are read. */
  constructor(options: PartitionLogOptions) {
    this.#options = options
    this.#guard = new DiskGuard(options.folder, options.logger)
    this.folder = options.folder
    this.#config = options.config
    this.#epochs = new LeaderEpochs(options.storage, options.folder)
    const wantedStart = options.logStartOffset ?? 0n
    const create = (baseOffset: bigint) => this.#newSegment(baseOffset)
    this.#segments = new Segments({ ...options, emptyAt: wantedStart, nowMs: options.clock.now(), create })
    this.#rollPolicy = new RollPolicy(options.random, options.config)
    this.#endOffset = this.#segments.active.endOffset
    if (this.#endOffset < wantedStart) this.#startAgainAt(wantedStart)
    this.#inheritedEnd = this.#endOffset
    const { storage, folder, clock, recoveryPoint = 0n } = options
    const arrived = (bytes: number) => this.#observer?.arrived(bytes)
    const synced = { storage, folder, clock, segments: this.#segments, guard: this.#guard, arrived }
    this.#sync = new LogSync(synced, options.config, recoveryPoint, this.#endOffset)
    const kept = { ...options, ...synced, epochs: this.#epochs, sync: this.#sync, config: () => this.#config }
    this.upkeep = new LogUpkeep(kept, wantedStart)
    this.#guard.onOffline(() => this.#observer?.offline())
  }

  /** The first offset that is offered. */
  get logStartOffset(): bigint {
    return this.upkeep.startOffset
  }

  /** The offset that the next record gets. */
  get logEndOffset(): bigint {
    return this.#endOffset
  }

  /** Consumers see what lies before: the end of the log, or what the disk has while answers wait for a sync. */
  get highWatermark(): bigint {
    return this.#sync.highWatermark
  }

  /** Readers of committed data see what lies before. */
  get lastStableOffset(): bigint {
    const { highWatermark, logStartOffset } = this
    const unstable = this.#observer?.firstUnstableOffset(highWatermark)
    if (unstable === undefined || unstable >= highWatermark) return highWatermark
    return unstable > logStartOffset ? unstable : logStartOffset
  }

  /** Everything before is known to be on the disk. */
  get recoveryPoint(): bigint {
    return this.#sync.recoveryPoint
  }

  /** Where the oldest segment begins: at or before the log start. */
  get firstSegmentOffset(): bigint {
    return this.#segments.firstOffset
  }

  get sizeInBytes(): number {
    return this.#segments.sizeInBytes
  }

  get segmentCount(): number {
    return this.#segments.all.length
  }

  get leaderEpochs(): LeaderEpochs {
    return this.#epochs
  }

  /** The settings in force. */
  get config(): LogConfig {
    return this.#config
  }

  /** Oldest first; the last is written to. */
  get segments(): readonly Segment[] {
    return this.#segments.all
  }

  /** Whether the disk has failed or the partition is deleted. */
  get isOffline(): boolean {
    return this.#guard.isOffline
  }

  /** Throws KAFKA_STORAGE_ERROR when the disk has failed, NOT_LEADER_OR_FOLLOWER when the partition is deleted. */
  checkOnline(): void {
    this.#guard.run(() => {})
  }

  /**
   * Answers that rest on what lies before `offset`, by default on all that was appended, wait for this: it resolves once
   * the high watermark is there; undefined when it is. Rejects, or throws, when the disk fails.
   */
  settled(offset = this.#endOffset): Promise<void> | undefined {
    return this.#sync.settled(offset)
  }

  /** New settings hold from the next append on. */
  reconfigure(config: LogConfig): void {
    this.#config = config
    this.#sync.configure(config)
  }

  /** From now on `observer` is told what happens. There is one at most. */
  observe(observer: BatchObserver): void {
    this.#observer = observer
  }

  /** A replica led by `epoch` begins here (KIP-101). */
  beginLeaderEpoch(epoch: number): void {
    this.#sync.expectEpochChange()
    this.#guard.run(() => this.#epochs.assign(epoch, this.#endOffset))
  }

  /**
   * Gives a validated batch its offsets and the leader's epoch, in place, and writes it. Throws KAFKA_STORAGE_ERROR,
   * and RECORD_LIST_TOO_LARGE for a batch that no segment can hold.
   */
  append(batch: RecordBatch, leaderEpoch: number): { baseOffset: bigint; lastOffset: bigint } {
    const size = batch.bytes.length
    assert(size === batch.sizeInBytes && batch.lastOffsetDelta >= 0, 'exactly one valid batch is appended')
    if (size > this.#config.segmentBytes) {
      throw new KafkaError(
        'RECORD_LIST_TOO_LARGE',
        `a batch of ${size} bytes does not fit into a segment of ${this.#config.segmentBytes}`
      )
    }
    return this.#guard.run(() => {
      const baseOffset = this.#endOffset
      batch.stamp(baseOffset, leaderEpoch)
      this.#sync.expectChange()
      if (leaderEpoch >= 0 && leaderEpoch !== this.#epochs.latest?.epoch) this.beginLeaderEpoch(leaderEpoch)
      const nowMs = this.#options.clock.now()
      if (this.#rollPolicy.mustRoll(this.#segments.active, batch, this.#config, nowMs)) this.#roll()
      this.#segments.active.append(batch, this.#config.indexIntervalBytes)
      this.#endOffset = batch.nextOffset
      const aborted = this.#observer?.observed(batch)
      if (aborted) noteForCertain(this.#segments.active, aborted)
      this.#sync.appended(this.#endOffset, batch.sizeInBytes)
      return { baseOffset, lastOffset: batch.lastOffset }
    })
  }

  /**
   * What a fetch gets: bytes from the beginning of the batch that holds `offset`, or of the next one, of one segment,
   * cut at `maxBytes` wherever that falls, and before a damaged batch. Throws OFFSET_OUT_OF_RANGE below the log start and
   * beyond the end, CORRUPT_MESSAGE where the first batch is damaged, and UNKNOWN_SERVER_ERROR, as Kafka does, where there is something to read and less than no bytes are asked for.
   */
  read(offset: bigint, limits: ReadLimits): Buffer {
    if (offset < this.logStartOffset || offset > this.#endOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `${this.folder} has offsets ${this.logStartOffset} to ${this.#endOffset}, not ${offset}`
      )
    }
    return this.#guard.run(() => {
      const bytes = this.#segments.read(offset, limits)
      return offset < this.#inheritedEnd ? this.#checked(offset, bytes) : bytes
    })
  }

  /** The aborted transactions that may have records among `length` bytes that were read from `offset`. */
  abortedWithin(offset: bigint, length: number): AbortedTxn[] {
    const { logEndOffset } = this
    return this.#guard.run(() =>
      abortedWithin({ segments: this.#segments.from(offset), fetchOffset: offset, length, logEndOffset })
    )
  }

  /** A transaction was aborted, as a replay of the log has found: its segment's index has it from now on. */
  noteAborted(aborted: AbortedTxn): void {
    const [segment] = this.#segments.from(aborted.lastOffset)
    if (!segment) return
    this.#guard.run(() => segment.noteAborted(aborted))
    this.#sync.expectAborts(segment)
  }

  /** Whether two offsets belong to the same segment. */
  areInOneSegment(from: bigint, to: bigint): boolean {
    return this.#segments.areInOne(from, to)
  }

  /** How many bytes lie between two offsets of one segment. */
  bytesBetween(from: bigint, to: bigint): number {
    return this.#guard.run(() => this.#segments.bytesBetween(from, to))
  }

  /**
   * Whole batches from the one that holds `offset` on, for those who make their state from the log. Every one is a
   * view on a large piece of the file. Throws CORRUPT_MESSAGE where the file is damaged.
   */
  batches(offset: bigint, upTo = this.#endOffset): Generator<RecordBatch, undefined> {
    return this.#guard.each(() => this.#segments.batches(offset, upTo))
  }

  /** Whether a batch is the last that is known of its producer, which must outlive its records. */
  isLastOfProducer(batch: RecordBatch): boolean {
    return this.#observer?.isLastOfProducer(batch) ?? false
  }

  /** The first record at or after the log start that is not earlier than `timestamp`. */
  offsetForTimestamp(timestamp: bigint): RecordTime | undefined {
    return this.#guard.run(() => findByTimestamp(this.#segments.all, timestamp, this.logStartOffset))
  }

  /** The first record with the largest timestamp. */
  maxTimestampOffset(): RecordTime | undefined {
    return this.#guard.run(() => findMaxTimestamp(this.#segments.all))
  }

  /** Where an epoch, or the last one before it, ended; undefined when that is not known. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: bigint } | undefined {
    return this.#epochs.endOf(epoch, this.#endOffset)
  }

  /**
   * Records before `offset` are offered no more. As in Kafka the next checkpoint writes that down: a crash may come
   * first and bring them back. Throws OFFSET_OUT_OF_RANGE beyond the high watermark.
   */
  moveLogStart(offset: bigint): void {
    if (offset > this.highWatermark) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `the log start cannot move to ${offset}, beyond ${this.highWatermark}`
      )
    }
    this.#guard.run(() => this.upkeep.moveStart(offset))
  }

  /**
   * Lets some of the segments go that retention has done with, and returns how many: whoever asks, asks again until none
   * went.
   */
  deleteOldSegments(): number {
    const { config, segments, logStartOffset, logEndOffset, highWatermark } = this
    const aging = { config, segments, logStartOffset, logEndOffset, highWatermark }
    return this.#guard.run(() => this.upkeep.deleteOldSegments(aging, () => this.#roll()))
  }

  /** Resolves when everything before `offset` is on the disk. Throws when that fails or the log is offline. */
  synced(offset: bigint): Promise<void> {
    return this.#sync.synced(offset)
  }

  /**
   * The process waits until what was appended is on the disk: for the metadata, on which all else is built. If this
   * throws the log is offline.
   */
  syncNow(): void {
    this.#sync.syncNow()
  }

  /** Brings everything to the disk, index files exact. Throws when that fails or the log is offline. */
  async close(): Promise<void> {
    this.upkeep.finish()
    await this.#sync.close()
    await this.#observer?.closing(this.#endOffset)
  }

  /** The partition is no more: whoever still holds the log is refused. */
  abandon(): void {
    this.#guard.abandon()
  }

  #checked(offset: bigint, bytes: Buffer): Buffer {
    const sound = soundBytes(bytes)
    // The walk finds the damage again, and tells where it is.
    if (sound.length === 0 && bytes.length > 0) this.#segments.batches(offset, this.#endOffset).next()
    return sound
  }

  #roll(): void {
    const baseOffset = this.#endOffset
    const full = this.#segments.roll(baseOffset)
    this.#rollPolicy.rolled(this.#config)
    this.#observer?.rolled(baseOffset)
    this.#sync.rolled(full, baseOffset)
  }

  #newSegment(baseOffset: bigint): Segment {
    const { storage, folder, clock } = this.#options
    const segment = Segment.create(storage, folder, baseOffset, clock.now())
    if (this.#config.preallocate) segment.layOut(this.#config.segmentBytes)
    return segment
  }

  /** Leaves nothing but an empty segment at `offset`. */
  #startAgainAt(offset: bigint): void {
    this.#options.logger.warn({ folder: this.folder, offset }, 'the log begins again, empty, at another offset')
    this.#segments.startAgainAt(offset)
    this.#endOffset = offset
    this.#epochs.truncateFromEnd(0n)
  }
}

/** The marker is in the log: were its abort not noted, readers would take what was aborted for committed. */
function noteForCertain(segment: Segment, aborted: AbortedTxn): void {
  try {
    segment.noteAborted(aborted)
  } catch (error) {
    throw new StorageError('failed', `an aborted transaction could not be noted: ${String(error)}`)
  }
}
