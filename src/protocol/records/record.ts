/**
 * Decoding of the records of a batch. RecordWalker iterates over them with all of Kafka's checks and without allocating objects;
 * recordsOf returns objects.
 */
import { KafkaError } from '../errors.ts'
import { incrementSequence, NO_SEQUENCE, type RecordBatch } from './batch.ts'
import { invalidRecord, narrow, RecordWindow } from './record-window.ts'

/** A record header. A key may occur more than once. */
export interface RecordHeader {
  key: string
  value: Buffer | null
}

/** A record. Key, value and header values are views of the batch or of its decompressed bytes. */
export interface BatchRecord {
  offset: bigint
  timestamp: bigint
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
  /** -1 in a batch without sequences. */
  sequence: number
}

const LONGEST_LENGTH_PREFIX = 5

/**
 * Iterates over the records of a batch. After `next()` has returned true, the fields describe the current record. After it has
 * returned false, every record is checked and no bytes are left. Throws INVALID_RECORD, and for compressed batches the errors of
 * `decompress`.
 */
export class RecordWalker {
  /** Size of the record, including its length prefix. */
  sizeInBytes = 0
  offsetDelta = 0
  /** -1 for a null key; the same for the value. */
  keyLength = -1
  valueLength = -1
  headersCount = 0

  readonly #batch: RecordBatch
  readonly #window: RecordWindow
  readonly #baseTimestamp: number | bigint
  /** LogAppendTime: every record has the max timestamp of the batch. */
  readonly #appendTime: number | bigint | undefined
  #left: number
  #timestampDelta: number | bigint = 0
  #keyAt = 0
  #valueAt = 0
  #headersAt = 0

  /** `limit` is the largest decompressed size of the batch. It is required for batches from clients. */
  constructor(batch: RecordBatch, limit = Number.POSITIVE_INFINITY) {
    if (batch.isLegacy) {
      throw new KafkaError('UNSUPPORTED_FOR_MESSAGE_FORMAT', `records of magic ${batch.magic} are not supported`)
    }
    this.#batch = batch
    this.#left = batch.recordsCount
    if (this.#left < 0) throw invalidRecord(`the batch is too small for its record count ${this.#left}`)
    this.#baseTimestamp = narrow(batch.baseTimestamp)
    this.#appendTime = batch.timestampType === 'LogAppendTime' ? narrow(batch.maxTimestamp) : undefined
    this.#window = new RecordWindow(batch, limit)
  }

  /** Advances to the next record. Returns false if there is none. An error closes the walker. */
  next(): boolean {
    if (this.#left === 0) return false
    this.#left--
    try {
      this.#step()
    } catch (error) {
      this.close()
      throw error
    }
    return true
  }

  /** Ends the iteration early, so that the decompression context can be reused. */
  close(): void {
    this.#left = 0
    this.#window.close()
  }

  #step(): void {
    const window = this.#window
    window.reach(LONGEST_LENGTH_PREFIX)
    const start = window.position
    const length = window.varint()
    this.sizeInBytes = window.position - start + length
    if (length < 0 || !window.reach(length)) throw invalidRecord(`a record of ${length} bytes extends beyond its batch`)
    const end = window.position + length
    this.#readBody(window, end)
    if (window.position !== end) throw invalidRecord(`the fields of a record do not have its length of ${length} bytes`)
    if (this.#left === 0 && window.hasMore()) throw invalidRecord('bytes follow the last record of the batch')
  }

  /** A bigint only if a number would not be exact. Numbers and bigints compare correctly with each other. */
  get timestamp(): number | bigint {
    if (this.#appendTime !== undefined) return this.#appendTime
    const base = this.#baseTimestamp
    const delta = this.#timestampDelta
    if (typeof base === 'number' && typeof delta === 'number' && Number.isSafeInteger(base + delta)) return base + delta
    // Wraps beyond int64, as the sum in Java does.
    return narrow(BigInt.asIntN(64, BigInt(base) + BigInt(delta)))
  }

  get key(): Buffer | null {
    return this.#window.view(this.#keyAt, this.keyLength)
  }

  get value(): Buffer | null {
    return this.#window.view(this.#valueAt, this.valueLength)
  }

  /** The headers of the current record. */
  headers(): RecordHeader[] {
    const window = this.#window
    const after = window.position
    window.position = this.#headersAt
    const headers = Array.from({ length: this.headersCount }, () => {
      const keyLength = window.varint()
      const key = window.utf8(window.position, keyLength)
      window.position += keyLength
      const valueLength = window.varint()
      const value = window.view(window.position, valueLength)
      window.position += Math.max(valueLength, 0)
      return { key, value }
    })
    window.position = after
    return headers
  }

  /** The current record as an object. */
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
   * Reads the fields and skips the bytes between them. Lengths are not checked against the end of the record: a wrong length
   * moves the position past it, which the next read or the caller detects.
   */
  #readBody(window: RecordWindow, end: number): void {
    window.position++ // attributes, all unused
    this.#timestampDelta = window.varlong()
    this.offsetDelta = window.varint()
    this.keyLength = window.varint()
    this.#keyAt = window.position
    if (this.keyLength > 0) window.position += this.keyLength
    this.valueLength = window.varint()
    this.#valueAt = window.position
    if (this.valueLength > 0) window.position += this.valueLength
    this.headersCount = window.varint()
    this.#headersAt = window.position
    if (this.headersCount !== 0) this.#stepOverHeaders(window, end - window.position)
  }

  #stepOverHeaders(window: RecordWindow, remaining: number): void {
    if (this.headersCount < 0 || this.headersCount > remaining) {
      throw invalidRecord(`a header count of ${this.headersCount} is invalid for ${remaining} remaining bytes`)
    }
    for (let index = 0; index < this.headersCount; index++) {
      const keyLength = window.varint()
      if (keyLength < 0) throw invalidRecord(`the length ${keyLength} of a header key is invalid`)
      window.position += keyLength
      const valueLength = window.varint()
      if (valueLength > 0) window.position += valueLength
    }
  }
}

/** All records of a batch. `limit` and the thrown errors are those of RecordWalker. */
export function recordsOf(batch: RecordBatch, limit = Number.POSITIVE_INFINITY): BatchRecord[] {
  const walker = new RecordWalker(batch, limit)
  const records: BatchRecord[] = []
  while (walker.next()) records.push(walker.record())
  return records
}
