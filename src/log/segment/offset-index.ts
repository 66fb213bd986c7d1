/**
 * The offset index of a segment (`.index`): 8-byte entries of (last offset of a batch, position of that batch), one per
 * index interval. The offset is relative to the segment's base offset.
 */

import type { Storage } from '../../storage/storage.ts'
import { EntryFile } from './entry-file.ts'

const ENTRY_BYTES = 8

export class OffsetIndex {
  readonly #baseOffset: bigint
  readonly #entries: EntryFile

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

  /** Whether a file of at most `maxBytes` has no room for another entry. */
  isFull(maxBytes: number): boolean {
    return this.count >= Math.floor(maxBytes / ENTRY_BYTES)
  }

  /** Flushes a full buffer, so that the next `add` cannot fail. */
  reserve(): void {
    this.#entries.reserve()
  }

  /** Adds an entry. Offsets and positions must be larger than those of the last entry. */
  add(lastOffset: bigint, position: number): void {
    this.#entries.add(entry => {
      entry.writeInt32BE(Number(lastOffset - this.#baseOffset), 0)
      entry.writeInt32BE(position, 4)
    })
  }

  /** Position of a batch at or before the batch that holds `offset`; 0 if no entry is that early. */
  positionBefore(offset: bigint): number {
    const relativeOffset = Number(offset - this.#baseOffset)
    return this.#entries.lastWhere(entry => entry.readInt32BE(0) <= relativeOffset)?.readInt32BE(4) ?? 0
  }

  /** Offset of the first entry whose batch begins at or after `position`; undefined if there is none. */
  offsetAt(position: number): bigint | undefined {
    const entry = this.#entries.firstNotWhere(candidate => candidate.readInt32BE(4) < position)
    return entry && this.#baseOffset + BigInt(entry.readInt32BE(0))
  }

  /** Position of the batch of the last entry; 0 without entries. */
  get lastPosition(): number {
    return this.#entries.last?.readInt32BE(4) ?? 0
  }

  /** Removes all entries. The file changes with the next `flush`. */
  clear(): void {
    this.#entries.clear()
  }

  /** Writes the buffered entries and creates the file if it does not exist. */
  flush(): void {
    this.#entries.flush()
  }
}
