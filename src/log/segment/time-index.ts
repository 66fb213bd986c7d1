/**
 * How late it was at which offset of a segment: 12-byte entries of (largest timestamp so far, last offset of the first
 * batch that had it). Timestamps grow from entry to entry.
 */

import type { Storage } from '../../storage/storage.ts'
import { EntryFile } from './entry-file.ts'

const ENTRY_BYTES = 12

/** A timestamp in milliseconds, and an offset that belongs to it. */
export interface TimestampOffset {
  readonly timestamp: bigint
  readonly offset: bigint
}

export class TimeIndex {
  readonly #baseOffset: bigint
  readonly #entries: EntryFile
  #last: TimestampOffset | undefined

  constructor(storage: Storage, path: string, baseOffset: bigint) {
    this.#baseOffset = baseOffset
    this.#entries = new EntryFile(storage, path, ENTRY_BYTES)
  }

  get count(): number {
    return this.#entries.count
  }

  get sizeInBytes(): number {
    return this.count * ENTRY_BYTES
  }

  /** The newest entry; timestamp -1 at the base offset when there is none. */
  get last(): TimestampOffset {
    this.#last ??= this.#of(this.#entries.last)
    return this.#last
  }

  /** Whether a file of at most `maxBytes` has room for the final entry only. */
  isFull(maxBytes: number): boolean {
    return this.count >= Math.floor(maxBytes / ENTRY_BYTES) - 1
  }

  /** Makes sure that the next `offer` cannot fail. */
  reserve(): void {
    this.#entries.reserve()
  }

  /** Adds an entry, unless its timestamp is no larger than the last one. */
  offer(largest: TimestampOffset): void {
    if (largest.timestamp <= this.last.timestamp) return
    this.#entries.add(entry => {
      entry.writeBigInt64BE(largest.timestamp, 0)
      entry.writeInt32BE(Number(largest.offset - this.#baseOffset), 8)
    })
    this.#last = largest
  }

  /** The last entry that is not later than `timestamp`. */
  entryBefore(timestamp: bigint): TimestampOffset {
    return this.#of(this.#entries.lastWhere(entry => entry.readBigInt64BE(0) <= timestamp))
  }

  /** Forgets everything, whatever the file holds. */
  clear(): void {
    this.#entries.clear()
    this.#last = undefined
  }

  /** Writes out what waits in memory. The file exists afterwards. */
  flush(): void {
    this.#entries.flush()
  }

  #of(entry: Buffer | undefined): TimestampOffset {
    if (!entry) return { timestamp: -1n, offset: this.#baseOffset }
    return { timestamp: entry.readBigInt64BE(0), offset: this.#baseOffset + BigInt(entry.readInt32BE(8)) }
  }
}
