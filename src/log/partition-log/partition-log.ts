/**
 * The log of one partition: batches at ascending offsets in segments, of which the last is active. Appends are synchronous:
 * when `append` returns, the batch is in the page cache and has its offsets; when it throws, the log is unchanged or offline.
 */
import type { Events } from '../../events/event.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { assert } from '../../runtime/assert.ts'
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

/** Folder, configs and ports of a log. */
export interface PartitionLogOptions {
  readonly storage: Storage
  /** The partition's folder. It exists and needs no recovery. */
  readonly folder: string
  /** A live view: `reconfigured` is called after each change of it. */
  readonly config: LogConfig
  readonly clocks: Clocks
  readonly random: Random
  readonly events: Events
  /** Removes the files of deleted segments. */
  readonly removal: Removal
  /** From the checkpoints: the log start offset, and the offset below which the log is known to be on disk. */
  readonly logStartOffset?: bigint | undefined
  readonly recoveryPoint?: bigint | undefined
  /** The replica of the log, if any. */
  readonly observer?: BatchObserver | undefined
}

export class PartitionLog {
  readonly folder: string
  readonly leaderEpochs: LeaderEpochs
  /** The configs in force. */
  readonly config: LogConfig
  /** Reads of the log. */
  readonly reader: LogReader
  /** Retention and replacement of old segments. */
  readonly upkeep: LogUpkeep
  readonly #options: PartitionLogOptions
  readonly #guard: DiskGuard
  readonly #segments: Segments
  readonly #sync: LogSync
  readonly #writer: LogWriter
  #highWatermark: bigint

