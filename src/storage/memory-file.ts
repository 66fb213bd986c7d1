/** The bytes of one file in memory. Views that were handed out keep showing what they showed: no byte is ever overwritten. */
import { assert } from '../runtime/assert.ts'
import type { Random } from '../runtime/random.ts'

const SMALLEST_CHUNK_BYTES = 256
const LARGEST_CHUNK_BYTES = 1 << 20

interface Chunk {
  /** Where in the file the chunk begins. */
  readonly start: number
  readonly bytes: Buffer
  used: number
}

/** Bytes that can be added to, cut and read at any position; adding is amortised O(1). */
export class MemoryFile {
  /** When it was last written to. */
  modifiedMs = 0
  #chunks: Chunk[] = []
  /** Of what was written. */
  #size = 0
  /** How many bytes are laid out behind, of which nothing is known but that they are zero. */
  #zeros = 0
  /** So much of the file would survive a loss of power. */
  #syncedSize = 0
  /** What the disk had before a cut that was not synced yet. */
  #uncut: { chunks: Chunk[]; size: number; syncedSize: number } | undefined

  get size(): number {
    return this.#size + this.#zeros
  }

  get syncedSize(): number {
    return this.#syncedSize
  }

  /** Marks all that is there as safe from a loss of power. */
  sync(): void {
    this.#syncedSize = this.#size
    this.#uncut = undefined
  }

  /** Takes back what chance will of all that was not synced: added bytes from any one on, or a cut. */
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

  /** `position`: where what was written ends; bytes that were laid out behind are used up. */
  append(bytes: Buffer, position = this.size): void {
    if (position > this.#size) this.append(Buffer.alloc(position - this.#size), this.#size)
    assert(position === this.#size, 'nothing is written twice')
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

  /** A view where the range lies in one chunk, else a copy of the range. */
  read(position: number, length: number): Buffer {
    const zeros = Math.min(this.size, position + length) - Math.max(position, this.#size)
    if (zeros <= 0) return this.#written(position, length)
    return Buffer.concat([this.#written(position, length), Buffer.alloc(zeros)])
  }

  truncate(size: number): void {
    this.#zeros = Math.min(this.#zeros, Math.max(0, size - this.#size))
    this.#truncateWritten(size)
  }

  #written(position: number, length: number): Buffer {
    const end = Math.min(this.#size, position + length)
    if (position >= end) return Buffer.alloc(0)
    const parts: Buffer[] = []
    for (let at = position, index = this.#chunkAt(position); at < end; index++) {
      const chunk = this.#chunks[index]
      if (!chunk) break
      const part = chunk.bytes.subarray(at - chunk.start, Math.min(chunk.used, end - chunk.start))
      parts.push(part)
      at += part.length
    }
    const [only, ...more] = parts
    return only && more.length === 0 ? only : Buffer.concat(parts)
  }

  #truncateWritten(size: number): void {
    if (size >= this.#size) return
    if (size < this.#syncedSize)
      this.#uncut ??= { chunks: this.#chunks, size: this.#size, syncedSize: this.#syncedSize }
    this.#chunks = this.#chunks.filter(chunk => chunk.start < size)
    const last = this.#chunks.pop()
    // The last chunk is closed at its new end, for somebody may still look at what lay behind it.
    if (last)
      this.#chunks.push({
        start: last.start,
        bytes: last.bytes.subarray(0, size - last.start),
        used: size - last.start
      })
    this.#size = size
    this.#syncedSize = Math.min(this.#syncedSize, size)
  }

  /** The chunk that the next bytes go to, with room for at least one. */
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
