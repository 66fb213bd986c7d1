/**
 * One `.log` file of a partition with its two indexes: a run of record batches from a base offset on. Only the newest
 * segment of a partition is written to; what a segment knows besides its bytes can be rebuilt from them.
 */
import { CorruptRecordError, type RecordBatch } from '../protocol/records/batch.ts'
import type { Steps } from '../runtime/steps.ts'
import { type LocatedBatch, walkBatches, walkHeaders } from './batch-walk.ts'
import { OffsetIndex } from './offset-index.ts'
import { type FileStage, type SegmentSuffix, segmentPath } from './segment-names.ts'
import { appendWhole, type Storage } from './storage.ts'
import { TimeIndex, type TimestampOffset } from './time-index.ts'
import { type AbortedTxn, TransactionIndex } from './transaction-index.ts'

/** Read beyond what is asked for, so that one read finds a batch and has it: an index interval and a little more. */
const SCAN_BYTES = 8192
const LARGEST_RELATIVE_OFFSET = 2_147_483_647n
const NOTHING = Buffer.alloc(0)
const COPY_BYTES = 1 << 20
const ZEROS = Buffer.alloc(1 << 16)
/** The `.log` first: while it has its old name, the segment is where it was. */
const RENAMED: readonly SegmentSuffix[] = ['log', 'index', 'timeindex', 'txnindex']

export class Segment {
  readonly baseOffset: bigint
  /** For segments without timestamps: since when it is there, as far as this process knows. */
  readonly createdMs: number
  readonly #storage: Storage
  readonly #folder: string
  readonly #stage: FileStage
  readonly #path: string
  /** Made when they are looked into: a log may have thousands of segments, of which nobody reads but a few. */
  #offsetIndex: OffsetIndex | undefined
  #timeIndex: TimeIndex | undefined
  #transactionIndex: TransactionIndex | undefined
  #size: number
  /** Whether the file may be larger than what has been written to it. */
  #isLaidOut = false
  #bytesSinceIndexed = 0
  /** Undefined until somebody asks, for it may have to be read. */
  #largest: TimestampOffset | undefined
  #firstTimestamp: bigint | undefined
  #endOffset: bigint | undefined

  /** A segment whose `.log` file exists. */
  constructor(storage: Storage, folder: string, baseOffset: bigint, createdMs: number, stage: FileStage = '') {
    this.#storage = storage
    this.#folder = folder
    this.#stage = stage
    this.baseOffset = baseOffset
    this.createdMs = createdMs
    this.#path = this.#pathOf('log')
    this.#size = storage.size(this.#path)
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
    this.#storage.extend(this.#path, bytes)
    this.#isLaidOut = true
  }

