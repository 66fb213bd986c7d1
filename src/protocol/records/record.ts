/**
 * The records of a batch. RecordWalker steps over them without making objects, through a window on the decompressed
 * bytes that is as large as one record needs; recordsOf makes objects of them.
 */
import { KafkaError } from '../errors.ts'
import { incrementSequence, NO_SEQUENCE, type RecordBatch } from './batch.ts'
import { DECOMPRESSED_LIMIT, decompress } from './compression/codecs.ts'

/** A header of a record. Keys may come more than once. */
export interface RecordHeader {
  key: string
  value: Buffer | null
}

/** One record. Key, value and header values are views on the batch, or on its decompressed bytes. */
export interface BatchRecord {
  offset: bigint
  timestamp: bigint
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
  /** -1 in a batch without sequences. */
  sequence: number
}

/** The bit of a varint's byte that says that another follows. */
const CONTINUES = 0x80
const MAX_VARINT_BYTES = 5
const MAX_VARLONG_BYTES = 10
/** Bits of a varlong that 32-bit arithmetic can take: a delta of 37 hours. */
const SHORT_VARLONG_BITS = 28

/** Bytes that are no record of a batch, in the way that Kafka calls an invalid record. */
function invalid(why: string): KafkaError {
  return new KafkaError('INVALID_RECORD', why)
}

/**
 * Steps over the records of a batch. After `next()` has answered true the fields tell of the record it stands on;
 * after it has answered false every record has been checked, and no byte is left over.
 * Throws INVALID_RECORD, and for compressed batches what `decompress` throws.
 */
export class RecordWalker {
  /** Length prefix included. */
  sizeInBytes = 0
  offsetDelta = 0
  /** -1: there is none. */
  keyLength = -1
  valueLength = -1
  headersCount = 0

  readonly #batch: RecordBatch
  readonly #pieces: Iterator<Buffer> | undefined
  readonly #baseTimestamp: number | bigint
  /** Every record of a LogAppendTime batch has the batch's largest timestamp. */
  readonly #appendTime: number | bigint | undefined
  #timestampDelta: number | bigint = 0
  #left: number
  #window: Buffer
  #position = 0
  #keyAt = 0
  #valueAt = 0
  #headersAt = 0

