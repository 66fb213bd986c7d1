/** Builds magic 2 batches in one pass over their records. */
import {
  ATTRIBUTES,
  BATCH_OVERHEAD,
  HEADER,
  LOG_OVERHEAD,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  RecordBatch,
  type TimestampType
} from './batch.ts'
import { type Codec, codecId, compress } from './compression/codecs.ts'
import { type NewRecord, RecordWriter } from './encoding.ts'

/** Header fields of a batch. The default is an uncompressed batch of a producer that is not idempotent. */
export interface BatchOptions {
  baseOffset?: bigint
  codec?: Codec
  /** Compression level on the codec's own scale. */
  level?: number | undefined
  timestampType?: TimestampType
  /** By default the largest timestamp of the records. For LogAppendTime, the time of the append. */
  maxTimestamp?: bigint
  producerId?: bigint
  producerEpoch?: number
  baseSequence?: number
  isTransactional?: boolean
  isControl?: boolean
  partitionLeaderEpoch?: number
  deleteHorizonMs?: bigint | undefined
  /** By default the delta of the last record. Compaction keeps the value of the original batch. */
  lastOffsetDelta?: number
}

/** Encodes `records` as one batch. `records` may be empty, because compaction keeps such batches. */
export function buildBatch(records: Iterable<NewRecord>, options: BatchOptions = {}): RecordBatch {
  const { baseOffset = 0n, codec = 'none' } = options
  const writer = new RecordWriter(BATCH_OVERHEAD)
  let baseTimestamp = options.deleteHorizonMs
  let maxTimestamp = NO_TIMESTAMP
  let offsetDelta = -1
  let recordsCount = 0
  for (const record of records) {
    baseTimestamp ??= record.timestamp
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp
    offsetDelta = record.offset === undefined ? offsetDelta + 1 : Number(record.offset - baseOffset)
    writer.append(record, offsetDelta, baseTimestamp)
    recordsCount++
  }

  const bytes = codec === 'none' ? writer.bytes : compressed(writer.bytes, codec, options.level)
  bytes.writeBigInt64BE(baseOffset, HEADER.baseOffset)
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, HEADER.length)
  bytes.writeInt32BE(options.partitionLeaderEpoch ?? -1, HEADER.leaderEpoch)
  bytes.writeInt8(2, HEADER.magic)
  bytes.writeInt16BE(attributesOf(options, codec), HEADER.attributes)
  bytes.writeInt32BE(options.lastOffsetDelta ?? Math.max(offsetDelta, 0), HEADER.lastOffsetDelta)
  bytes.writeBigInt64BE(baseTimestamp ?? NO_TIMESTAMP, HEADER.baseTimestamp)
  bytes.writeBigInt64BE(options.maxTimestamp ?? maxTimestamp, HEADER.maxTimestamp)
  bytes.writeBigInt64BE(options.producerId ?? NO_PRODUCER_ID, HEADER.producerId)
  bytes.writeInt16BE(options.producerEpoch ?? -1, HEADER.producerEpoch)
  bytes.writeInt32BE(options.baseSequence ?? NO_SEQUENCE, HEADER.baseSequence)
  bytes.writeInt32BE(recordsCount, HEADER.recordsCount)
  const batch = new RecordBatch(bytes)
  batch.seal()
  return batch
}

/** The space for the header, then the compressed records. */
function compressed(plain: Buffer, codec: Exclude<Codec, 'none'>, level: number | undefined): Buffer {
  return Buffer.concat([plain.subarray(0, BATCH_OVERHEAD), ...compress(codec, plain.subarray(BATCH_OVERHEAD), level)])
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