  /** Gives the files the names of another stage. The segment lives on in the one that is returned. */
  renamed(stage: FileStage): Segment {
    this.#rename(stage)
    return new Segment(this.#storage, this.#folder, this.baseOffset, this.createdMs, stage)
  }

  /** The segment is done with: its files get the suffix `.deleted`. Returns their paths. */
  setAside(): string[] {
    return this.#rename('.deleted')
  }

  /** Bytes of the `.log` file. */
  get size(): number {
    return this.#size
  }

  /** When the `.log` was last written to. */
  get modifiedMs(): number {
    return this.#storage.modifiedMs(this.#path)
  }

  /** Gives out that the `.log` was last written to at that time: when its sources were. */
  set modifiedMs(ms: number) {
    this.#storage.setModified(this.#path, ms)
  }

  /** Largest timestamp in the segment and the last offset of the batch that has it; -1 when there is none. */
  get largestTimestamp(): TimestampOffset {
    this.#largest ??= this.#times.last
    return this.#largest
  }

  /** Largest timestamp of the first batch, -1 when it has none or is not there yet. */
  get firstTimestamp(): bigint {
    if (this.#firstTimestamp === undefined && this.#size > 0) {
      const first = this.headers(0).next().value
      this.#firstTimestamp = first ? maxTimestampOf(first.batch) : -1n
    }
    return this.#firstTimestamp ?? -1n
  }

  /** The aborted transactions whose markers lie here, in their order. */
  get aborted(): readonly AbortedTxn[] {
    return this.#aborted.entries
  }

  /** A transaction whose marker lies here was aborted. */
  noteAborted(aborted: AbortedTxn): void {
    this.#aborted.add(aborted)
  }

  /** An offset at or after all batches that begin before `position`, as near as the index tells. */
  offsetAtPosition(position: number): bigint | undefined {
    return this.#offsets.offsetAt(position)
  }

  /** Whether the indexes, of `maxIndexBytes` at most, and their 32-bit offsets have room for a batch that ends at `lastOffset`. */
  hasRoomFor(lastOffset: bigint, maxIndexBytes: number): boolean {
    if (lastOffset - this.baseOffset > LARGEST_RELATIVE_OFFSET) return false
    return !this.#offsets.isFull(maxIndexBytes) && !this.#times.isFull(maxIndexBytes)
  }

  /** Adds a batch that has its final offsets. If this throws, nothing has changed, or the error's kind is 'failed'. */
  append(batch: RecordBatch, indexIntervalBytes: number): void {
    this.#offsets.reserve()
    this.#times.reserve()
    appendWhole(this.#storage, this.#path, this.#size, batch.bytes)
    this.#note(batch, this.#size, indexIntervalBytes)
    this.#size += batch.bytes.length
  }

  /**
   * The batch that holds `offset`, or else the first after it; undefined when all batches lie before. Only its header
   * is read for certain, and `readAhead` bytes from near its beginning where the file has them.
   */
  find(offset: bigint, readAhead = SCAN_BYTES): LocatedBatch | undefined {
    for (const located of this.headers(this.#offsets.positionBefore(offset), readAhead)) {
      if (located.batch.lastOffset >= offset) return located
    }
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
    return this.#storage.read(this.#path, first.position, length)
  }

  /** Batches from a position on, of which only the headers are looked at. */
  headers(position: number, readAhead = SCAN_BYTES): Generator<LocatedBatch, undefined> {
    return walkHeaders(this.#storage, this.#path, position, this.#size, readAhead)
  }

  /** Whole batches from the one that holds `offset`, or a position before it, on. */
  batchesFrom(offset: bigint): Generator<LocatedBatch, undefined> {
    return walkBatches(this.#storage, this.#path, this.#offsets.positionBefore(offset), this.#size)
  }

  /** Whole batches from the first that may have a record at or after `timestamp` and at or after `offset`. */
  batchesFromTime(timestamp: bigint, offset: bigint): Generator<LocatedBatch, undefined> {
    const before = this.#times.entryBefore(timestamp).offset
    return this.batchesFrom(before > offset ? before : offset)
  }

  /** The offset after the last batch; to find it the headers after the last index entry are read, once. */
  get endOffset(): bigint {
    if (this.#endOffset === undefined) {
      this.#endOffset = this.baseOffset
      for (const { batch } of this.headers(this.#offsets.lastPosition)) this.#endOffset = batch.nextOffset
    }
    return this.#endOffset
  }

  /**
   * Goes through all bytes, believing nothing else: checks every batch, yields it and puts it into new indexes. Returns
   * how many bytes are whole and sound, and why no more. `cutTo` must follow.
   */
  *recover(indexIntervalBytes: number): Steps<{ soundBytes: number; reason: string | undefined }, RecordBatch> {
    this.#forgetIndexes()
    let soundBytes = 0
    let reason: string | undefined
    try {
      let expected = this.baseOffset
      for (const { position, size, batch } of walkBatches(this.#storage, this.#path, 0, this.#size)) {
        checkSound(batch, position, expected, this.baseOffset + LARGEST_RELATIVE_OFFSET)
        this.#offsets.reserve()
        this.#times.reserve()
        this.#note(batch, position, indexIntervalBytes)
        expected = batch.nextOffset
        soundBytes = position + size
        yield batch
      }
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error
      reason = error.message
    }
    return { soundBytes, reason }
  }

  /** Ends what `recover` has begun: the file is cut where its sound batches end, and the index files are exact. */
  cutTo(soundBytes: number): void {
    this.#storage.truncate(this.#path, soundBytes)
    this.#size = soundBytes
    this.finish()
  }

  /** What the entries of the two indexes take. */
  get indexBytes(): { readonly offsets: number; readonly times: number } {
    return { offsets: this.#offsets.sizeInBytes, times: this.#times.sizeInBytes }
  }

  /** Whether there is nothing but zeros from a position on: space that was laid out and never used. */
  isUnusedFrom(position: number): boolean {
    for (let at = position; at < this.#size; at += ZEROS.length) {
      const piece = this.#storage.read(this.#path, at, Math.min(ZEROS.length, this.#size - at))
      if (!piece.equals(ZEROS.subarray(0, piece.length))) return false
    }
    return true
  }

  /** Brings the files up to date, with the final entry of the time index; their sizes are exact afterwards. */
  finish(): void {
    this.#times.reserve()
    this.#times.offer(this.largestTimestamp)
    this.#offsets.flush()
    this.#times.flush()
    this.#offsetIndex = undefined
    this.#timeIndex = undefined
    if (this.#isLaidOut) this.#storage.truncate(this.#path, this.#size)
    this.#isLaidOut = false
  }

  /**
   * Takes over the list of aborted transactions of a segment whose batches are in this one now. Nothing here reads such
   * lists so far, but a log that was taken over from Kafka would lose them.
   */
  takeAborted(source: Segment): void {
    const path = source.#pathOf('txnindex')
    const size = this.#storage.exists(path) ? this.#storage.size(path) : 0
    for (let position = 0; position < size; position += COPY_BYTES) {
      this.#storage.append(this.#pathOf('txnindex'), this.#storage.read(path, position, COPY_BYTES))
    }
  }

  /** Resolves when the batches and what is in the index files have reached the disk. */
  async sync(): Promise<void> {
    await this.#storage.sync(this.#path)
    const paths = [...this.#indexPaths(), this.#pathOf('txnindex')]
    for (const path of paths) if (this.#storage.exists(path)) await this.#storage.sync(path)
  }

  /** The process waits until the batches have reached the disk. Index files are left to recovery. */
  syncNow(): void {
    this.#storage.syncNow(this.#path)
  }

  /** Removes the segment's files, the `.log` last of all, so that no index is ever without its log. */
  remove(): void {
    for (const path of this.#indexPaths()) this.#storage.removeNow(path)
    this.#storage.removeNow(this.#path)
  }

  #rename(stage: FileStage): string[] {
    return RENAMED.filter(suffix => this.#storage.exists(this.#pathOf(suffix))).map(suffix => {
      const renamed = segmentPath(this.#folder, this.baseOffset, suffix, stage)
      this.#storage.rename(this.#pathOf(suffix), renamed)
      return renamed
    })
  }

  get #offsets(): OffsetIndex {
    this.#offsetIndex ??= new OffsetIndex(this.#storage, this.#pathOf('index'), this.baseOffset)
    return this.#offsetIndex
  }

  get #times(): TimeIndex {
    this.#timeIndex ??= new TimeIndex(this.#storage, this.#pathOf('timeindex'), this.baseOffset)
    return this.#timeIndex
  }

  get #aborted(): TransactionIndex {
    this.#transactionIndex ??= new TransactionIndex(this.#storage, this.#pathOf('txnindex'))
    return this.#transactionIndex
  }

  #indexPaths(): string[] {
    return [this.#pathOf('index'), this.#pathOf('timeindex'), this.#pathOf('txnindex')]
  }

  #pathOf(suffix: SegmentSuffix): string {
    return segmentPath(this.#folder, this.baseOffset, suffix, this.#stage)
  }

  /** Takes a batch into timestamps and indexes. An entry describes the batch that crosses the interval. */
  #note(batch: RecordBatch, position: number, indexIntervalBytes: number): void {
    const timestamp = maxTimestampOf(batch)
    this.#endOffset = batch.nextOffset
    if (position === 0) this.#firstTimestamp = timestamp
    if (timestamp > this.largestTimestamp.timestamp) this.#largest = { timestamp, offset: batch.lastOffset }
    if (this.#bytesSinceIndexed > indexIntervalBytes) {
      this.#offsets.add(batch.lastOffset, position)
      this.#times.offer(this.largestTimestamp)
      this.#bytesSinceIndexed = 0
    }
    this.#bytesSinceIndexed += batch.sizeInBytes
  }

  #forgetIndexes(): void {
    this.#offsets.clear()
    this.#times.clear()
    this.#bytesSinceIndexed = 0
    this.#largest = undefined
    this.#firstTimestamp = undefined
    this.#endOffset = this.baseOffset
  }
}

/** Legacy entries are kept as they are, but nothing is made of their times. */
function maxTimestampOf(batch: RecordBatch): bigint {
  return batch.isLegacy ? -1n : batch.maxTimestamp
}

function checkSound(batch: RecordBatch, position: number, expectedOffset: bigint, largestOffset: bigint): void {
  const { baseOffset, lastOffset } = batch
  // The checksum does not cover the offset, and the indexes have no room for one that is far away.
  if (baseOffset < expectedOffset || lastOffset < baseOffset || lastOffset > largestOffset) {
    throw new CorruptRecordError(
      `offsets ${baseOffset} to ${lastOffset} at position ${position} where ${expectedOffset} or later must follow`,
      position
    )
  }
}
