/**
 * The leader's checks of a produced batch before the append, and its conversion to the topic's timestamp type and codec. The
 * log stamps offsets and leader epoch.
 */
import { derived, rows, type ViewOf } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { batchAt, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, type RecordBatch } from '../../protocol/records/batch.ts'
import { buildBatch } from '../../protocol/records/builder.ts'
import type { Codec, Compression } from '../../protocol/records/compression/codecs.ts'
import type { NewRecord } from '../../protocol/records/encoding.ts'
import { RecordWalker } from '../../protocol/records/record.ts'
import { assert } from '../../runtime/assert.ts'
import { keyMissing, outOfRange, Refusals, wrongTimestampType } from './record-errors.ts'

/** Source of a batch: a client's Produce, or a coordinator of this broker, which may write control records. */
export type BatchOrigin = 'client' | 'coordinator'

/** The configs that decide which batches a topic accepts, and how it stores them. */
export const VALIDATION_ROWS = rows({
  isCompacted: derived(['cleanup.policy'], policy => policy.includes('compact')),
  maxMessageBytes: 'max.message.bytes',
  timestampType: 'message.timestamp.type',
  timestampBeforeMaxMs: 'message.timestamp.before.max.ms',
  timestampAfterMaxMs: 'message.timestamp.after.max.ms',
  compressionType: 'compression.type',
  /** For the codecs that have levels. */
  compressionLevels: derived(
    ['compression.gzip.level', 'compression.lz4.level', 'compression.zstd.level'],
    (gzip, lz4, zstd): Partial<Record<Compression, number>> => ({ gzip, lz4, zstd })
  ),
  decompressedLimit: 'minikafka.max.decompressed.bytes'
})

/** A live view of these configs. */
export type ValidationRules = ViewOf<typeof VALIDATION_ROWS>

/** A batch that is to be appended to a partition. */
export interface Arrival {
  readonly batch: RecordBatch
  /** `<topic>-<partition>`, for messages. */
  readonly topicPartition: string
  readonly now: number
  readonly origin: BatchOrigin
}

const NO_TIMESTAMP = -1
const ZSTD_SINCE = 7

/** The records of one partition of a Produce request, parsed once. */
export interface ProducedRecords {
  /** The first batch, refused or not; undefined if the bytes hold no batch, or begin with one of magic 0 or 1. */
  readonly batch: RecordBatch | undefined
  /** The check that failed. The response for the partition carries it. */
  readonly error: KafkaError | undefined
}

/**
 * Parses the records of one partition of a Produce request. The error is INVALID_RECORD unless there is exactly one batch,
 * of magic 2; CORRUPT_MESSAGE for bytes that are no batch; UNSUPPORTED_COMPRESSION_TYPE for zstd before version 7.
 */
export function parseProducedRecords(records: Buffer | null, apiVersion: number): ProducedRecords {
  let batch: RecordBatch | undefined
  try {
    const first = records === null ? undefined : batchAt(records, 0)
    if (!first) throw invalid('a Produce request must have one record batch for each partition, but has none')
    if (first.isLegacy) throw invalid(`the magic of the batch is ${first.magic}, but Produce requires 2`)
    batch = first
    checkCodec(first, apiVersion)
    if (records && batchAt(records, first.bytes.length))
      throw invalid('a Produce request must have one record batch for each partition, but has several')
    return { batch, error: undefined }
  } catch (error) {
    if (error instanceof KafkaError) return { batch, error }
    throw error
  }
}

/** The parsed batch. Throws the error of the check that failed. */
export function acceptedBatch({ batch, error }: ProducedRecords): RecordBatch {
  if (error) throw error
  assert(batch !== undefined, 'produced records without an error have a batch')
  return batch
}

/** From version 7, an unknown codec is refused later, in Kafka's order of checks. */
function checkCodec(batch: RecordBatch, apiVersion: number): void {
  if (apiVersion >= ZSTD_SINCE || batch.codec !== 'zstd') return
  throw new KafkaError(
    'UNSUPPORTED_COMPRESSION_TYPE',
    `zstd requires version ${ZSTD_SINCE} of Produce, not ${apiVersion}`
  )
}

/**
 * Validates a batch and converts it to the topic's timestamp type and codec: in place if possible, otherwise as a new batch.
 * Throws a KafkaError, InvalidRecordsError for refused records. A throw leaves the batch unchanged.
 */
export function validateBatch(arrival: Arrival, rules: ValidationRules): RecordBatch {
  checkBytes(arrival, rules)
  const source = arrival.batch.codec
  if (arrival.origin === 'client') checkHeader(arrival.batch)
  const target = targetCodec(arrival.batch, source, rules)
  const { maxTimestamp, deltasAreDense } = checkRecords(arrival, rules, target)
  const storedTimestamp = rules.timestampType === 'LogAppendTime' ? BigInt(arrival.now) : maxTimestamp
  if (source === target) {
    // Kafka fails to rebuild such a batch, because its validation has not read the keys and values of compressed records.
    if (source !== 'none' && !deltasAreDense) {
      throw new KafkaError('UNKNOWN_SERVER_ERROR', 'the offset deltas of a compressed batch are not 0, 1, 2 ...')
    }
    arrival.batch.setMaxTimestamp(rules.timestampType, storedTimestamp)
    return arrival.batch
  }
  return rebuild(arrival.batch, target, storedTimestamp, rules)
}

// The checks run in Kafka's order, so that a batch with several faults gets Kafka's error.

