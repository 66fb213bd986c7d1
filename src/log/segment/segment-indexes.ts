/**
 * The index files of one segment, and what they tell of it. All can be made again from its batches: the offset and the
 * time index by `note`, the list of aborted transactions by who knows what was aborted.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { Storage } from '../../storage/storage.ts'
import { OffsetIndex } from './offset-index.ts'
import type { SegmentSuffix } from './segment-names.ts'
import { TimeIndex, type TimestampOffset } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

/** Offsets have 32 bits in an index, counted from the segment's base. */
export const LARGEST_RELATIVE_OFFSET = 2_147_483_647n

export class SegmentIndexes {
  readonly #storage: Storage
  readonly #baseOffset: bigint
  readonly #pathOf: (suffix: SegmentSuffix) => string
  /** Made when they are looked into: a log may have thousands of segments, of which nobody reads but a few. */
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

  /** Where the files are, or would be. */
  get paths(): string[] {
    return [this.#pathOf('index'), this.#pathOf('timeindex'), this.#pathOf('txnindex')]
  }

  /** Largest timestamp so far and the last offset of the batch that has it; -1 when there is none. */
  get largestTimestamp(): TimestampOffset {
    this.#largest ??= this.times.last
    return this.#largest
  }

  /** Whether files of `maxBytes` at most have room for a batch that ends at `lastOffset`. */
  hasRoomFor(lastOffset: bigint, maxBytes: number): boolean {
    if (lastOffset - this.#baseOffset > LARGEST_RELATIVE_OFFSET) return false
    return !this.offsets.isFull(maxBytes) && !this.times.isFull(maxBytes)
  }

  /** Makes sure that the next `note` cannot fail. */
  reserve(): void {
    this.offsets.reserve()
    this.times.reserve()
  }

  /** Takes the next batch in. As in Kafka an entry describes the batch that comes once the interval is full. */
  note(batch: RecordBatch, position: number, intervalBytes: number): void {
    this.noteTime(batch)
    if (this.#bytesSinceEntry > intervalBytes) {
      this.offsets.add(batch.lastOffset, position)
      this.times.offer(this.largestTimestamp)
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += batch.sizeInBytes
  }

  /** Takes in how late a batch is. */
  noteTime(batch: RecordBatch): void {
    const timestamp = maxTimestampOf(batch)
    if (timestamp > this.largestTimestamp.timestamp) this.#largest = { timestamp, offset: batch.lastOffset }
  }

  /** Forgets what the batches told, whatever the files hold; the list of aborted transactions is gone at once. */
  clear(): void {
    this.offsets.clear()
    this.times.clear()
    this.aborted.clear()
    this.#largest = undefined
    this.#bytesSinceEntry = 0
  }

  /** Whether there is nothing to write to the files, nor a file that has anything else. */
  get areUnneeded(): boolean {
    return this.offsets.count === 0 && !this.paths.some(path => this.#storage.exists(path))
  }

  /** Brings the files up to date, with the final entry of the time index. */
  finish(): void {
    this.times.reserve()
    this.times.offer(this.largestTimestamp)
    this.offsets.flush()
    this.times.flush()
    this.#offsets = undefined
    this.#times = undefined
  }
}

/** Legacy entries are kept as they are, but nothing is made of their times. */
export function maxTimestampOf(batch: RecordBatch): bigint {
  return batch.isLegacy ? -1n : batch.maxTimestamp
}
