/**
 * One `.log` file of a partition with its indexes: a run of record batches from a base offset on. Only the newest
 * segment of a partition is written to; what a segment knows besides its bytes can be rebuilt from them.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { appendWhole, type Storage } from '../../storage/storage.ts'
import { type LocatedBatch, walkBatches, walkHeaders } from './batch-walk.ts'
import { maxTimestampOf, SegmentIndexes } from './segment-indexes.ts'
import { type FileStage, type SegmentSuffix, segmentPath } from './segment-names.ts'
import type { TimestampOffset } from './time-index.ts'
import type { AbortedTxn } from './transaction-index.ts'

/** Read beyond what is asked for, so that one read finds a batch and has it: an index interval and a little more. */
const SCAN_BYTES = 8192
const NOTHING = Buffer.alloc(0)
/** The `.log` first: while it has its old name, the segment is where it was. */
const RENAMED: readonly SegmentSuffix[] = ['log', 'index', 'timeindex', 'txnindex']

export class Segment {
  readonly baseOffset: bigint
  /** For segments without timestamps: since when it is there, as far as this process knows. */
  readonly createdMs: number
  /** Of the `.log` file. */
  readonly path: string
  readonly #storage: Storage
  readonly #folder: string
  readonly #stage: FileStage
  readonly #indexes: SegmentIndexes
  #size: number
  /** Whether the file may be larger than what is known to be in it. */
  #isLaidOut = false
  /** Undefined until somebody asks, for it may have to be read. */
  #firstTimestamp: bigint | undefined
  #endOffset: bigint | undefined

  /** A segment whose `.log` file exists. */
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

  /** A new, empty segment, in place of whatever a failed attempt may have left under its names. */
  static create(storage: Storage, folder: string, baseOffset: bigint, nowMs: number, stage: FileStage = ''): Segment {
    for (const suffix of ['index', 'timeindex', 'txnindex', 'log'] as const) {
      storage.removeNow(segmentPath(folder, baseOffset, suffix, stage))
    }
    storage.append(segmentPath(folder, baseOffset, 'log', stage), NOTHING)
    return new Segment(storage, folder, baseOffset, nowMs, stage)
  }

  /** Gives the `.log` its full size in advance; `finish` takes back what is not used. */
  layOut(bytes: number): void {
    this.#storage.extend(this.path, bytes)
    this.#isLaidOut = true
  }

