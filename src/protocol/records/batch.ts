/**
 * A record batch as a view of a Buffer. Getters read the header in place. The leader's offset and epoch are written in place,
 * outside the range of the checksum. A produced batch is therefore written to disk and sent to consumers without re-encoding. A
 * view keeps its whole Buffer in memory: code that stores a batch copies it.
 */
import { KafkaError } from '../errors.ts'
import { crc32, crc32c } from './checksum.ts'
import { type Codec, codecOf } from './compression/codecs.ts'

/** Size of the header of a magic 2 batch. A view of this size supports every getter of header fields. */
export const BATCH_OVERHEAD = 61
/** Size of offset and length, the first fields of a log entry of any magic. */
export const LOG_OVERHEAD = 12
/** Size of a log entry up to and including its magic. */
export const HEADER_UP_TO_MAGIC = 17
/** Smallest value of the length field: a magic 0 message without key and value. */
export const SMALLEST_LENGTH = 14

/** Positions of the header fields. */
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

/** Attribute bits of a magic 2 batch. */
export const ATTRIBUTES = {
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40
} as const

/** Source of record timestamps: the producer, or the broker's clock at the append. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** Header values for a batch without timestamp, producer id, producer epoch or sequence. */
export const NO_TIMESTAMP = -1n
export const NO_PRODUCER_ID = -1n
export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
/** The largest producer epoch. No client gets it: it fences the last epoch that a client can have. */
export const MAX_PRODUCER_EPOCH = 32_767
const MAX_SEQUENCE = 2_147_483_647

/** The bytes at `position` are not a valid record batch. */
export class CorruptRecordError extends KafkaError {
  override name = 'CorruptRecordError'
  readonly position: number

  constructor(message: string, position: number) {
    super('CORRUPT_MESSAGE', message)
    this.position = position
  }
}

/** The sequence number `increment` after `sequence`. 0 follows the largest int32. */
export function incrementSequence(sequence: number, increment: number): number {
  const sum = sequence + increment
  return sum > MAX_SEQUENCE ? sum - MAX_SEQUENCE - 1 : sum
}

/** The sequence number `decrement` before `sequence`. The largest int32 precedes 0. */
export function decrementSequence(sequence: number, decrement: number): number {
  return (sequence - decrement + MAX_SEQUENCE + 1) % (MAX_SEQUENCE + 1)
}

/** A log entry: a magic 2 batch, or a legacy message with only offset, size, magic and checksum. */
export class RecordBatch {
  /** Exactly this batch, or at least its first BATCH_OVERHEAD bytes if only the header is read. */
  readonly bytes: Buffer
  // Kept after the first read: an append reads these several times, and each int64 of a Buffer takes several BigInts.
  #baseOffset: bigint | undefined
  #lastOffset: bigint | undefined
  #maxTimestamp: bigint | undefined
  #producerId: bigint | undefined

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get baseOffset(): bigint {
    this.#baseOffset ??= this.bytes.readBigInt64BE(HEADER.baseOffset)
    return this.#baseOffset
  }

  /** Size of the batch after the length field. */
  get batchLength(): number {
    return this.bytes.readInt32BE(HEADER.length)
  }

  get sizeInBytes(): number {
    return LOG_OVERHEAD + this.batchLength
  }

  /** -1 if no leader has set it. */
  get partitionLeaderEpoch(): number {
    return this.bytes.readInt32BE(HEADER.leaderEpoch)
  }

  get magic(): number {
    return this.bytes.readInt8(HEADER.magic)
  }

  /**
   * True for a magic 0 or 1 message. Of the members below, only `crc`, `lastOffset`, `nextOffset` and `hasValidCrc` are valid for
   * it.
   */
  get isLegacy(): boolean {
    return this.magic < 2
  }

  get crc(): number {
    return this.bytes.readUInt32BE(this.isLegacy ? LEGACY_CRC_AT : HEADER.crc)
  }

  /** The header has two bytes of attributes. Kafka reads only the lower one. */
  get attributes(): number {
    return this.bytes.readUInt8(HEADER.attributes + 1)
  }

  /** The codec of the records. As in Kafka, throws UNKNOWN_SERVER_ERROR for an unknown id. */
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

  /**
   * Time in milliseconds after which compaction may remove the tombstones or the marker of the batch; undefined if it is not set.
   */
  get deleteHorizonMs(): bigint | undefined {
    return this.attributes & ATTRIBUTES.deleteHorizon ? this.baseTimestamp : undefined
  }

  get lastOffsetDelta(): number {
    return this.bytes.readInt32BE(HEADER.lastOffsetDelta)
  }

