/** What is told of the records for which a batch was refused. The texts go out on the wire and are Kafka's. */
import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { Codec } from '../../protocol/records/compression/codecs.ts'
import type { RecordWalker } from '../../protocol/records/record.ts'

/** One refused record: its index in the batch, and why. */
export interface RecordError {
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string
}

type RefusalCode = 'INVALID_TIMESTAMP' | 'INVALID_RECORD'

/** Records of the batch were refused, and so the whole batch. The message is meant for the client. */
export class InvalidRecordsError extends KafkaError {
  override name = 'InvalidRecordsError'
  readonly recordErrors: readonly RecordError[]

  constructor(code: RefusalCode, message: string, recordErrors: readonly RecordError[]) {
    super(code, message)
    this.recordErrors = recordErrors
  }
}

/** How far a record's time may lie behind or ahead of ours. 2^63 is as good as forever. */
export interface TimeBounds {
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
}

const SHOWN_ERRORS = 3
/** Apache Kafka lists every refused record, but a small compressed batch may hold millions. */
const LISTED_ERRORS = 10_000
const LONGEST = 2n ** 63n - 1n

/** Collects the refused records of a batch. One wrong timestamp makes it the answer for all. */
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

/** A record without key in a compacted topic. */
export function keyMissing(topicPartition: string): string {
  return `Compacted topic cannot accept message without key in topic partition ${topicPartition}`
}

/** A time too far from ours. */
export function outOfRange(walker: RecordWalker, batch: RecordBatch, now: number, bounds: TimeBounds): string {
  const offset = batch.baseOffset + BigInt(walker.offsetDelta)
  const earliest = BigInt(now) - asLong(bounds.timestampBeforeMaxMs)
  const latest = BigInt.asIntN(64, BigInt(now) + asLong(bounds.timestampAfterMaxMs))
  return `Timestamp ${walker.timestamp} of message with offset ${offset} is out of range. The timestamp should be within [${earliest}, ${latest}]`
}

/**
 * A producer that claims the time of the append. Kafka names the class of its own reader, and the one for compressed batches shows a
 * missing key's size as -1.
 */
export function wrongTimestampType(walker: RecordWalker, batch: RecordBatch, target: Codec): string {
  const isPartial = batch.codec !== 'none' && batch.codec === target
  const sizes = [walker.keyLength, walker.valueLength].map(size => (isPartial ? size : Math.max(size, 0)))
  const offset = batch.baseOffset + BigInt(walker.offsetDelta)
  const record = `${isPartial ? 'Partial' : ''}DefaultRecord(offset=${offset}, timestamp=${walker.timestamp}, key=${sizes[0]} bytes, value=${sizes[1]} bytes)`
  return `Invalid timestamp type in message ${record}. Producer should not set timestamp type to LogAppendTime.`
}

/** A setting of up to 2^63-1, which a number rounds up. */
function asLong(value: number): bigint {
  const exact = BigInt(value)
  return exact > LONGEST ? LONGEST : exact
}
