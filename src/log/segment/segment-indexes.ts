/**
 * The index files of one segment. All can be rebuilt from the batches: `note` rebuilds the offset index and the time index;
 * a replay of the transactions in the log rebuilds the transaction index.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { Storage } from '../../storage/storage.ts'
import { OffsetIndex } from './offset-index.ts'
import type { SegmentSuffix } from './segment-names.ts'
import { TimeIndex, type TimestampOffset } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

/** Largest offset in an index entry: 32 bits, relative to the segment's base offset. */
export const LARGEST_RELATIVE_OFFSET = 2_147_483_647n

export class SegmentIndexes {
  readonly #storage: Storage
  readonly #baseOffset: bigint
  readonly #pathOf: (suffix: SegmentSuffix) => string
  /** Created on first use: a log may have thousands of segments, and most are never read. */
  #offsets: OffsetIndex | undefined
  #times: TimeIndex | undefined
  #aborted: TransactionIndex | undefined
  #largest: TimestampOffset | undefined
  #bytesSinceEntry = 0

  constructor(storage: Storage, baseOffset: bigint, pathOf: (suffix: SegmentSuffix) => string) {
    this.#storage = storage
    this.#baseOffset = baseOffset
    this.#pathOf = pathOf
  }

  get offsets(): OffsetIndex {
    this.#offsets ??= new OffsetIndex(this.#storage, this.#pathOf('index'), this.#baseOffset)
    return this.#offsets
  }

  get times(): TimeIndex {
    this.#times ??= new TimeIndex(this.#storage, this.#pathOf('timeindex'), this.#baseOffset)
    return this.#times
  }

  get aborted(): TransactionIndex {
    this.#aborted ??= new TransactionIndex(this.#storage, this.#pathOf('txnindex'))
    return this.#aborted
  }

  /** Paths of the index files, existing or not. */
  get paths(): string[] {
    return [this.#pathOf('index'), this.#pathOf('timeindex'), this.#pathOf('txnindex')]
  }

  /** Largest timestamp so far and the last offset of its batch; -1 without a timestamp. */
  get largestTimestamp(): TimestampOffset {
    this.#largest ??= this.times.last
    return this.#largest
  }

  /** Whether index files of at most `maxBytes` have room for a batch that ends at `lastOffset`. */
  hasRoomFor(lastOffset: bigint, maxBytes: number): boolean {
    if (lastOffset - this.#baseOffset > LARGEST_RELATIVE_OFFSET) return false
    return !this.offsets.isFull(maxBytes) && !this.times.isFull(maxBytes)
  }

  /** Flushes full buffers, so that the next `note` cannot fail. */
  reserve(): void {
    this.offsets.reserve()
    this.times.reserve()
  }

  /** Indexes the next batch. As in Kafka, the first batch after `intervalBytes` gets the entries. */
  note(batch: RecordBatch, position: number, intervalBytes: number): void {
    this.noteTime(batch)
    if (this.#bytesSinceEntry > intervalBytes) {
      this.offsets.add(batch.lastOffset, position)
      this.times.offer(this.largestTimestamp)
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += batch.sizeInBytes
  }

  /** Updates the largest timestamp with that of a batch. */
  noteTime(batch: RecordBatch): void {
    const timestamp = maxTimestampOf(batch)
    if (timestamp > this.largestTimestamp.timestamp) this.#largest = { timestamp, offset: batch.lastOffset }
  }

  /** Removes all entries. The transaction index is deleted at once; the other files change with the next `finish`. */
  clear(): void {
    this.offsets.clear()
    this.times.clear()
    this.aborted.clear()
    this.#largest = undefined
    this.#bytesSinceEntry = 0
  }

  /** Whether the offset index has no entry and no index file exists. */
  get areUnneeded(): boolean {
    return this.offsets.count === 0 && !this.paths.some(path => this.#storage.exists(path))
  }

  /** Writes the index files, including the final entry of the time index. */
  finish(): void {
    this.times.reserve()
    this.times.offer(this.largestTimestamp)
    this.offsets.flush()
    this.times.flush()
    this.#offsets = undefined
    this.#times = undefined
  }
}

/** Largest timestamp of a batch; -1 for legacy message formats, whose timestamps are not indexed. */
export function maxTimestampOf(batch: RecordBatch): bigint {
  return batch.isLegacy ? -1n : batch.maxTimestamp
}