  get lastOffset(): bigint {
    this.#lastOffset ??= this.isLegacy ? this.baseOffset : this.baseOffset + BigInt(this.lastOffsetDelta)
    return this.#lastOffset
  }

  get nextOffset(): bigint {
    return this.lastOffset + 1n
  }

  /** Base of the timestamp deltas of the records. */
  get baseTimestamp(): bigint {
    return this.bytes.readBigInt64BE(HEADER.baseTimestamp)
  }

  get maxTimestamp(): bigint {
    this.#maxTimestamp ??= this.bytes.readBigInt64BE(HEADER.maxTimestamp)
    return this.#maxTimestamp
  }

  /** -1 for a producer that is not idempotent. */
  get producerId(): bigint {
    this.#producerId ??= this.bytes.readBigInt64BE(HEADER.producerId)
    return this.#producerId
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

  /** The encoded records, possibly compressed. */
  get recordBytes(): Buffer {
    return this.bytes.subarray(BATCH_OVERHEAD)
  }

  /** True if the checksum is correct. */
  hasValidCrc(): boolean {
    if (this.isLegacy) return this.crc === crc32(this.bytes.subarray(LEGACY_MAGIC_AT))
    return this.bytes.length >= BATCH_OVERHEAD && this.crc === crc32c(this.bytes.subarray(HEADER.attributes))
  }

  /** Sets the base offset and the leader epoch, in place. The checksum does not cover them. */
  stamp(baseOffset: bigint, partitionLeaderEpoch: number): void {
    this.bytes.writeBigInt64BE(baseOffset, HEADER.baseOffset)
    this.bytes.writeInt32BE(partitionLeaderEpoch, HEADER.leaderEpoch)
    this.#baseOffset = baseOffset
    this.#lastOffset = undefined
  }

  /** Sets the timestamp type and the max timestamp in place. Updates the checksum if either changes. */
  setMaxTimestamp(timestampType: TimestampType, maxTimestamp: bigint): void {
    if (this.timestampType === timestampType && this.maxTimestamp === maxTimestamp) return
    const kept = this.attributes & ~ATTRIBUTES.logAppendTime
    this.bytes.writeInt16BE(
      kept | (timestampType === 'LogAppendTime' ? ATTRIBUTES.logAppendTime : 0),
      HEADER.attributes
    )
    this.bytes.writeBigInt64BE(maxTimestamp, HEADER.maxTimestamp)
    this.#maxTimestamp = maxTimestamp
    this.seal()
  }

  /** Writes the checksum. */
  seal(): void {
    this.bytes.writeUInt32BE(crc32c(this.bytes.subarray(HEADER.attributes)), HEADER.crc)
  }
}

/**
 * The size of the log entry at `position`, which may exceed the buffer; undefined if the buffer ends before the magic of the
 * entry. Throws CorruptRecordError for an invalid size or magic.
 */
export function entrySizeAt(buffer: Buffer, position: number): number | undefined {
  const remaining = buffer.length - position
  if (remaining < LOG_OVERHEAD) return undefined
  const length = buffer.readInt32BE(position + HEADER.length)
  if (length < SMALLEST_LENGTH) {
    throw new CorruptRecordError(
      `a batch length of ${length} bytes is below the minimum of ${SMALLEST_LENGTH}`,
      position
    )
  }
  if (remaining < HEADER_UP_TO_MAGIC) return undefined
  const magic = buffer.readInt8(position + HEADER.magic)
  if (magic < 0 || magic > 2)
    throw new CorruptRecordError(`the magic ${magic} is unknown; valid are 0, 1 and 2`, position)
  if (magic === 2 && length + LOG_OVERHEAD < BATCH_OVERHEAD) {
    throw new CorruptRecordError(`a batch length of ${length} bytes is shorter than the header`, position)
  }
  return length + LOG_OVERHEAD
}

/** The batch at `position`, as a view; undefined if the buffer does not contain it completely. Throws as `entrySizeAt`. */
export function batchAt(buffer: Buffer, position: number): RecordBatch | undefined {
  const size = entrySizeAt(buffer, position)
  if (size === undefined || size > buffer.length - position) return undefined
  return new RecordBatch(buffer.subarray(position, position + size))
}

/** The complete batches from `position` on, as views. Ends at a batch that the buffer does not contain completely. */
export function* batchesIn(buffer: Buffer, position = 0): Generator<RecordBatch, undefined> {
  for (let at = position; ; ) {
    const batch = batchAt(buffer, at)
    if (!batch) return
    yield batch
    at += batch.bytes.length
  }
}