  /** `limit` bounds the bytes that a compressed batch may come to. */
  constructor(batch: RecordBatch, limit = DECOMPRESSED_LIMIT) {
    if (batch.isLegacy) {
      throw new KafkaError('UNSUPPORTED_FOR_MESSAGE_FORMAT', `records of magic ${batch.magic} cannot be read yet`)
    }
    this.#batch = batch
    this.#left = batch.recordsCount
    if (this.#left < 0) throw invalid(`a batch cannot hold ${this.#left} records`)
    this.#baseTimestamp = narrow(batch.baseTimestamp)
    this.#appendTime = batch.timestampType === 'LogAppendTime' ? narrow(batch.maxTimestamp) : undefined
    const codec = batch.codec
    this.#window = codec === 'none' ? batch.recordBytes : Buffer.alloc(0)
    this.#pieces = codec === 'none' ? undefined : decompress(codec, batch.recordBytes, limit)
  }

  /** Goes to the next record. False when there is none. */
  next(): boolean {
    if (this.#left === 0) return false
    this.#left--
    this.#available(MAX_VARINT_BYTES)
    const start = this.#position
    const length = this.#varint()
    const prefix = this.#position - start
    if (length < 0 || !this.#available(length)) throw invalid(`a record of ${length} bytes goes beyond its batch`)
    this.sizeInBytes = prefix + length
    const end = this.#position + length
    this.#readBody(end)
    if (this.#position !== end) throw invalid(`a record's fields do not fill its ${length} bytes`)
    if (this.#left === 0 && this.#hasMore()) throw invalid('records are left over after the last one of a batch')
    return true
  }

  /** A bigint only where a number would not be exact. The two compare with each other as they should. */
  get timestamp(): number | bigint {
    if (this.#appendTime !== undefined) return this.#appendTime
    const base = this.#baseTimestamp
    const delta = this.#timestampDelta
    if (typeof base === 'number' && typeof delta === 'number' && Number.isSafeInteger(base + delta)) return base + delta
    // Beyond int64 Java's sum wraps around, so ours does.
    return narrow(BigInt.asIntN(64, BigInt(base) + BigInt(delta)))
  }

  get key(): Buffer | null {
    return this.#view(this.#keyAt, this.keyLength)
  }

  get value(): Buffer | null {
    return this.#view(this.#valueAt, this.valueLength)
  }

  /** Reads the headers of the record. */
  headers(): RecordHeader[] {
    const after = this.#position
    this.#position = this.#headersAt
    const headers = Array.from({ length: this.headersCount }, () => {
      const keyLength = this.#varint()
      const key = this.#window.toString('utf8', this.#position, this.#position + keyLength)
      this.#position += keyLength
      const valueLength = this.#varint()
      const value = this.#view(this.#position, valueLength)
      if (valueLength > 0) this.#position += valueLength
      return { key, value }
    })
    this.#position = after
    return headers
  }

  /** The record as an object. */
  record(): BatchRecord {
    const { baseOffset, baseSequence } = this.#batch
    return {
      offset: baseOffset + BigInt(this.offsetDelta),
      timestamp: BigInt(this.timestamp),
      key: this.key,
      value: this.value,
      headers: this.headers(),
      sequence: baseSequence < 0 ? NO_SEQUENCE : incrementSequence(baseSequence, this.offsetDelta)
    }
  }

  /**
   * Reads the fields and steps over the bytes between them. Lengths are not held against the end: they can only carry
   * the position past it, where the next read, or the caller, notices.
   */
  #readBody(end: number): void {
    this.#position++ // attributes, of which none is in use
    this.#timestampDelta = this.#varlong()
    this.offsetDelta = this.#varint()
    this.keyLength = this.#varint()
    this.#keyAt = this.#position
    if (this.keyLength > 0) this.#position += this.keyLength
    this.valueLength = this.#varint()
    this.#valueAt = this.#position
    if (this.valueLength > 0) this.#position += this.valueLength
    this.headersCount = this.#varint()
    this.#headersAt = this.#position
    if (this.headersCount < 0 || this.headersCount > end - this.#position) {
      throw invalid(`a record cannot have ${this.headersCount} headers in ${end - this.#position} bytes`)
    }
    for (let index = 0; index < this.headersCount; index++) {
      const keyLength = this.#varint()
      if (keyLength < 0) throw invalid(`a header's key cannot have ${keyLength} bytes`)
      this.#position += keyLength
      const valueLength = this.#varint()
      if (valueLength > 0) this.#position += valueLength
    }
  }

  /** One byte and two are the common cases, and short functions are inlined. */
  #varint(): number {
    const window = this.#window
    const first = window[this.#position] ?? CONTINUES
    if (first < CONTINUES) {
      this.#position++
      return (first >>> 1) ^ -(first & 1)
    }
    const second = window[this.#position + 1] ?? CONTINUES
    if (second >= CONTINUES) return this.#longVarint()
    this.#position += 2
    return (((second << 7) | (first & 0x7f)) >>> 1) ^ -(first & 1)
  }

  #longVarint(): number {
    let raw = 0
    for (let shift = 0; shift < 7 * MAX_VARINT_BYTES; shift += 7) {
      const byte = this.#byte()
      raw |= (byte & 0x7f) << shift
      if (byte < CONTINUES) return (raw >>> 1) ^ -(raw & 1)
    }
    throw invalid('a number of a record never ends')
  }

  #varlong(): number | bigint {
    const start = this.#position
    let raw = 0
    for (let shift = 0; shift < SHORT_VARLONG_BITS; shift += 7) {
      const byte = this.#byte()
      raw |= (byte & 0x7f) << shift
      if (byte < CONTINUES) return (raw >>> 1) ^ -(raw & 1)
    }
    this.#position = start
    return narrow(this.#wideVarlong())
  }

  #wideVarlong(): bigint {
    let raw = 0n
    for (let count = 0; count < MAX_VARLONG_BYTES; count++) {
      const byte = this.#byte()
      raw |= BigInt(byte & 0x7f) << BigInt(7 * count)
      if (byte < CONTINUES) return BigInt.asIntN(64, (BigInt.asUintN(64, raw) >> 1n) ^ -(raw & 1n))
    }
    throw invalid('a number of a record never ends')
  }

  #byte(): number {
    const byte = this.#window[this.#position++]
    if (byte === undefined) throw invalid('a record is cut off')
    return byte
  }

  #view(position: number, length: number): Buffer | null {
    return length < 0 ? null : this.#window.subarray(position, position + length)
  }

  /** Whether `length` bytes follow the position; decompresses as many pieces as that takes. */
  #available(length: number): boolean {
    const remaining = this.#window.length - this.#position
    return remaining >= length || (this.#pieces !== undefined && this.#widen(this.#pieces, length, remaining))
  }

  /** Whether any byte follows. Leaves the window, on which the record stands, as it is. */
  #hasMore(): boolean {
    if (this.#position < this.#window.length) return true
    for (;;) {
      const piece = this.#pieces?.next()
      if (!piece || piece.done) return false
      if (piece.value.length > 0) return true
    }
  }

  #widen(pieces: Iterator<Buffer>, length: number, remaining: number): boolean {
    const parts = remaining > 0 ? [this.#window.subarray(this.#position)] : []
    let total = remaining
    while (total < length) {
      const piece = pieces.next()
      if (piece.done) break
      parts.push(piece.value)
      total += piece.value.length
    }
    const [only, ...more] = parts
    this.#window = only && more.length === 0 ? only : Buffer.concat(parts, total)
    this.#position = 0
    return total >= length
  }
}

/** A number where that is exact. */
function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** All records of a batch. Throws what RecordWalker throws. */
export function recordsOf(batch: RecordBatch, limit = DECOMPRESSED_LIMIT): BatchRecord[] {
  const walker = new RecordWalker(batch, limit)
  const records: BatchRecord[] = []
  while (walker.next()) records.push(walker.record())
  return records
}
