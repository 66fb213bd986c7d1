/**
 * A record batch as a window on a Buffer: getters read the header where it lies, and the leader's stamp is written in
 * place, outside the checksum's reach, so that a produced batch goes to disk and on to consumers without being
 * re-encoded. A view pins the Buffer it looks at: who keeps one copies it.
 */
import { KafkaError } from '../errors.ts'
import { crc32, crc32c } from './checksum.ts'
import { type Codec, codecOf } from './compression/codecs.ts'

/** Bytes before the records of a magic 2 batch. A view on this many bytes answers every getter. */
export const BATCH_OVERHEAD = 61
/** Offset and length, which every log entry of any magic begins with. */
export const LOG_OVERHEAD = 12
/** The part of any entry up to its magic. */
export const HEADER_UP_TO_MAGIC = 17
/** The smallest entry there is: a magic 0 message without key and value. */
export const SMALLEST_LENGTH = 14

/** Where the fields of the header are. */
export const HEADER = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordsCount: 57
} as const

const LEGACY_CRC_AT = 12
const LEGACY_MAGIC_AT = 16

/** Bits of the attributes of a magic 2 batch. */
export const ATTRIBUTES = {
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40
} as const

/** Where a record's time comes from: its producer, or the broker's clock when it was appended. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** "No timestamp", "no producer", "no epoch", "no sequence" in a batch. */
export const NO_TIMESTAMP = -1n
export const NO_PRODUCER_ID = -1n
export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
/** The largest epoch of a producer id. No client gets it: it fences the last epoch that a client has. */
export const MAX_PRODUCER_EPOCH = 32_767
const MAX_SEQUENCE = 2_147_483_647

/** The bytes at `position` of what was being read cannot be a record batch. */
export class CorruptRecordError extends KafkaError {
  override name = 'CorruptRecordError'
  readonly position: number

  constructor(message: string, position: number) {
    super('CORRUPT_MESSAGE', message)
    this.position = position
  }
}

/** The sequence number `increment` after `sequence`: 0 follows the largest int32. */
export function incrementSequence(sequence: number, increment: number): number {
  const sum = sequence + increment
  return sum > MAX_SEQUENCE ? sum - MAX_SEQUENCE - 1 : sum
}

/** The sequence number `decrement` before `sequence`: the largest int32 precedes 0. */
export function decrementSequence(sequence: number, decrement: number): number {
  return (sequence - decrement + MAX_SEQUENCE + 1) % (MAX_SEQUENCE + 1)
}

/** One log entry: a magic 2 batch, or a legacy message of which offset, size, magic and checksum can be read. */
export class RecordBatch {
  /** Exactly this batch, or at least its first BATCH_OVERHEAD bytes where only the header is wanted. */
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get baseOffset(): bigint {
    return this.bytes.readBigInt64BE(HEADER.baseOffset)
  }

  /** Bytes after the length field itself. */
  get batchLength(): number {
    return this.bytes.readInt32BE(HEADER.length)
  }

  get sizeInBytes(): number {
    return LOG_OVERHEAD + this.batchLength
  }

  /** -1 when no leader has stamped it. */
  get partitionLeaderEpoch(): number {
    return this.bytes.readInt32BE(HEADER.leaderEpoch)
  }

  get magic(): number {
    return this.bytes.readInt8(HEADER.magic)
  }

  /** A magic 0 or 1 message, which has none of the fields below but `lastOffset`. */
  get isLegacy(): boolean {
    return this.magic < 2
  }

  get crc(): number {
    return this.bytes.readUInt32BE(this.isLegacy ? LEGACY_CRC_AT : HEADER.crc)
  }

  /** Kafka keeps two bytes for the attributes and reads the low one. */
  get attributes(): number {
    return this.bytes.readUInt8(HEADER.attributes + 1)
  }

  /** How the records are compressed. Throws UNKNOWN_SERVER_ERROR, as Kafka does, for an id that names no codec. */
  get codec(): Codec {
    return codecOf(this.attributes & ATTRIBUTES.codec)
  }

  get timestampType(): TimestampType {
    return this.attributes & ATTRIBUTES.logAppendTime ? 'LogAppendTime' : 'CreateTime'
  }

  get isTransactional(): boolean {
    return (this.attributes & ATTRIBUTES.transactional) !== 0
  }

  get isControl(): boolean {
    return (this.attributes & ATTRIBUTES.control) !== 0
  }

  /** When compaction may drop the batch's tombstones or marker; undefined while none has been set. */
  get deleteHorizonMs(): bigint | undefined {
    return this.attributes & ATTRIBUTES.deleteHorizon ? this.baseTimestamp : undefined
  }