  /** Gives the files the names of another stage. The segment lives on in the one that is returned. */
  renamed(stage: FileStage): Segment {
    this.#rename(stage)
    return new Segment(this.#storage, this.#folder, this.baseOffset, this.createdMs, stage)
  }

  /** Its files get the suffix `.deleted`. Returns their paths. */
  setAside(): string[] {
    return this.#rename('.deleted')
  }

  /** Bytes of the `.log` file. */
  get size(): number {
    return this.#size
  }

  /** When the `.log` was last written to. */
  get modifiedMs(): number {
    return this.#storage.modifiedMs(this.path)
  }

  /** Gives out that the `.log` was last written to at that time: when its sources were. */
  set modifiedMs(ms: number) {
    this.#storage.setModified(this.path, ms)
  }

  /** Largest timestamp in the segment and the last offset of the batch that has it; -1 when there is none. */
  get largestTimestamp(): TimestampOffset {
    if (this.#endOffset === undefined && this.#indexes.times.count === 0) this.#readEnd()
    return this.#indexes.largestTimestamp
  }

  /** Largest timestamp of the first batch, -1 when it has none or is not there yet. */
  get firstTimestamp(): bigint {
    if (this.#firstTimestamp === undefined && this.#size > 0) {
      const first = this.headers(0).next().value
      this.#firstTimestamp = first ? maxTimestampOf(first.batch) : -1n
    }
    return this.#firstTimestamp ?? -1n
  }

  /** The aborted transactions whose markers lie here at or after `offset`, in the order of these. */
  abortedFrom(offset: bigint): Generator<AbortedTxn, undefined> {
    return this.#indexes.aborted.from(offset)
  }

  /** A transaction whose marker lies here was aborted. */
  noteAborted(aborted: AbortedTxn): void {
    this.#indexes.aborted.add(aborted)
  }

  /** An offset at or after all batches that begin before `position`, as near as the index tells. */
  offsetAtPosition(position: number): bigint | undefined {
    return this.#indexes.offsets.offsetAt(position)
  }

  /** Whether the indexes, of `maxIndexBytes` at most, and their 32-bit offsets have room for a batch that ends at `lastOffset`. */
  hasRoomFor(lastOffset: bigint, maxIndexBytes: number): boolean {
    return this.#indexes.hasRoomFor(lastOffset, maxIndexBytes)
  }

  /** Adds a batch that has its final offsets. If this throws, nothing has changed, or the error's kind is 'failed'. */
  append(batch: RecordBatch, indexIntervalBytes: number): void {
    this.#indexes.reserve()
    appendWhole(this.#storage, this.path, this.#size, batch.bytes)
    this.takeIn(batch, indexIntervalBytes)
  }

  /** Counts on nothing that its files hold: `takeIn` is told of every batch anew, and `finish` cuts off the rest. */
  startOver(): void {
    this.#indexes.clear()
    this.#isLaidOut = true
    this.#size = 0
    this.#firstTimestamp = undefined
    this.#endOffset = this.baseOffset
  }

  /** The next batch that the file has is known from now on. */
  takeIn(batch: RecordBatch, indexIntervalBytes: number): void {
    if (this.#size === 0) this.#firstTimestamp = maxTimestampOf(batch)
    this.#indexes.note(batch, this.#size, indexIntervalBytes)
    this.#endOffset = batch.nextOffset
    this.#size += batch.sizeInBytes
  }

  /**
   * The batch that holds `offset`, or else the first after it; undefined when all batches lie before. Only its header
   * is read for certain, and `readAhead` bytes from near its beginning where the file has them.
   */
  find(offset: bigint, readAhead = SCAN_BYTES): LocatedBatch | undefined {
    const from = this.#indexes.offsets.positionBefore(offset)
    for (const located of this.headers(from, readAhead)) if (located.batch.lastOffset >= offset) return located
    return undefined
  }

  /**
   * What a fetch from `offset` gets by Kafka's rule, from this segment and below `endPosition`: bytes from the beginning
   * of the batch that holds the offset, cut anywhere at `maxBytes`. A first batch larger than that comes whole if
   * `minOneBatch`, else nothing does. Undefined when all batches lie before the offset.
   */
  read(offset: bigint, maxBytes: number, endPosition: number, minOneBatch: boolean): Buffer | undefined {
    const first = this.find(offset, maxBytes + SCAN_BYTES)
    if (!first) return undefined
    if (first.size > maxBytes && !minOneBatch) return NOTHING
    const length = Math.min(endPosition - first.position, Math.max(maxBytes, first.size))
    if (length <= 0) return NOTHING
    const at = first.position - first.windowPosition
    if (at + length <= first.window.length) return first.window.subarray(at, at + length)
    return this.#storage.read(this.path, first.position, length)
  }

  /** Batches from a position on, of which only the headers are looked at. */
  headers(position: number, readAhead = SCAN_BYTES): Generator<LocatedBatch, undefined> {
    return walkHeaders(this.#storage, this.path, position, this.#size, readAhead)
  }

  /** Whole batches from the one that holds `offset`, or a position before it, on. */
  batchesFrom(offset: bigint): Generator<LocatedBatch, undefined> {
    return walkBatches(this.#storage, this.path, this.#indexes.offsets.positionBefore(offset), this.#size)
  }

  /** Whole batches from the first that may have a record at or after `timestamp` and at or after `offset`. */
  batchesFromTime(timestamp: bigint, offset: bigint): Generator<LocatedBatch, undefined> {
    const before = this.#indexes.times.entryBefore(timestamp).offset
    return this.batchesFrom(before > offset ? before : offset)
  }

  /** The offset after the last batch; to find it the headers after the last index entry are read, once. */
  get endOffset(): bigint {
    return this.#endOffset ?? this.#readEnd()
  }

  /** What the entries of the two indexes take. */
  get indexBytes(): { readonly offsets: number; readonly times: number } {
    return { offsets: this.#indexes.offsets.sizeInBytes, times: this.#indexes.times.sizeInBytes }
  }

  /** Brings the files up to date, with the final entry of the time index; their sizes are exact afterwards. */
  finish(): void {
    this.#indexes.finish()
    if (this.#isLaidOut) this.#storage.truncate(this.path, this.#size)
    this.#isLaidOut = false
  }

  /** `finish` for one that is written to again: to make index files takes longer than to check a short log anew. */
  finishForNow(): void {
    if (!this.#indexes.areUnneeded) this.finish()
    else this.#storage.truncate(this.path, this.#size)
  }

  /** Resolves when the batches and what is in the index files have reached the disk. */
  async sync(): Promise<void> {
    await this.#storage.sync(this.path)
    for (const path of this.#indexes.paths) if (this.#storage.exists(path)) await this.#storage.sync(path)
  }

  /** The process waits until the batches have reached the disk. Index files are left to recovery. */
  syncNow(): void {
    this.#storage.syncNow(this.path)
  }

  /** Removes the segment's files, the `.log` last of all, so that no index is ever without its log. */
  remove(): void {
    for (const path of this.#indexes.paths) this.#storage.removeNow(path)
    this.#storage.removeNow(this.path)
  }

  /** How it ends: at which offset, and how late it was by then. */
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
