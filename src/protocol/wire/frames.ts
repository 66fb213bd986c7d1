/**
 * Splits a byte stream into Kafka frames (a 4-byte size, then as many bytes). Pure: no socket. Memory is bounded by the received
 * bytes, not by the size that a peer sends. A frame within a single chunk is a view of it; any other frame is gathered in a
 * growing buffer.
 */
import { MalformedFrame } from './bytes.ts'

const SIZE_BYTES = 4
/** Growth factor of the gathering buffer: with reads of 64 KiB, a frame of 1 MiB needs two steps. */
const GROWTH = 4
const EMPTY = Buffer.alloc(0)

/** The size of a frame is negative or above the limit. The peer probably does not use the Kafka protocol. */
export class InvalidFrameSize extends MalformedFrame {
  override name = 'InvalidFrameSize'
  /** The four bytes of the size. */
  readonly prefix: Buffer
  readonly frameBytes: number

  constructor(prefix: Buffer, maxFrameBytes: number) {
    const size = prefix.readInt32BE(0)
    super(
      size < 0
        ? `the request size ${size} is negative`
        : `a request of ${size} bytes is above socket.request.max.bytes, which is ${maxFrameBytes}`
    )
    this.prefix = prefix
    this.frameBytes = size
  }
}

/** Splits the stream of a connection into frames. The caller pushes chunks and pulls frames. */
export class FrameDecoder {
  readonly #maxFrameBytes: number
  /** Unread chunks in order. The next read is at #position of the first chunk. */
  #chunks: Buffer[] = []
  #position = 0
  #waitingBytes = 0
  /** The received part of the size prefix of the current frame. */
  readonly #prefix = Buffer.alloc(SIZE_BYTES)
  #prefixBytes = 0
  /** The current frame, if it spans several chunks. */
  #gathered = EMPTY
  #gatheredBytes = 0

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Number of pushed chunks that are not read completely. */
  get waitingChunks(): number {
    return this.#chunks.length
  }

  /** Number of pushed bytes that are not read. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Memory of the received bytes that are not returned as a frame yet. */
  get heldBytes(): number {
    return this.#waitingBytes + this.#gathered.length
  }

  /** True between two frames: no byte of the next frame has arrived. */
  get atBoundary(): boolean {
    return this.#waitingBytes === 0 && this.#prefixBytes === 0
  }

  /** Adds a chunk. The caller must not change it afterwards. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#waitingBytes += chunk.length
  }

  /**
   * The next complete frame without its size; undefined if more bytes are needed. The frame may be a view of a chunk. Throws
   * InvalidFrameSize as soon as the size has arrived and is invalid; the decoder must not be used afterwards.
   */
  next(): Buffer | undefined {
    while (this.#prefixBytes < SIZE_BYTES) {
      const piece = this.#take(SIZE_BYTES - this.#prefixBytes)
      if (piece.length === 0) return undefined
      this.#prefixBytes += piece.copy(this.#prefix, this.#prefixBytes)
    }
    const frameBytes = this.#prefix.readInt32BE(0)
    if (frameBytes < 0 || frameBytes > this.#maxFrameBytes) {
      throw new InvalidFrameSize(Buffer.from(this.#prefix), this.#maxFrameBytes)
    }
    for (;;) {
      const piece = this.#take(frameBytes - this.#gatheredBytes)
      if (piece.length === frameBytes) return this.#finish(piece)
      if (piece.length === 0) return undefined
      this.#gather(piece, frameBytes)
      if (this.#gatheredBytes === frameBytes) return this.#finish(this.#gathered)
    }
  }

  /** At most `length` bytes of the first chunk; empty if there is no chunk. */
  #take(length: number): Buffer {
    const chunk = this.#chunks[0]
    if (chunk === undefined) return EMPTY
    const piece = chunk.subarray(this.#position, this.#position + length)
    this.#position += piece.length
    this.#waitingBytes -= piece.length
    if (this.#position === chunk.length) {
      this.#chunks.shift()
      this.#position = 0
    }
    return piece
  }

  #gather(piece: Buffer, frameBytes: number): void {
    const neededBytes = this.#gatheredBytes + piece.length
    if (neededBytes > this.#gathered.length) {
      const grown = Buffer.allocUnsafe(Math.min(frameBytes, neededBytes * GROWTH))
      this.#gathered.copy(grown, 0, 0, this.#gatheredBytes)
      this.#gathered = grown
    }
    piece.copy(this.#gathered, this.#gatheredBytes)
    this.#gatheredBytes = neededBytes
  }

  #finish(frame: Buffer): Buffer {
    this.#prefixBytes = 0
    this.#gathered = EMPTY
    this.#gatheredBytes = 0
    return frame
  }
}
