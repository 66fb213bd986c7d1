/**
 * Decodes the primitive types of the protocol from a bounded window of a Buffer; byte-writer.ts encodes them. Malformed input
 * throws MalformedFrame before memory is allocated for it.
 */

/** The bytes violate the protocol. The connection that sent them is closed. */
export class MalformedFrame extends Error {
  override name = 'MalformedFrame'
}

/** Kafka's text form (22 characters of base64url) of the zero UUID, which means "no id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * A copy that shares no memory. `Buffer.from` would allocate a small copy in a slab of 8 KiB and keep the whole slab in memory.
 */
export function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}

/** Longest encodings of 32-bit and 64-bit values. */
export const MAX_VARINT_BYTES = 5
export const MAX_VARLONG_BYTES = 10

/**
 * Limit on the elements of all arrays of a message. A decoded element takes up to 30 times its encoded size. With only the limit
 * on the frame size, a frame of empty names could fill the memory and block all other requests. Kafka has no such limit.
 */
const MOST_ELEMENTS = 100_000

/** Reads big-endian primitives from a window of a Buffer. Byte strings are views, without copying. */
export class ByteReader {
  readonly #buffer: Buffer
  readonly #end: number
  /** Shared by all windows of a message. */
  readonly #budget: { elements: number }
  #position: number

  constructor(buffer: Buffer, position = 0, end = buffer.length, budget = { elements: MOST_ELEMENTS }) {
    this.#buffer = buffer
    this.#position = position
    this.#end = end
    this.#budget = budget
  }

  get position(): number {
    return this.#position
  }

  get remaining(): number {
    return this.#end - this.#position
  }

  int8(): number {
    return this.#buffer.readInt8(this.#take(1))
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2))
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4))
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#take(4))
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8))
  }

  float64(): number {
    return this.#buffer.readDoubleBE(this.#take(8))
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  uuid(): string {
    const start = this.#take(16)
    return this.#buffer.toString('base64url', start, start + 16)
  }

  /** Unsigned LEB128 of at most 32 bits. */
  uvarint(): number {
    let value = 0
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#buffer.readUInt8(this.#take(1))
      value += (byte & 0x7f) * 2 ** (7 * count)
      if (byte < 0x80) return value % 2 ** 32
    }
    throw new MalformedFrame(`a varint at position ${this.#position} is longer than ${MAX_VARINT_BYTES} bytes`)
  }

  /** Zigzag LEB128 of at most 32 bits. */
  varint(): number {
    const raw = this.uvarint()
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** Zigzag LEB128 of at most 64 bits. */
  varlong(): bigint {
    let raw = 0n
    for (let count = 0n; count < MAX_VARLONG_BYTES; count++) {
      const byte = this.#buffer.readUInt8(this.#take(1))
      raw |= BigInt(byte & 0x7f) << (7n * count)
      if (byte < 0x80) return BigInt.asIntN(64, (BigInt.asUintN(64, raw) >> 1n) ^ -(raw & 1n))
    }
    throw new MalformedFrame(`a varlong at position ${this.#position} is longer than ${MAX_VARLONG_BYTES} bytes`)
  }

  /** `length` bytes as a view of the buffer. */
  bytes(length: number): Buffer {
    const start = this.#take(length)
    return this.#buffer.subarray(start, start + length)
  }

  /** `length` bytes of UTF-8. */
  utf8(length: number): string {
    const start = this.#take(length)
    return this.#buffer.toString('utf8', start, start + length)
  }

  /** A reader of the next `length` bytes. This reader skips them. */
  window(length: number): ByteReader {
    const start = this.#take(length)
    return new ByteReader(this.#buffer, start, start + length, this.#budget)
  }

  /** Counts the elements of an array against the limit before the array is allocated. */
  spend(count: number): void {
    this.#budget.elements -= count
    if (this.#budget.elements < 0) throw new MalformedFrame(`a message has more than ${MOST_ELEMENTS} array elements`)
  }

  #take(length: number): number {
    const start = this.#position
    if (length < 0 || length > this.#end - start) {
      throw new MalformedFrame(`${length} bytes are required at position ${start}, but ${this.#end - start} remain`)
    }
    this.#position = start + length
    return start
  }
}