  /** Opens the log of a folder after a clean shutdown or recovery. It reads only the headers after the last index entry. */
  constructor(options: PartitionLogOptions) {
    this.#options = options
    this.#guard = new DiskGuard(options.folder, options.events)
    this.folder = options.folder
    this.config = options.config
    this.leaderEpochs = new LeaderEpochs(options.storage, options.folder)
    const checkpointOffset = options.logStartOffset ?? 0n
    const create = (baseOffset: bigint) => this.#newSegment(baseOffset)
    this.#segments = new Segments({ ...options, emptyAt: checkpointOffset, nowMs: options.clocks.wall.now(), create })
    const endOffset = this.#endOf(checkpointOffset)
    this.#highWatermark = endOffset
    const { storage, folder, clocks, recoveryPoint = 0n, observer } = options
    const synced = { storage, folder, clocks, segments: this.#segments, guard: this.#guard, observer }
    this.#sync = new LogSync(synced, options.config, recoveryPoint, endOffset)
    const parts = { ...options, ...synced, epochs: this.leaderEpochs, sync: this.#sync }
    this.#writer = new LogWriter(parts, endOffset)
    this.upkeep = new LogUpkeep(parts, checkpointOffset)
    this.reader = new LogReader(synced, this)
    this.#guard.onOffline(why => observer?.offline(why))
  }

  /** The log start offset. */
  get logStartOffset(): bigint {
    return this.upkeep.startOffset
  }

  /** The offset of the next record. */
  get logEndOffset(): bigint {
    return this.#writer.endOffset
  }

  /** The high watermark: consumers read below it. The log stores it; its owner moves it when all in-sync replicas have a batch. */
  get highWatermark(): bigint {
    return this.#highWatermark
  }

  /** Moves the high watermark, never backwards, and at most to the log end offset. */
  advanceHighWatermark(offset: bigint): void {
    assert(offset >= this.#highWatermark && offset <= this.logEndOffset, 'the high watermark advances within the log')
    this.#highWatermark = offset
  }

  /** The limit of the high watermark: see LogSync. */
  get flushLimit(): bigint {
    return this.#sync.flushLimit
  }

  /** The last stable offset: read_committed consumers read below it. */
  get lastStableOffset(): bigint {
    const { highWatermark, logStartOffset } = this
    const unstable = this.#options.observer?.firstUnstableOffset(highWatermark)
    if (unstable === undefined || unstable >= highWatermark) return highWatermark
    return unstable > logStartOffset ? unstable : logStartOffset
  }

  /** The offset below which the log is known to be on disk. */
  get recoveryPoint(): bigint {
    return this.#sync.recoveryPoint
  }

  /** Base offset of the oldest segment, at or below the log start offset. */
  get firstSegmentOffset(): bigint {
    return this.#segments.firstOffset
  }

  get sizeInBytes(): number {
    return this.#segments.sizeInBytes
  }

  /** Oldest first; the last is active. */
  get segments(): readonly Segment[] {
    return this.#segments.all
  }

  /** Whether the disk has failed or the partition is deleted. */
  get isOffline(): boolean {
    return this.#guard.isOffline
  }

  /** Throws KAFKA_STORAGE_ERROR if the disk has failed, NOT_LEADER_OR_FOLLOWER if the partition is deleted. */
  checkOnline(): void {
    this.#guard.run(() => {})
  }

  /**
   * Resolves when the flush limit reaches `offset` (default: the log end offset); undefined if it already has. Responses that
   * depend on records below `offset`, and not on other replicas, wait for it. Rejects or throws if the disk fails or the partition is deleted.
   */
  settled(offset = this.logEndOffset): Promise<void> | undefined {
    return this.#sync.settled(offset)
  }

  /** Applies changed configs: to the next append, and `flush.ms` also to records that wait for a sync. */
  reconfigured(): void {
    this.#sync.reconfigured()
  }

  /** Begins leader epoch `epoch` at the log end offset (KIP-101). */
  beginLeaderEpoch(epoch: number): void {
    this.#guard.run(() => this.#writer.beginLeaderEpoch(epoch))
  }

  /** Appends a validated batch: see LogWriter. */
  append(batch: RecordBatch, leaderEpoch: number): { baseOffset: bigint; lastOffset: bigint } {
    return this.#guard.run(() => this.#writer.append(batch, leaderEpoch))
  }

  /** Reads for a fetch: see LogReader. */
  read(offset: bigint, limits: ReadLimits): Buffer {
    return this.reader.read(offset, limits)
  }

  /** Whole batches for replay: see LogReader. */
  batches(offset: bigint, upTo?: bigint): Generator<RecordBatch, undefined> {
    return this.reader.batches(offset, upTo)
  }

  /** Adds an aborted transaction that a replay of the log has found to the transaction index of its segment. */
  noteAborted(aborted: AbortedTxn): void {
    const [segment] = this.#segments.from(aborted.lastOffset)
    if (!segment) return
    this.#guard.run(() => segment.noteAborted(aborted))
    this.#sync.expectAborts(segment)
  }

  /** Whether a batch is the last one of its producer. Compaction keeps such a batch even without records. */
  isLastOfProducer(batch: RecordBatch): boolean {
    return this.#options.observer?.isLastOfProducer(batch) ?? false
  }

  /** The largest known epoch at or below `epoch`, and its end offset; undefined if `epoch` is above the latest. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: bigint } | undefined {
    return this.leaderEpochs.endOf(epoch, this.logEndOffset)
  }

  /**
   * Moves the log start offset to `offset`. As in Kafka, the next checkpoint persists it: after a crash before that, the
   * records are readable again. Throws OFFSET_OUT_OF_RANGE for an offset above the high watermark.
   */
  moveLogStart(offset: bigint): void {
    this.#guard.run(() => this.upkeep.moveStart(offset, this.#highWatermark))
  }

  /** Deletes old segments by retention and returns their number. The caller repeats until it is 0. */
  deleteOldSegments(): number {
    const { config, segments, logStartOffset, logEndOffset, highWatermark } = this
    const aging = { config, segments, logStartOffset, logEndOffset, highWatermark }
    return this.#guard.run(() => this.upkeep.deleteOldSegments(aging, () => this.#writer.roll()))
  }

  /** Resolves when the log is on disk at least up to `offset`. Throws if the sync fails or the log is offline. */
  synced(offset: bigint): Promise<void> {
    return this.#sync.synced(offset)
  }

  /**
   * Blocks the process until all appended batches are on disk: for the metadata log, which all other state depends on. A
   * throw takes the log offline.
   */
  syncNow(): void {
    this.#sync.syncNow()
  }

  /** Writes and syncs everything, including exact index files. Throws if this fails or the log is offline. */
  async close(): Promise<void> {
    this.upkeep.finish()
    await this.#sync.close()
    await this.#options.observer?.closing(this.logEndOffset)
  }

  /** Marks the partition as deleted. Later operations throw NOT_LEADER_OR_FOLLOWER. */
  abandon(): void {
    this.#guard.abandon()
  }

  #newSegment(baseOffset: bigint): Segment {
    const { storage, folder, clocks } = this.#options
    const segment = Segment.create(storage, folder, baseOffset, clocks.wall.now())
    if (this.config.preallocate) segment.layOut(this.config.segmentBytes)
    return segment
  }

  /**
   * The log end offset. If it is below the log start offset, the log is replaced by an empty segment at the log start
   * offset.
   */
  #endOf(startOffset: bigint): bigint {
    const { endOffset } = this.#segments.active
    if (endOffset >= startOffset) return endOffset
    const { folder, events } = this.#options
    events.emit({ type: 'LogTruncatedFully', topicPartition: folder, logEndOffset: endOffset, startOffset })
    this.#segments.resetTo(startOffset)
    this.leaderEpochs.truncateFromEnd(0n)
    return startOffset
  }
}
