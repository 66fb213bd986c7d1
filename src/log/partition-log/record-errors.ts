/** Errors of single records of a refused batch. Clients receive the texts, which are Kafka's. */
import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { Codec } from '../../protocol/records/compression/codecs.ts'
import type { RecordWalker } from '../../protocol/records/record.ts'

/** A refused record: its index in the batch, and the reason. */
export interface RecordError {
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string
}

type RefusalCode = 'INVALID_TIMESTAMP' | 'INVALID_RECORD'

/** The whole batch is refused because of some of its records. The message is for the client. */
export class InvalidRecordsError extends KafkaError {
  override name = 'InvalidRecordsError'
  readonly recordErrors: readonly RecordError[]

  constructor(code: RefusalCode, message: string, recordErrors: readonly RecordError[]) {
    super(code, message)
    this.recordErrors = recordErrors
  }
}

/** Largest difference of a record's timestamp to the broker's time, in both directions. 2^63-1 is no limit. */
export interface TimeBounds {
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
}

const SHOWN_ERRORS = 3
/** Apache Kafka lists every refused record, but a small compressed batch may hold millions. */
const LISTED_ERRORS = 10_000
const LONGEST = 2n ** 63n - 1n

/**
 * Collects the refused records of a batch. The error code is INVALID_TIMESTAMP if one record has it, else INVALID_RECORD.
 */
export class Refusals {
  readonly #errors: RecordError[] = []
  #count = 0
  #code: RefusalCode = 'INVALID_RECORD'

  add(batchIndex: number, code: RefusalCode, text: () => string): void {
    this.#count++
    if (code === 'INVALID_TIMESTAMP') this.#code = code
    if (this.#count <= LISTED_ERRORS) this.#errors.push({ batchIndex, batchIndexErrorMessage: text() })
  }

  throwIfAny(): void {
    if (this.#count === 0) return
    const reason = this.#code === 'INVALID_TIMESTAMP' ? 'invalid timestamp' : this.#firstErrors()
    const message = `One or more records have been rejected due to ${reason}`
    throw new InvalidRecordsError(this.#code, message, this.#errors)
  }

  #firstErrors(): string {
    const texts = this.#errors
      .slice(0, SHOWN_ERRORS)
      .map(error => `RecordError(batchIndex=${error.batchIndex}, message='${error.batchIndexErrorMessage}')`)
    const shown = `only showing the first three errors at most: [${texts.join(', ')}]`
    return `${this.#count} record errors in total, and ${shown}`
  }
}

/** Message for a record without a key in a compacted topic. */
export function keyMissing(topicPartition: string): string {
  return `Compacted topic cannot accept message without key in topic partition ${topicPartition}`
}

/** Message for a timestamp outside the bounds. */
export function outOfRange(walker: RecordWalker, batch: RecordBatch, now: number, bounds: TimeBounds): string {
  const offset = batch.baseOffset + BigInt(walker.offsetDelta)
  const earliest = BigInt(now) - asLong(bounds.timestampBeforeMaxMs)
  const latest = BigInt.asIntN(64, BigInt(now) + asLong(bounds.timestampAfterMaxMs))
  return `Timestamp ${walker.timestamp} of message with offset ${offset} is out of range. The timestamp should be within [${earliest}, ${latest}]`
}

/**
 * Message for a producer's batch of timestamp type LogAppendTime. Kafka names the class of its record reader; the class for
 * compressed batches prints the size of a missing key as -1.
 */
export function wrongTimestampType(walker: RecordWalker, batch: RecordBatch, target: Codec): string {
  const isPartial = batch.codec !== 'none' && batch.codec === target
  const sizes = [walker.keyLength, walker.valueLength].map(size => (isPartial ? size : Math.max(size, 0)))
  const offset = batch.baseOffset + BigInt(walker.offsetDelta)
  const record = `${isPartial ? 'Partial' : ''}DefaultRecord(offset=${offset}, timestamp=${walker.timestamp}, key=${sizes[0]} bytes, value=${sizes[1]} bytes)`
  return `Invalid timestamp type in message ${record}. Producer should not set timestamp type to LogAppendTime.`
}

/** A setting of up to 2^63-1 as a Java long. A JavaScript number rounds the largest value up to 2^63. */
function asLong(value: number): bigint {
  const exact = BigInt(value)
  return exact > LONGEST ? LONGEST : exact
}