function checkBytes({ batch, origin, topicPartition }: Arrival, { maxMessageBytes }: ValidationRules): void {
  if (origin === 'client' && batch.baseOffset !== 0n)
    throw invalid(`the base offset of the batch is ${batch.baseOffset}, but must be 0`)
  checkSize(batch, maxMessageBytes)
  if (batch.hasValidCrc()) return
  throw new KafkaError('CORRUPT_MESSAGE', `a batch for ${topicPartition} has the wrong checksum ${batch.crc}`)
}

function checkHeader({ lastOffsetDelta, recordsCount, isControl, producerId, baseSequence }: RecordBatch): void {
  if (lastOffsetDelta < 0) throw invalid(`the last offset delta ${lastOffsetDelta} is negative`)
  if (recordsCount <= 0) throw invalid(`the record count ${recordsCount} is not positive`)
  if (lastOffsetDelta + 1 !== recordsCount) {
    throw invalid(`the record count is ${recordsCount}, but the offset deltas are 0 to ${lastOffsetDelta}`)
  }
  if (isControl) throw invalid('clients cannot write control records')
  if (producerId >= 0n && baseSequence < 0) {
    throw invalid(`producer ${producerId} sent the invalid sequence number ${baseSequence}`)
  }
}

function checkSize({ sizeInBytes }: RecordBatch, maxMessageBytes: number): void {
  if (sizeInBytes <= maxMessageBytes) return
  throw new KafkaError('MESSAGE_TOO_LARGE', `a batch of ${sizeInBytes} bytes is above the limit of ${maxMessageBytes}`)
}

function targetCodec({ isControl }: RecordBatch, source: Codec, { compressionType }: ValidationRules): Codec {
  if (compressionType === 'producer' || (isControl && source === 'none')) return source
  return compressionType === 'uncompressed' ? 'none' : compressionType
}

interface Findings {
  maxTimestamp: bigint
  /** The offset deltas are 0, 1, 2 ... Compressed batches of some clients have others. */
  deltasAreDense: boolean
}

/** Parses every record and checks it against the topic's configs. */
function checkRecords(arrival: Arrival, rules: ValidationRules, target: Codec): Findings {
  const walker = new RecordWalker(arrival.batch, rules.decompressedLimit)
  const refused = new Refusals()
  const claimsAppendTime = arrival.batch.timestampType === 'LogAppendTime'
  let maxTimestamp: number | bigint = NO_TIMESTAMP
  let deltasAreDense = true
  for (let index = 0; walker.next(); index++) {
    const { timestamp } = walker
    if (rules.isCompacted && walker.keyLength < 0) {
      refused.add(index, 'INVALID_RECORD', () => keyMissing(arrival.topicPartition))
    } else if (rules.timestampType === 'CreateTime' && timestamp !== NO_TIMESTAMP) {
      if (isOutOfRange(timestamp, arrival.now, rules)) {
        refused.add(index, 'INVALID_TIMESTAMP', () => outOfRange(walker, arrival.batch, arrival.now, rules))
      }
    } else if (claimsAppendTime) {
      refused.add(index, 'INVALID_TIMESTAMP', () => wrongTimestampType(walker, arrival.batch, target))
    }
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if (walker.offsetDelta !== index) deltasAreDense = false
  }
  refused.throwIfAny()
  return { maxTimestamp: BigInt(maxTimestamp), deltasAreDense }
}

function isOutOfRange(timestamp: number | bigint, now: number, rules: ValidationRules): boolean {
  // The difference of Java longs wraps around, which only timestamps beyond 2^53 can show.
  const age = typeof timestamp === 'number' ? now - timestamp : BigInt.asIntN(64, BigInt(now) - timestamp)
  return age > rules.timestampBeforeMaxMs || -age > rules.timestampAfterMaxMs
}

/**
 * Rebuilds a batch in the topic's codec, with offset deltas 0, 1, 2 ... Kafka's builder is stricter than its validator: its
 * refusals are UNKNOWN_SERVER_ERROR.
 */
function rebuild(batch: RecordBatch, codec: Codec, maxTimestamp: bigint, rules: ValidationRules): RecordBatch {
  const { producerId, producerEpoch, baseSequence, isTransactional } = batch
  const hasProducer = producerId !== NO_PRODUCER_ID
  if (hasProducer ? producerEpoch === NO_PRODUCER_EPOCH || baseSequence < 0 : isTransactional) {
    throw new KafkaError(
      'UNKNOWN_SERVER_ERROR',
      `a batch cannot be built for epoch ${producerEpoch} of producer ${producerId}`
    )
  }
  const rebuilt = buildBatch(withoutOffsets(new RecordWalker(batch, rules.decompressedLimit)), {
    codec,
    level: codec === 'none' ? undefined : rules.compressionLevels[codec],
    timestampType: rules.timestampType,
    maxTimestamp,
    producerId,
    producerEpoch,
    baseSequence,
    isTransactional
  })
  checkSize(rebuilt, rules.maxMessageBytes)
  return rebuilt
}

/**
 * Yields one record at a time, because a small compressed batch may hold millions. Throws UNKNOWN_SERVER_ERROR for a
 * timestamp below -1, as Kafka does.
 */
function* withoutOffsets(walker: RecordWalker): Generator<NewRecord, undefined> {
  while (walker.next()) {
    const { offset: _, ...record } = walker.record()
    if (record.timestamp < NO_TIMESTAMP) {
      throw new KafkaError('UNKNOWN_SERVER_ERROR', `a batch cannot be built with the timestamp ${record.timestamp}`)
    }
    yield record
  }
}

function invalid(why: string): KafkaError {
  return new KafkaError('INVALID_RECORD', why)
}
