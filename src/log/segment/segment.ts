/**
 * One segment of a partition's log: a `.log` file of record batches from a base offset, and its indexes. Only the active
 * segment is written. Its indexes and all other state can be rebuilt from its bytes.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { BufferSource } from '../../storage/buffer-pool.ts'
import { appendWhole, type Storage } from '../../storage/storage.ts'
import { type LocatedBatch, walkBatches, walkHeaders } from './batch-walk.ts'
import { maxTimestampOf, SegmentIndexes } from './segment-indexes.ts'
import { type FileStage, type SegmentSuffix, segmentPath } from './segment-names.ts'
import type { TimestampOffset } from './time-index.ts'
import type { AbortedTxn } from './transaction-index.ts'

/** Bytes of a read that finds a batch: an index interval and some more. It returns a short answer, too. */
const SCAN_BYTES = 8192
const NOTHING = Buffer.alloc(0)
/** The `.log` is renamed first. A crash before that rename leaves the segment complete under its old names. */
const RENAMED: readonly SegmentSuffix[] = ['log', 'index', 'timeindex', 'txnindex']

/** Limits and memory of a read. */
export interface SegmentRead {
  readonly maxBytes: number
  /** Whether a first batch larger than `maxBytes` is returned whole; otherwise the result is empty. */
  readonly minOneBatch: boolean
  /** Memory for the bytes. A result of a few KB may have memory of its own. */
  readonly buffers: BufferSource
}

export class Segment {
  readonly baseOffset: bigint
  /** Time at which this process created or loaded the segment: the age of a segment without timestamps counts from it. */
  readonly createdMs: number
  /** Path of the `.log` file. */
  readonly path: string
  readonly #storage: Storage
  readonly #folder: string
  readonly #stage: FileStage
  readonly #indexes: SegmentIndexes
  #size: number
  /** Whether the file may be larger than `#size`: it is preallocated or under recovery. */
  #isLaidOut = false
  /** Undefined until first use, which may read the file. */
  #firstTimestamp: bigint | undefined
  #endOffset: bigint | undefined

  /** Opens a segment whose `.log` file exists. */
  constructor(storage: Storage, folder: string, baseOffset: bigint, createdMs: number, stage: FileStage = '') {
    this.#storage = storage
    this.#folder = folder
    this.#stage = stage
    this.baseOffset = baseOffset
    this.createdMs = createdMs
    this.path = this.#pathOf('log')
    this.#indexes = new SegmentIndexes(storage, baseOffset, suffix => this.#pathOf(suffix))
    this.#size = storage.size(this.path)
  }

  /** Creates an empty segment. Removes files under its names, which a failed attempt may have left. */
  static create(storage: Storage, folder: string, baseOffset: bigint, nowMs: number, stage: FileStage = ''): Segment {
    for (const suffix of ['index', 'timeindex', 'txnindex', 'log'] as const) {
      storage.removeNow(segmentPath(folder, baseOffset, suffix, stage))
    }
    storage.append(segmentPath(folder, baseOffset, 'log', stage), NOTHING)
    return new Segment(storage, folder, baseOffset, nowMs, stage)
  }

  /** Preallocates the `.log` file. `finish` truncates the unused part. */
  layOut(bytes: number): void {
    this.#storage.extend(this.path, bytes)
    this.#isLaidOut = true
  }

