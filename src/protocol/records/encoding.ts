/** Encodes the records of a batch into a growing Buffer. The size of a record precedes its body. */
import type { BatchRecord, RecordHeader } from './record.ts'

/** A record to encode. Records of `recordsOf` are valid. */
export interface NewRecord extends Omit<BatchRecord, 'offset' | 'headers' | 'sequence'> {
  /** By default the offset after that of the previous record. */
  offset?: bigint
  headers?: readonly RecordHeader[]
}

const NO_HEADERS: readonly RecordHeader[] = []
const ATTRIBUTES_BYTES = 1
const FIRST_BYTES = 512

/** Encodes records in order. */
export class RecordWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #position: number

  /** Leaves `reservedBytes` free before the first record, for the batch header. */
  constructor(reservedBytes: number) {
    this.#position = reservedBytes
  }

  /** The reserved bytes (uninitialized) and the records so far. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#position)
  }

  append(record: NewRecord, offsetDelta: number, baseTimestamp: bigint): void {
    const headers = record.headers ?? NO_HEADERS
    // Wraps beyond int64, as the subtraction in Java does. Decoding reverses it.
    const timestampDelta = BigInt.asIntN(64, record.timestamp - baseTimestamp)
    const size = bodySize(record, headers, offsetDelta, timestampDelta)
    this.#reserve(varintSize(size) + size)
    this.#varint(size)
    this.#bytes[this.#position++] = 0 // attributes, all unused
    this.#varlong(timestampDelta)
    this.#varint(offsetDelta)
    this.#field(record.key)
    this.#field(record.value)
    this.#varint(headers.length)
    for (const { key, value } of headers) {
      this.#field(Buffer.from(key))
      this.#field(value)
    }
  }

  #reserve(length: number): void {
    const needed = this.#position + length
    if (needed <= this.#bytes.length) return
    const wider = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(wider, 0, 0, this.#position)
    this.#bytes = wider
  }

  #varint(value: number): void {
    let rest = zigzag(value) >>> 0
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#position++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#position++] = rest
  }

  #varlong(value: bigint): void {
    if (isShort(value)) {
      this.#varint(Number(value))
      return
    }
    let rest = zigzag64(value)
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#position++] = Number(rest & 0x7fn) | 0x80
    this.#bytes[this.#position++] = Number(rest)
  }

  #field(bytes: Buffer | null): void {
    this.#varint(bytes === null ? -1 : bytes.length)
    if (bytes === null) return
    bytes.copy(this.#bytes, this.#position)
    this.#position += bytes.length
  }
}

function bodySize(record: NewRecord, headers: readonly RecordHeader[], offsetDelta: number, timestampDelta: bigint) {
  let size = ATTRIBUTES_BYTES + varlongSize(timestampDelta) + varintSize(offsetDelta)
  size += fieldSize(record.key) + fieldSize(record.value) + varintSize(headers.length)
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key)
    size += varintSize(keyBytes) + keyBytes + fieldSize(value)
  }
  return size
}

function fieldSize(bytes: Buffer | null): number {
  return bytes === null ? varintSize(-1) : varintSize(bytes.length) + bytes.length
}

function varintSize(value: number): number {
  return Math.ceil((32 - Math.clz32(zigzag(value) | 1)) / 7)
}

function varlongSize(value: bigint): number {
  if (isShort(value)) return varintSize(Number(value))
  let size = 1
  for (let rest = zigzag64(value) >> 7n; rest > 0n; rest >>= 7n) size++
  return size
}

/** True if a 32-bit varint has the same encoding, which avoids the cost of bigints. */
function isShort(value: bigint): boolean {
  return value >= -0x4000_0000n && value < 0x4000_0000n
}

function zigzag(value: number): number {
  return (value << 1) ^ (value >> 31)
}

function zigzag64(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
}
