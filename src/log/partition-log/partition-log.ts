/**
 * The log of one partition: batches at consecutive offsets, over segments of which the last is written to. Appends are
 * synchronous: when `append` returns, the batch is in the page cache and has its offsets; when it throws, the log holds
 * what it held before.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Random } from '../../runtime/random.ts'
import type { Clocks } from '../../runtime/time.ts'
import type { Storage } from '../../storage/storage.ts'
import { Segment } from '../segment/segment.ts'
import { type ReadLimits, Segments } from '../segment/segments.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'
import type { BatchObserver } from './batch-observer.ts'
import { DiskGuard } from './disk-guard.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { LogReader } from './log-reader.ts'
import { LogSync } from './log-sync.ts'
import { LogUpkeep } from './log-upkeep.ts'
import { LogWriter } from './log-writer.ts'
import type { Removal } from './removal.ts'

/** What a log needs from outside, and where it is. */
export interface PartitionLogOptions {
  readonly storage: Storage
  /** The partition's folder, which exists and needs no recovery. */
  readonly folder: string
  /** A live view: `reconfigured` is called after each change of it. */
  readonly config: LogConfig
  readonly clocks: Clocks
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
  readonly leaderEpochs: LeaderEpochs
  /** The settings in force. */
  readonly config: LogConfig
  /** All that is read of it. */
  readonly reader: LogReader
  /** What becomes of its old segments. */
  readonly upkeep: LogUpkeep
  readonly #options: PartitionLogOptions
  readonly #guard: DiskGuard
  readonly #segments: Segments
  readonly #sync: LogSync
  readonly #writer: LogWriter
  #observer: BatchObserver | undefined

  /** Opens the log of a folder that was closed clean or has been recovered. Only headers after the last index entry are read. */
  constructor(options: PartitionLogOptions) {
    this.#options = options
    this.#guard = new DiskGuard(options.folder, options.logger)
    this.folder = options.folder
    this.config = options.config
    this.leaderEpochs = new LeaderEpochs(options.storage, options.folder)
    const checkpointOffset = options.logStartOffset ?? 0n
    const create = (baseOffset: bigint) => this.#newSegment(baseOffset)
    this.#segments = new Segments({ ...options, emptyAt: checkpointOffset, nowMs: options.clocks.wall.now(), create })
    const endOffset = this.#endOf(checkpointOffset)
    const { storage, folder, clocks, recoveryPoint = 0n } = options
    const arrived = (bytes: number) => this.#observer?.arrived(bytes)
    const synced = { storage, folder, clocks, segments: this.#segments, guard: this.#guard, arrived }
    this.#sync = new LogSync(synced, options.config, recoveryPoint, endOffset)
    const parts = { ...options, ...synced, epochs: this.leaderEpochs, sync: this.#sync }
    this.#writer = new LogWriter({ ...parts, observer: () => this.#observer }, endOffset)
    this.upkeep = new LogUpkeep(parts, checkpointOffset)
    this.reader = new LogReader(synced, this)
    this.#guard.onOffline(() => this.#observer?.offline())
  }

  /** The first offset that is offered. */
  get logStartOffset(): bigint {
    return this.upkeep.startOffset
  }

  /** The offset that the next record gets. */
  get logEndOffset(): bigint {
    return this.#writer.endOffset
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
  settled(offset = this.logEndOffset): Promise<void> | undefined {
    return this.#sync.settled(offset)
  }

  /** The settings have changed: they hold from the next append on, and `flush.ms` for records that wait already. */
  reconfigured(): void {
    this.#sync.reconfigured()
  }

  /** From now on `observer` is told what happens. There is one at most. */
  observe(observer: BatchObserver): void {
    this.#observer = observer
  }

  /** A replica led by `epoch` begins here (KIP-101). */
  beginLeaderEpoch(epoch: number): void {
    this.#guard.run(() => this.#writer.beginLeaderEpoch(epoch))
  }

  /** Gives a validated batch its offsets and writes it: see LogWriter. */
  append(batch: RecordBatch, leaderEpoch: number): { baseOffset: bigint; lastOffset: bigint } {
    return this.#guard.run(() => this.#writer.append(batch, leaderEpoch))
  }

  /** What a fetch gets: see LogReader. */
  read(offset: bigint, limits: ReadLimits): Buffer {
    return this.reader.read(offset, limits)
  }

  /** Whole batches, for those who make their state from the log: see LogReader. */
  batches(offset: bigint, upTo?: bigint): Generator<RecordBatch, undefined> {
    return this.reader.batches(offset, upTo)
  }

  /** A transaction was aborted, as a replay of the log has found: its segment's index has it from now on. */
  noteAborted(aborted: AbortedTxn): void {
    const [segment] = this.#segments.from(aborted.lastOffset)
    if (!segment) return
    this.#guard.run(() => segment.noteAborted(aborted))
    this.#sync.expectAborts(segment)
  }

  /** Whether a batch is the last that is known of its producer, which must outlive its records. */
  isLastOfProducer(batch: RecordBatch): boolean {
    return this.#observer?.isLastOfProducer(batch) ?? false
  }

  /** Where an epoch, or the last one before it, ended; undefined when that is not known. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: bigint } | undefined {
    return this.leaderEpochs.endOf(epoch, this.logEndOffset)
  }

  /**
   * Records before `offset` are offered no more. As in Kafka the next checkpoint writes that down: a crash may come
   * first and bring them back. Throws OFFSET_OUT_OF_RANGE beyond the high watermark.
   */
  moveLogStart(offset: bigint): void {
    this.#guard.run(() => this.upkeep.moveStart(offset))
  }

  /** Lets some segments go that retention has done with, and returns how many: whoever asks, asks again until none went. */
  deleteOldSegments(): number {
    const { config, segments, logStartOffset, logEndOffset, highWatermark } = this
    const aging = { config, segments, logStartOffset, logEndOffset, highWatermark }
    return this.#guard.run(() => this.upkeep.deleteOldSegments(aging, () => this.#writer.roll()))
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
    await this.#observer?.closing(this.logEndOffset)
  }

  /** The partition is no more: whoever still holds the log is refused. */
  abandon(): void {
    this.#guard.abandon()
  }

  #newSegment(baseOffset: bigint): Segment {
    const { storage, folder, clocks } = this.#options
    const segment = Segment.create(storage, folder, baseOffset, clocks.wall.now())
    if (this.config.preallocate) segment.layOut(this.config.segmentBytes)
    return segment
  }

  /** Where the log ends; one that ends before its start begins again there, with an empty segment. */
  #endOf(startOffset: bigint): bigint {
    const { endOffset } = this.#segments.active
    if (endOffset >= startOffset) return endOffset
    const { folder, logger } = this.#options
    logger.warn({ folder, offset: startOffset }, 'the log begins again, empty, at another offset')
    this.#segments.startAgainAt(startOffset)
    this.leaderEpochs.truncateFromEnd(0n)
    return startOffset
  }
}
