/** A file in memory. Written bytes are never overwritten, so the views that `read` returned stay valid. */
import { assert } from '../runtime/assert.ts'
import type { Random } from '../runtime/random.ts'

const SMALLEST_CHUNK_BYTES = 256
const LARGEST_CHUNK_BYTES = 1 << 20

interface Chunk {
  /** Position in the file of the first byte. */
  readonly start: number
  readonly bytes: Buffer
  used: number
}

/** A file as a list of chunks; an append takes amortised O(1) for each byte. */
export class MemoryFile {
  /** Modification time, in milliseconds since the Unix epoch. */
  modifiedMs = 0
  #chunks: Chunk[] = []
  /** Bytes written, without preallocated zeros. */
  #size = 0
  /** Preallocated zeros after the written bytes. They take no memory. */
  #zeros = 0
  /** Bytes that survive a loss of power. */
  #syncedSize = 0
  /** The file before a truncation that has not been synced; a loss of power may restore it. */
  #uncut: { chunks: Chunk[]; size: number; syncedSize: number } | undefined

  get size(): number {
    return this.#size + this.#zeros
  }

  get syncedSize(): number {
    return this.#syncedSize
  }

  /** Makes the current content durable. */
  sync(): void {
    this.#syncedSize = this.#size
    this.#uncut = undefined
  }

  /** Undoes a random part of the unsynced changes: a truncation, or the appended bytes from a random position. */
  losePower(random: Random): void {
    const { size } = this
    const isLaidOut = this.#zeros > 0
    if (this.#uncut && random.below(2) === 0) {
      this.#chunks = this.#uncut.chunks
      this.#size = this.#uncut.size
      this.truncate(this.#uncut.syncedSize)
    } else {
      this.truncate(this.#syncedSize + random.below(this.#size - this.#syncedSize + 1))
    }
    if (isLaidOut) this.extend(size)
    this.sync()
  }

  /** Appends at `position`, by default the end of the file. A lower position replaces preallocated zeros. */
  append(bytes: Buffer, position = this.size): void {
    if (position > this.#size) this.append(Buffer.alloc(position - this.#size), this.#size)
    assert(position === this.#size, 'an append begins at the end of the file')
    this.#zeros = Math.max(0, this.#zeros - bytes.length)
    let taken = 0
    while (taken < bytes.length) {
      const chunk = this.#roomFor(bytes.length - taken)
      const count = bytes.copy(chunk.bytes, chunk.used, taken)
      chunk.used += count
      taken += count
      this.#size += count
    }
  }

  extend(size: number): void {
    this.#zeros = Math.max(this.#zeros, size - this.#size)
  }

  /** Copies the range to `into`. Without it, returns a view if the range is in one chunk, otherwise a copy. */
  read(position: number, length: number, into?: Buffer): Buffer {
    const parts = this.#written(position, length)
    const zeros = Math.min(this.size, position + length) - Math.max(position, this.#size)
    if (zeros > 0) parts.push(Buffer.alloc(zeros))
    if (into) return gathered(parts, into)
    const [only = Buffer.alloc(0), ...more] = parts
    return more.length === 0 ? only : Buffer.concat(parts)
  }

  truncate(size: number): void {
    this.#zeros = Math.min(this.#zeros, Math.max(0, size - this.#size))
    this.#truncateWritten(size)
  }

  #written(position: number, length: number): Buffer[] {
    const end = Math.min(this.#size, position + length)
    const parts: Buffer[] = []
    if (position >= end) return parts
    for (let at = position, index = this.#chunkAt(position); at < end; index++) {
      const chunk = this.#chunks[index]
      if (!chunk) break
      const part = chunk.bytes.subarray(at - chunk.start, Math.min(chunk.used, end - chunk.start))
      parts.push(part)
      at += part.length
    }
    return parts
  }

  #truncateWritten(size: number): void {
    if (size >= this.#size) return
    if (size < this.#syncedSize)
      this.#uncut ??= { chunks: this.#chunks, size: this.#size, syncedSize: this.#syncedSize }
    this.#chunks = this.#chunks.filter(chunk => chunk.start < size)
    const last = this.#chunks.pop()
    // No append reuses the rest of the last chunk: views of the removed bytes may still be in use.
    if (last)
      this.#chunks.push({
        start: last.start,
        bytes: last.bytes.subarray(0, size - last.start),
        used: size - last.start
      })
    this.#size = size
    this.#syncedSize = Math.min(this.#syncedSize, size)
  }

  /** The chunk for the next bytes, with space for at least one. */
  #roomFor(length: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last && last.used < last.bytes.length) return last
    const capacity = Math.max(SMALLEST_CHUNK_BYTES, Math.min(LARGEST_CHUNK_BYTES, Math.max(length, this.#size)))
    const chunk = { start: this.#size, bytes: Buffer.allocUnsafeSlow(capacity), used: 0 }
    this.#chunks.push(chunk)
    return chunk
  }

  /** Index of the chunk that holds `position`. */
  #chunkAt(position: number): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#chunks[middle]?.start ?? 0) <= position) low = middle
      else high = middle - 1
    }
    return low
  }
}

function gathered(parts: readonly Buffer[], into: Buffer): Buffer {
  let length = 0
  for (const part of parts) length += part.copy(into, length)
  return into.subarray(0, length)
}
