/**
 * Messages of magic 0 and 1, the formats before Kafka 0.11. A message has one record. A compressed message is a wrapper of
 * other messages, and its records are the records of the inner messages.
 */

import { batchesIn, type RecordBatch } from '../../protocol/records/batch.ts'
import { codecOf, decompress } from '../../protocol/records/compression/codecs.ts'
import { withFittingHeader } from '../../protocol/records/compression/lz4.ts'
import type { BatchRecord } from '../../protocol/records/record.ts'
import { ByteReader, MalformedFrame } from '../../protocol/wire/bytes.ts'

const ATTRIBUTES_AT = 17
const KEY_AT = [18, 26] as const
const TIMESTAMP_AT = 18
const CODEC_BITS = 0x07
const LOG_APPEND_TIME = 0x08
/**
 * The limit of the inner messages of a wrapper in bytes. They are decompressed as a whole, because the offset of the last one
 * determines the offsets of all.
 */
const LARGEST_INSIDE = 64 << 20

/** The header fields that have other positions than in a batch of magic 2. */
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

/** A record of magic 0 or 1, which has a checksum of its own. */
export interface LegacyRecord extends BatchRecord {
  readonly isValid: boolean
  readonly crc: number
}

/** The record of a message, or the records of its inner messages. Throws errors for which `isAboutBytes` is true. */
export function* legacyRecords(batch: RecordBatch): Generator<LegacyRecord, undefined> {
  const outer = recordOf(batch)
  const { codec, timestamp, timestampType } = legacyPairs(batch)
  if (codec === 'none') {
    yield outer
    return
  }
  const inside = [...batchesIn(unwrapped(batch, outer.value))]
  const last = inside.at(-1)
  if (!last) throw new MalformedFrame('a compressed message contains no message')
  const first = firstOffset(batch, last.baseOffset)
  for (const message of inside) {
    if (!message.isLegacy) throw new MalformedFrame('a compressed message contains a record batch of magic 2')
    if (legacyPairs(message).codec !== 'none')
      throw new MalformedFrame('a compressed message contains another compressed message')
    const record = recordOf(message)
    const isAppendTime = message.magic === 1 && timestampType === 'LogAppendTime'
    yield { ...record, offset: first + record.offset, timestamp: isAppendTime ? timestamp : record.timestamp }
  }
}

/** The base of the inner offsets. In magic 1 they are relative, and the wrapper has the offset of the last inner message. */
function firstOffset({ magic, baseOffset }: RecordBatch, lastInside: bigint): bigint {
  // In magic 0 inner offsets are absolute. Some versions of librdkafka left the offset of the wrapper at 0.
  if (magic === 0 || baseOffset === 0n) return 0n
  if (lastInside <= baseOffset) return baseOffset - lastInside
  throw new MalformedFrame(`a compressed message at offset ${baseOffset} contains the higher offset ${lastInside}`)
}

function unwrapped({ bytes, magic }: RecordBatch, value: Buffer | null): Buffer {
  const codec = codecOf(bytes.readUInt8(ATTRIBUTES_AT) & CODEC_BITS)
  if (value === null) throw new MalformedFrame('a compressed message has no value')
  if (codec === 'none' || codec === 'zstd')
    throw new MalformedFrame(`messages of magic ${magic} do not support ${codec}`)
  // Clients of magic 0 computed the header checksum of an LZ4 frame over the wrong bytes.
  const frame = codec === 'lz4' && magic === 0 ? withFittingHeader(value) : value
  return Buffer.concat([...decompress(codec, frame, LARGEST_INSIDE)])
}

/** Decodes a message into a record. Throws MalformedFrame for invalid bytes. */
function recordOf(batch: RecordBatch): LegacyRecord {
  const { bytes, magic, baseOffset, crc } = batch
  const reader = new ByteReader(bytes, KEY_AT[magic === 0 ? 0 : 1])
  const field = () => {
    const length = reader.int32()
    return length < 0 ? null : reader.bytes(length)
  }
  const fields = { key: field(), value: field(), headers: [], sequence: -1 }
  const { timestamp } = legacyPairs(batch)
  return { offset: baseOffset, timestamp, ...fields, isValid: batch.hasValidCrc(), crc }
}
