/**
 * The time index of a segment (`.timeindex`): 12-byte entries of (largest timestamp so far, last offset of the first batch
 * that has it). Timestamps ascend strictly.
 */

import type { Storage } from '../../storage/storage.ts'
import { EntryFile } from './entry-file.ts'

const ENTRY_BYTES = 12

/** A timestamp in milliseconds and an offset that belongs to it. */
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

  /** The newest entry; timestamp -1 at the base offset without entries. */
  get last(): TimestampOffset {
    this.#last ??= this.#of(this.#entries.last)
    return this.#last
  }

  /** Whether a file of at most `maxBytes` has no room but for the final entry, which `finish` of a segment adds. */
  isFull(maxBytes: number): boolean {
    return this.count >= Math.floor(maxBytes / ENTRY_BYTES) - 1
  }

  /** Flushes a full buffer, so that the next `offer` cannot fail. */
  reserve(): void {
    this.#entries.reserve()
  }

  /** Adds an entry if its timestamp is larger than that of the last entry. */
  offer(largest: TimestampOffset): void {
    if (largest.timestamp <= this.last.timestamp) return
    this.#entries.add(entry => {
      entry.writeBigInt64BE(largest.timestamp, 0)
      entry.writeInt32BE(Number(largest.offset - this.#baseOffset), 8)
    })
    this.#last = largest
  }

  /** The last entry with a timestamp at or before `timestamp`; timestamp -1 at the base offset if there is none. */
  entryBefore(timestamp: bigint): TimestampOffset {
    return this.#of(this.#entries.lastWhere(entry => entry.readBigInt64BE(0) <= timestamp))
  }

  /** Removes all entries. The file changes with the next `flush`. */
  clear(): void {
    this.#entries.clear()
    this.#last = undefined
  }

  /** Writes the buffered entries and creates the file if it does not exist. */
  flush(): void {
    this.#entries.flush()
  }

  #of(entry: Buffer | undefined): TimestampOffset {
    if (!entry) return { timestamp: -1n, offset: this.#baseOffset }
    return { timestamp: entry.readBigInt64BE(0), offset: this.#baseOffset + BigInt(entry.readInt32BE(8)) }
  }
}
