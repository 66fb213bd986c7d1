/**
 * Reused memory for the record bytes of Fetch responses: one pool for each node. A buffer returns to the pool when the socket has
 * taken the response. Code that keeps views of what it reads (recovery, journals, compaction) reads into memory of its own.
 */

/** Memory for a read. */
export interface BufferSource {
  /** A buffer of exactly `length` bytes with any content. */
  take(length: number): Buffer
}

/** Memory that no pool takes back: the garbage collector frees it. */
export const OWN_MEMORY: BufferSource = { take: length => Buffer.allocUnsafe(length) }

export interface BufferPoolOptions {
  /** Limit on the bytes of buffers that nothing uses. */
  readonly maxFreeBytes?: number
  /** True: a buffer that returns is overwritten, so that a test which reads it after its return fails. */
  readonly overwritesReturned?: boolean
}

const MAX_FREE_BYTES = 16 * 1024 * 1024
const SMALLEST_BYTES = 16_384
/** The sizes between two powers of two. At most a quarter of a buffer is unused. */
const SIZES_PER_DOUBLING = 4
const OVERWRITTEN = 0xa5

/** Our own tests set this variable, for the processes that they start, too. */
const OVERWRITES_RETURNED = process.env.MINIKAFKA_OVERWRITE_BUFFERS === '1'

export class BufferPool {
  readonly #maxFreeBytes: number
  readonly #overwritesReturned: boolean
  /** Free buffers by size, least recently used size first. */
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0
  #lentBytes = 0

  constructor({ maxFreeBytes = MAX_FREE_BYTES, overwritesReturned = OVERWRITES_RETURNED }: BufferPoolOptions = {}) {
    this.#maxFreeBytes = maxFreeBytes
    this.#overwritesReturned = overwritesReturned
  }

  /** Bytes of the buffers in use. */
  get lentBytes(): number {
    return this.#lentBytes
  }

  /** Bytes of the buffers that wait for use. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** A buffer of at least `length` bytes. Nothing else uses its memory until it is given back. */
  lend(length: number): Buffer {
    const size = sizeFor(length)
    this.#lentBytes += size
    const buffer = this.#free.get(size)?.pop()
    if (!buffer) return Buffer.allocUnsafeSlow(size)
    this.#freeBytes -= size
    return buffer
  }

  /** Takes back a buffer that `lend` returned. The caller must hold no view of it. */
  giveBack(buffer: Buffer): void {
    const size = buffer.length
    if (this.#overwritesReturned) buffer.fill(OVERWRITTEN)
    this.#lentBytes -= size
    const ofThisSize = this.#free.get(size) ?? []
    ofThisSize.push(buffer)
    this.#free.delete(size)
    this.#free.set(size, ofThisSize)
    this.#freeBytes += size
    this.#shrink()
  }

  #shrink(): void {
    for (const [size, buffers] of this.#free) {
      while (this.#freeBytes > this.#maxFreeBytes && buffers.pop()) this.#freeBytes -= size
      if (this.#freeBytes <= this.#maxFreeBytes) return
      this.#free.delete(size)
    }
  }
}

/** The buffers of one request. */
export class RequestBuffers implements BufferSource {
  readonly #pool: BufferPool
  #lent: Buffer[] = NONE

  constructor(pool: BufferPool) {
    this.#pool = pool
  }

  take(length: number): Buffer {
    const buffer = this.#pool.lend(length)
    if (this.#lent === NONE) this.#lent = [buffer]
    else this.#lent.push(buffer)
    return buffer.subarray(0, length)
  }

  /** Bytes of the buffers in use. */
  get lentBytes(): number {
    return this.#lent.reduce((sum, { length }) => sum + length, 0)
  }

  /** Gives all buffers back. The caller must hold no view of them. */
  release(): void {
    const lent = this.#lent
    this.#lent = NONE
    for (const buffer of lent) this.#pool.giveBack(buffer)
  }
}

/** Most requests take no buffer. */
const NONE: Buffer[] = []

function sizeFor(length: number): number {
  if (length <= SMALLEST_BYTES) return SMALLEST_BYTES
  const step = 2 ** (31 - Math.clz32(length - 1)) / SIZES_PER_DOUBLING
  return Math.ceil(length / step) * step
}
