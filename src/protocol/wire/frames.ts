/**
 * Chunks of a byte stream -> whole Kafka frames (a 4-byte size, then so many bytes). Pure: no socket.
 * Memory follows the bytes that have arrived, never the size that a peer claims: a frame that lies within one chunk
 * is a view on it, any other is gathered in a buffer that grows with what arrives.
 */
import { MalformedFrame } from './bytes.ts'

const SIZE_BYTES = 4
/** The gathering buffer grows in steps of this factor: 64 KiB reads make a frame of 1 MiB in two steps. */
const GROWTH = 4
const EMPTY = Buffer.alloc(0)

/** The size in front of a frame is negative or above the limit: whoever sent it is likely not speaking Kafka. */
export class InvalidFrameSize extends MalformedFrame {
  override name = 'InvalidFrameSize'
  /** The four bytes that were read as a size. */
  readonly prefix: Buffer

  constructor(prefix: Buffer, maxFrameBytes: number) {
    const size = prefix.readInt32BE(0)
    super(
      size < 0
        ? `a request cannot have a negative size (${size})`
        : `a request of ${size} bytes is larger than the ${maxFrameBytes} that socket.request.max.bytes allows`
    )
    this.prefix = prefix
  }
}

/** Cuts one connection's stream into frames. The caller pushes chunks and pulls frames one by one. */
export class FrameDecoder {
  readonly #maxFrameBytes: number
  /** Chunks that have not been read to their end, in order; reading stands at #position of the first. */
  #chunks: Buffer[] = []
  #position = 0
  #waitingBytes = 0
  /** The size prefix of the frame being read, as far as it has arrived. */
  readonly #prefix = Buffer.alloc(SIZE_BYTES)
  #prefixBytes = 0
  /** The frame being gathered from several chunks. */
  #gathered = EMPTY
  #gatheredBytes = 0

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Chunks pushed and not yet read. */
  get waitingChunks(): number {
    return this.#chunks.length
  }

  /** Bytes pushed and not yet read. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Bytes of memory in use for what has arrived and not yet left as a frame. */
  get heldBytes(): number {
    return this.#waitingBytes + this.#gathered.length
  }

  /** Whether the stream stands between two frames: nothing of a next one has arrived. */
  get atBoundary(): boolean {
    return this.#waitingBytes === 0 && this.#prefixBytes === 0
  }

  /** Takes in a chunk. The caller must not change it afterwards. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#waitingBytes += chunk.length
  }

  /**
   * The next whole frame without its size, or undefined until more has arrived. The frame may be a view on a chunk.
   * Throws InvalidFrameSize as soon as the size is known to be wrong; the decoder is of no use after that.
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

  /** Up to `length` bytes of the first chunk; none when nothing is waiting. */
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
