/**
 * Builds magic 2 batches. Sizes are added up first, so that each batch is written once, into a Buffer that fits.
 */
import {
  ATTRIBUTES,
  BATCH_OVERHEAD,
  LOG_OVERHEAD,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  RecordBatch,
  type TimestampType
} from './batch.ts'
import { type Codec, codecId, compress } from './compression/codecs.ts'
import { encodeRecords, type NewRecord } from './encoding.ts'

/** Everything about a batch but its records; the defaults are a plain uncompressed batch of no particular producer. */
export interface BatchOptions {
  baseOffset?: bigint
  codec?: Codec
  /** On the codec's own scale. */
  level?: number
  timestampType?: TimestampType
  /** By default the largest of the records'. For LogAppendTime it is the time of the append. */
  maxTimestamp?: bigint
  producerId?: bigint
  producerEpoch?: number
  baseSequence?: number
  isTransactional?: boolean
  isControl?: boolean
  partitionLeaderEpoch?: number
  deleteHorizonMs?: bigint
  /** By default the last record's. Compaction keeps the original's. */
  lastOffsetDelta?: number
}

/** Encodes `records` as one batch. There may be none: compaction leaves such batches. */
export function buildBatch(records: readonly NewRecord[], options: BatchOptions = {}): RecordBatch {
  const baseOffset = options.baseOffset ?? 0n
  const baseTimestamp = options.deleteHorizonMs ?? records[0]?.timestamp ?? NO_TIMESTAMP
  const deltas = records.map((record, index) =>
    record.offset === undefined ? index : Number(record.offset - baseOffset)
  )
  const plain = encodeRecords(records, deltas, baseTimestamp)
  const codec = options.codec ?? 'none'
  const body = codec === 'none' ? plain : compress(codec, plain, options.level)

  const bytes = Buffer.concat([Buffer.alloc(BATCH_OVERHEAD), body])
  bytes.writeBigInt64BE(baseOffset, 0)
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, 8)
  bytes.writeInt32BE(options.partitionLeaderEpoch ?? -1, 12)
  bytes.writeInt8(2, 16)
  bytes.writeInt16BE(attributesOf(options, codec), 21)
  bytes.writeInt32BE(options.lastOffsetDelta ?? deltas.at(-1) ?? 0, 23)
  bytes.writeBigInt64BE(baseTimestamp, 27)
  bytes.writeBigInt64BE(options.maxTimestamp ?? largestTimestamp(records), 35)
  bytes.writeBigInt64BE(options.producerId ?? NO_PRODUCER_ID, 43)
  bytes.writeInt16BE(options.producerEpoch ?? -1, 51)
  bytes.writeInt32BE(options.baseSequence ?? NO_SEQUENCE, 53)
  bytes.writeInt32BE(records.length, 57)
  const batch = new RecordBatch(bytes)
  batch.seal()
  return batch
}

function attributesOf(options: BatchOptions, codec: Codec): number {
  return (
    codecId(codec) |
    (options.timestampType === 'LogAppendTime' ? ATTRIBUTES.logAppendTime : 0) |
    (options.isTransactional ? ATTRIBUTES.transactional : 0) |
    (options.isControl ? ATTRIBUTES.control : 0) |
    (options.deleteHorizonMs === undefined ? 0 : ATTRIBUTES.deleteHorizon)
  )
}

function largestTimestamp(records: readonly NewRecord[]): bigint {
  let largest = NO_TIMESTAMP
  for (const { timestamp } of records) if (timestamp > largest) largest = timestamp
  return largest
}
