/**
 * Where in a segment's file to begin looking for an offset: 8-byte entries of (last offset of a batch, position of that
 * batch), every few kilobytes. The offset is relative to the segment's base.
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

  /** Makes sure that the next `add` cannot fail. */
  reserve(): void {
    this.#entries.reserve()
  }

  /** Offsets and positions only ever grow. */
  add(lastOffset: bigint, position: number): void {
    this.#entries.add(entry => {
      entry.writeInt32BE(Number(lastOffset - this.#baseOffset), 0)
      entry.writeInt32BE(position, 4)
    })
  }

  /** Position of a batch that begins at or before the one that holds `offset`. */
  positionBefore(offset: bigint): number {
    const relativeOffset = Number(offset - this.#baseOffset)
    return this.#entries.lastWhere(entry => entry.readInt32BE(0) <= relativeOffset)?.readInt32BE(4) ?? 0
  }

  /** The offset of the first entry whose batch begins at `position` or later; undefined when there is none. */
  offsetAt(position: number): bigint | undefined {
    const entry = this.#entries.firstNotWhere(candidate => candidate.readInt32BE(4) < position)
    return entry && this.#baseOffset + BigInt(entry.readInt32BE(0))
  }

  /** Position of the batch that the last entry speaks of. */
  get lastPosition(): number {
    return this.#entries.last?.readInt32BE(4) ?? 0
  }

  /** Forgets everything, whatever the file holds. */
  clear(): void {
    this.#entries.clear()
  }

  /** Writes out what waits in memory. The file exists afterwards. */
  flush(): void {
    this.#entries.flush()
  }
}
