/**
 * A window on the bytes of the records of a batch. It covers all bytes of an uncompressed batch. Of a compressed batch, it
 * covers only as many decompressed bytes as a record needs.
 */
import { KafkaError } from '../errors.ts'
import { MAX_VARINT_BYTES, MAX_VARLONG_BYTES } from '../wire/bytes.ts'
import type { RecordBatch } from './batch.ts'
import { decompress } from './compression/codecs.ts'

/** Bit of a varint byte: another byte follows. */
const CONTINUES = 0x80
/** Bits of a varlong that 32-bit arithmetic can decode: as a time, 37 hours. */
const SHORT_VARLONG_BITS = 28

/** The error for bytes that are not a valid record. */
export function invalidRecord(why: string): KafkaError {
  return new KafkaError('INVALID_RECORD', why)
}

/** Reads the fields of records. Throws INVALID_RECORD if the bytes end too early. */
export class RecordWindow {
  /** Position of the next read. The caller may advance it without a check. If it is past the end, the next read throws. */
  position = 0
  #bytes: Buffer
  readonly #pieces: Iterator<Buffer> | undefined

  /** `limit` is the largest decompressed size of the batch. */
  constructor(batch: RecordBatch, limit: number) {
    const codec = batch.codec
    this.#bytes = codec === 'none' ? batch.recordBytes : Buffer.alloc(0)
    this.#pieces = codec === 'none' ? undefined : decompress(codec, batch.recordBytes, limit)
  }

  /** Zigzag LEB128 of 32 bits. One and two bytes are the common cases; this function is short enough for inlining. */
  varint(): number {
    const bytes = this.#bytes
    const first = bytes[this.position] ?? CONTINUES
    if (first < CONTINUES) {
      this.position++
      return (first >>> 1) ^ -(first & 1)
    }
    const second = bytes[this.position + 1] ?? CONTINUES
    if (second >= CONTINUES) return this.#longVarint()
    this.position += 2
    return (((second << 7) | (first & 0x7f)) >>> 1) ^ -(first & 1)
  }

  /** Zigzag LEB128 of 64 bits. Returns a bigint only if a number would not be exact. */
  varlong(): number | bigint {
    const start = this.position
    let raw = 0
    for (let shift = 0; shift < SHORT_VARLONG_BITS; shift += 7) {
      const byte = this.#byte()
      raw |= (byte & 0x7f) << shift
      if (byte < CONTINUES) return (raw >>> 1) ^ -(raw & 1)
    }
    this.position = start
    return narrow(this.#wideVarlong())
  }

  /** A view of `length` bytes that the position has passed; null for a negative length. */
  view(position: number, length: number): Buffer | null {
    return length < 0 ? null : this.#bytes.subarray(position, position + length)
  }

  /** As `view`, for text. */
  utf8(position: number, length: number): string {
    return this.#bytes.toString('utf8', position, position + length)
  }

  /**
   * True if `length` bytes follow the position. Decompresses as many pieces as needed. It may then drop the bytes before the
   * position and restart the positions at 0.
   */
  reach(length: number): boolean {
    const remaining = this.#bytes.length - this.position
    return remaining >= length || (this.#pieces !== undefined && this.#widen(this.#pieces, length, remaining))
  }

  /** True if any byte follows. Consumes pieces without extending the window: nothing may be read after the result true. */
  hasMore(): boolean {
    if (this.position < this.#bytes.length) return true
    for (;;) {
      const piece = this.#pieces?.next()
      if (!piece || piece.done) return false
      if (piece.value.length > 0) return true
    }
  }

  /** Ends the decompression. */
  close(): void {
    this.#pieces?.return?.()
  }

  #widen(pieces: Iterator<Buffer>, length: number, remaining: number): boolean {
    const parts = remaining > 0 ? [this.#bytes.subarray(this.position)] : []
    let total = remaining
    while (total < length) {
      const piece = pieces.next()
      if (piece.done) break
      parts.push(piece.value)
      total += piece.value.length
    }
    const [only, ...more] = parts
    this.#bytes = only && more.length === 0 ? only : Buffer.concat(parts, total)
    this.position = 0
    return total >= length
  }

  #longVarint(): number {
    let raw = 0
    for (let shift = 0; shift < 7 * MAX_VARINT_BYTES; shift += 7) {
      const byte = this.#byte()
      raw |= (byte & 0x7f) << shift
      if (byte < CONTINUES) return (raw >>> 1) ^ -(raw & 1)
    }
    throw invalidRecord(`a varint of a record is longer than ${MAX_VARINT_BYTES} bytes`)
  }

  #wideVarlong(): bigint {
    let raw = 0n
    for (let count = 0; count < MAX_VARLONG_BYTES; count++) {
      const byte = this.#byte()
      raw |= BigInt(byte & 0x7f) << BigInt(7 * count)
      if (byte < CONTINUES) return BigInt.asIntN(64, (BigInt.asUintN(64, raw) >> 1n) ^ -(raw & 1n))
    }
    throw invalidRecord(`a varlong of a record is longer than ${MAX_VARLONG_BYTES} bytes`)
  }

  #byte(): number {
    const byte = this.#bytes[this.position++]
    if (byte === undefined) throw invalidRecord('a record is truncated')
    return byte
  }
}

/** The value as a number if that is exact. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
