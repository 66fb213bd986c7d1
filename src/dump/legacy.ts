/**
 * Messages of magic 0 and 1, which no release of the last years writes: one record each. A compressed one is a wrapper
 * around others, of which only the outside is shown.
 */
import { ByteReader, MalformedFrame } from '../protocol/bytes.ts'
import type { RecordBatch } from '../protocol/records/batch.ts'
import { codecOf } from '../protocol/records/compression/codecs.ts'
import type { BatchRecord } from '../protocol/records/record.ts'

const ATTRIBUTES_AT = 17
const KEY_AT = [18, 26] as const
const TIMESTAMP_AT = 18
const CODEC_BITS = 0x07
const LOG_APPEND_TIME = 0x08

/** The header's fields that a view on a batch of magic 2 would look for elsewhere. */
export function legacyPairs({ bytes, magic }: RecordBatch): {
  timestamp: bigint
  timestampType: 'CreateTime' | 'LogAppendTime'
  codec: string
} {
  const attributes = bytes.readUInt8(ATTRIBUTES_AT)
  const id = attributes & CODEC_BITS
  return {
    timestamp: magic === 0 ? -1n : bytes.readBigInt64BE(TIMESTAMP_AT),
    timestampType: attributes & LOG_APPEND_TIME ? 'LogAppendTime' : 'CreateTime',
    codec: id <= 4 ? codecOf(id) : `unknown(${id})`
  }
}

/** The record of an uncompressed message. Throws MalformedFrame for what is none. */
export function legacyRecord(batch: RecordBatch): BatchRecord {
  const { codec, timestamp } = legacyPairs(batch)
  if (codec !== 'none')
    throw new MalformedFrame(`the messages in a ${codec} message of magic ${batch.magic} are not read`)
  const reader = new ByteReader(batch.bytes, batch.magic === 0 ? KEY_AT[0] : KEY_AT[1])
  const field = () => {
    const length = reader.int32()
    return length < 0 ? null : reader.bytes(length)
  }
  return { offset: batch.baseOffset, timestamp, key: field(), value: field(), headers: [], sequence: -1 }
}