  /** Renames the files to another stage. Returns the renamed segment, which replaces this object. */
  renamed(stage: FileStage): Segment {
    this.#rename(stage)
    return new Segment(this.#storage, this.#folder, this.baseOffset, this.createdMs, stage)
  }

  /** Renames the files to the suffix `.deleted`. Returns their paths. */
  setAside(): string[] {
    return this.#rename('.deleted')
  }

  /** Bytes of batches in the `.log` file. */
  get size(): number {
    return this.#size
  }

  /** Modification time of the `.log` file. */
  get modifiedMs(): number {
    return this.#storage.modifiedMs(this.path)
  }

  /** Sets the modification time of the `.log` file: a compacted segment has that of its sources. */
  set modifiedMs(ms: number) {
    this.#storage.setModified(this.path, ms)
  }

  /** Largest timestamp in the segment and the last offset of its batch; -1 without a timestamp. */
  get largestTimestamp(): TimestampOffset {
    if (this.#endOffset === undefined && this.#indexes.times.count === 0) this.#readEnd()
    return this.#indexes.largestTimestamp
  }

  /** Largest timestamp of the first batch; -1 if it has none or the segment is empty. */
  get firstTimestamp(): bigint {
    if (this.#firstTimestamp === undefined && this.#size > 0) {
      const first = this.headers(0).next().value
      this.#firstTimestamp = first ? maxTimestampOf(first.batch) : -1n
    }
    return this.#firstTimestamp ?? -1n
  }

  /** Aborted transactions with a marker in this segment at or after `offset`, in the order of the markers. */
  abortedFrom(offset: bigint): Generator<AbortedTxn, undefined> {
    return this.#indexes.aborted.from(offset)
  }

  /** Adds an aborted transaction to the index. Its marker is in this segment. */
  noteAborted(aborted: AbortedTxn): void {
    this.#indexes.aborted.add(aborted)
  }

  /**
   * An offset at or after all batches that begin before `position`, as exact as the offset index allows; undefined if no
   * entry is that late.
   */
  offsetAtPosition(position: number): bigint | undefined {
    return this.#indexes.offsets.offsetAt(position)
  }

  /**
   * Whether the indexes have room for a batch that ends at `lastOffset`, limited by `maxIndexBytes` and by their 32-bit
   * relative offsets.
   */
  hasRoomFor(lastOffset: bigint, maxIndexBytes: number): boolean {
    return this.#indexes.hasRoomFor(lastOffset, maxIndexBytes)
  }

  /**
   * Appends a batch that has its final offsets. A throw leaves the segment unchanged, unless the error's kind is 'failed'.
   */
  append(batch: RecordBatch, indexIntervalBytes: number): void {
    this.#indexes.reserve()
    appendWhole(this.#storage, this.path, this.#size, batch.bytes)
    this.addExisting(batch, indexIntervalBytes)
  }

  /** Resets the segment to empty. `addExisting` adds each valid batch of the file again, and `finish` truncates the rest. */
  startOver(): void {
    this.#indexes.clear()
    this.#isLaidOut = true
    this.#size = 0
    this.#firstTimestamp = undefined
    this.#endOffset = this.baseOffset
  }

  /** Adds the next batch, whose bytes are in the file already, to the indexes and to the size. */
  addExisting(batch: RecordBatch, indexIntervalBytes: number): void {
    if (this.#size === 0) this.#firstTimestamp = maxTimestampOf(batch)
    this.#indexes.note(batch, this.#size, indexIntervalBytes)
    this.#endOffset = batch.nextOffset
    this.#size += batch.sizeInBytes
  }

  /**
   * Finds the batch that holds `offset`, or else the first batch after it; undefined if all batches lie before. Only the
   * header is guaranteed to be in memory.
   */
  find(offset: bigint): LocatedBatch | undefined {
    const from = this.#indexes.offsets.positionBefore(offset)
    for (const located of this.headers(from)) if (located.batch.lastOffset >= offset) return located
    return undefined
  }

  /**
   * Reads for a fetch from `offset`, as Kafka does, within this segment and below `endPosition`. The bytes begin with the
   * batch that holds the offset and end at `maxBytes`, possibly in the middle of a batch. A first batch larger than
   * `maxBytes` is returned whole if `minOneBatch`; otherwise the result is empty. Undefined if all batches lie before the
   * offset.
   */
  read(offset: bigint, { maxBytes, minOneBatch, buffers }: SegmentRead, endPosition: number): Buffer | undefined {
    const first = this.find(offset)
    if (!first) return undefined
    if (first.size > maxBytes && !minOneBatch) return NOTHING
    const length = Math.min(endPosition - first.position, Math.max(maxBytes, first.size))
    if (length <= 0) return NOTHING
    const at = first.position - first.windowPosition
    if (at + length <= first.window.length) return first.window.subarray(at, at + length)
    return this.#storage.read(this.path, first.position, length, buffers.take(length))
  }

  /** Batches from a position, headers only. */
  headers(position: number, readAhead = SCAN_BYTES): Generator<LocatedBatch, undefined> {
    return walkHeaders(this.#storage, this.path, position, this.#size, readAhead)
  }

  /** Whole batches from the one that holds `offset`, or from an earlier one. */
  batchesFrom(offset: bigint): Generator<LocatedBatch, undefined> {
    return walkBatches(this.#storage, this.path, this.#indexes.offsets.positionBefore(offset), this.#size)
  }

  /**
   * Whole batches, beginning at or before the first that may have a record at or after `timestamp` and at or after `offset`.
   */
  batchesFromTime(timestamp: bigint, offset: bigint): Generator<LocatedBatch, undefined> {
    const before = this.#indexes.times.entryBefore(timestamp).offset
    return this.batchesFrom(before > offset ? before : offset)
  }

  /** The offset after the last batch. The first use reads the headers after the last entry of the offset index. */
  get endOffset(): bigint {
    return this.#endOffset ?? this.#readEnd()
  }

  /** Bytes of the entries of both indexes. */
  get indexBytes(): { readonly offsets: number; readonly times: number } {
    return { offsets: this.#indexes.offsets.sizeInBytes, times: this.#indexes.times.sizeInBytes }
  }

  /**
   * Writes the index files, including the final entry of the time index, and truncates a preallocated `.log` to its size.
   */
  finish(): void {
    this.#indexes.finish()
    if (this.#isLaidOut) this.#storage.truncate(this.path, this.#size)
    this.#isLaidOut = false
  }

  /**
   * `finish` for the active segment, which is written again later. Without index entries and index files it only truncates
   * the `.log`: creating index files takes longer than checking a short log at the next start.
   */
  finishForNow(): void {
    if (!this.#indexes.areUnneeded) this.finish()
    else this.#storage.truncate(this.path, this.#size)
  }

  /** Resolves when the batches and the written index entries are on disk. */
  async sync(): Promise<void> {
    await this.#storage.sync(this.path)
    for (const path of this.#indexes.paths) if (this.#storage.exists(path)) await this.#storage.sync(path)
  }

  /** Blocks the process until the batches are on disk. Recovery rebuilds index files that are not. */
  syncNow(): void {
    this.#storage.syncNow(this.path)
  }

  /** Removes the segment's files. The `.log` is last, so that no index file is without its log. */
  remove(): void {
    for (const path of this.#indexes.paths) this.#storage.removeNow(path)
    this.#storage.removeNow(this.path)
  }

  /** Reads the headers after the last entry of the offset index, for the end offset and the largest timestamp. */
  #readEnd(): bigint {
    let endOffset = this.baseOffset
    for (const { batch } of this.headers(this.#indexes.offsets.lastPosition)) {
      this.#indexes.noteTime(batch)
      endOffset = batch.nextOffset
    }
    this.#endOffset = endOffset
    return endOffset
  }

  #rename(stage: FileStage): string[] {
    return RENAMED.filter(suffix => this.#storage.exists(this.#pathOf(suffix))).map(suffix => {
      const renamed = segmentPath(this.#folder, this.baseOffset, suffix, stage)
      this.#storage.rename(this.#pathOf(suffix), renamed)
      return renamed
    })
  }

  #pathOf(suffix: SegmentSuffix): string {
    return segmentPath(this.#folder, this.baseOffset, suffix, this.#stage)
  }
}