  get lastOffsetDelta(): number {
    return this.bytes.readInt32BE(HEADER.lastOffsetDelta)
  }

  get lastOffset(): bigint {
    return this.isLegacy ? this.baseOffset : this.baseOffset + BigInt(this.lastOffsetDelta)
  }

  get nextOffset(): bigint {
    return this.lastOffset + 1n
  }

  /** What the records' timestamp deltas count from. */
  get baseTimestamp(): bigint {
    return this.bytes.readBigInt64BE(HEADER.baseTimestamp)
  }

  get maxTimestamp(): bigint {
    return this.bytes.readBigInt64BE(HEADER.maxTimestamp)
  }

  /** -1 for a producer that is not idempotent. */
  get producerId(): bigint {
    return this.bytes.readBigInt64BE(HEADER.producerId)
  }

  get producerEpoch(): number {
    return this.bytes.readInt16BE(HEADER.producerEpoch)
  }

  get baseSequence(): number {
    return this.bytes.readInt32BE(HEADER.baseSequence)
  }

  get lastSequence(): number {
    const base = this.baseSequence
    return base === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(base, this.lastOffsetDelta)
  }

  get recordsCount(): number {
    return this.bytes.readInt32BE(HEADER.recordsCount)
  }

  /** The records as they lie in the batch, compressed or not. */
  get recordBytes(): Buffer {
    return this.bytes.subarray(BATCH_OVERHEAD)
  }

  /** Whether the checksum fits the bytes. */
  hasValidCrc(): boolean {
    if (this.isLegacy) return this.crc === crc32(this.bytes.subarray(LEGACY_MAGIC_AT))
    return this.bytes.length >= BATCH_OVERHEAD && this.crc === crc32c(this.bytes.subarray(HEADER.attributes))
  }

  /** What the leader gives every batch. Written in place; the checksum does not cover it. */
  stamp(baseOffset: bigint, partitionLeaderEpoch: number): void {
    this.bytes.writeBigInt64BE(baseOffset, HEADER.baseOffset)
    this.bytes.writeInt32BE(partitionLeaderEpoch, HEADER.leaderEpoch)
  }

  /** Sets the kind of time and the largest time, in place, with a new checksum if either really changes. */
  setMaxTimestamp(timestampType: TimestampType, maxTimestamp: bigint): void {
    if (this.timestampType === timestampType && this.maxTimestamp === maxTimestamp) return
    const kept = this.attributes & ~ATTRIBUTES.logAppendTime
    this.bytes.writeInt16BE(
      kept | (timestampType === 'LogAppendTime' ? ATTRIBUTES.logAppendTime : 0),
      HEADER.attributes
    )
    this.bytes.writeBigInt64BE(maxTimestamp, HEADER.maxTimestamp)
    this.seal()
  }

  /** Writes the checksum that fits the bytes. */
  seal(): void {
    this.bytes.writeUInt32BE(crc32c(this.bytes.subarray(HEADER.attributes)), HEADER.crc)
  }
}

/**
 * The size of the log entry at `position`, which may reach beyond the buffer; undefined while the buffer ends before
 * the entry's magic. Throws CorruptRecordError for a size or magic that cannot be.
 */
export function entrySizeAt(buffer: Buffer, position: number): number | undefined {
  const remaining = buffer.length - position
  if (remaining < LOG_OVERHEAD) return undefined
  const length = buffer.readInt32BE(position + HEADER.length)
  if (length < SMALLEST_LENGTH) {
    throw new CorruptRecordError(`a record batch of ${length} bytes is below the least of ${SMALLEST_LENGTH}`, position)
  }
  if (remaining < HEADER_UP_TO_MAGIC) return undefined
  const magic = buffer.readInt8(position + HEADER.magic)
  if (magic < 0 || magic > 2) throw new CorruptRecordError(`record batches have no magic ${magic}`, position)
  if (magic === 2 && length + LOG_OVERHEAD < BATCH_OVERHEAD) {
    throw new CorruptRecordError(`a batch of ${length} bytes is shorter than its own header`, position)
  }
  return length + LOG_OVERHEAD
}

/** The complete batches from `position` on, as views. A batch that the buffer cuts off ends the iteration. */
export function* batchesIn(buffer: Buffer, position = 0): Generator<RecordBatch, undefined> {
  let at = position
  for (;;) {
    const size = entrySizeAt(buffer, at)
    if (size === undefined || size > buffer.length - at) return
    yield new RecordBatch(buffer.subarray(at, at + size))
    at += size
  }
}
