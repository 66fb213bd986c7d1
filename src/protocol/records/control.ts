/**
 * Control records, which brokers write between the records of clients. The key has the type, the value is the message of that
 * type. Decoding ignores unknown fields of later key versions, and skips unknown types.
 */

import { KafkaError } from '../errors.ts'
import { ByteReader, ZERO_UUID } from '../wire/bytes.ts'
import { message } from '../wire/compile.ts'
import { array, int16, int32, int64, string, struct, uint16, uuid } from '../wire/schema.ts'
import type { RecordBatch } from './batch.ts'
import { buildBatch } from './builder.ts'
import { RecordWalker } from './record.ts'

/** The types of control records. The index is the type id. */
export const CONTROL_TYPES = [
  'ABORT',
  'COMMIT',
  'LEADER_CHANGE',
  'SNAPSHOT_HEADER',
  'SNAPSHOT_FOOTER',
  'KRAFT_VERSION',
  'KRAFT_VOTERS'
] as const

export type ControlType = (typeof CONTROL_TYPES)[number]

/** Result of a transaction. */
export type TxnResult = 'COMMIT' | 'ABORT'

const KEY_BYTES = 4
const MARKER_VALUE_BYTES = 6
/**
 * Size limit of a control record in bytes. Transaction markers have ten bytes; a log of another broker may have larger control
 * records.
 */
const LARGEST_CONTROL_RECORD = 1 << 16

/** The key of a control record. */
export function controlKey(type: ControlType): Buffer {
  const key = Buffer.alloc(KEY_BYTES)
  key.writeInt16BE(CONTROL_TYPES.indexOf(type), 2)
  return key
}

/** The type in the key of a control record; undefined for an unknown type. Throws INVALID_RECORD for a malformed key. */
export function controlTypeOf(key: Buffer | null): ControlType | undefined {
  return CONTROL_TYPES[versioned(key, KEY_BYTES, 'control record key').int16()]
}

/** The value of a transaction marker. */
export function endTxnMarkerValue(coordinatorEpoch: number): Buffer {
  const value = Buffer.alloc(MARKER_VALUE_BYTES)
  value.writeInt32BE(coordinatorEpoch, 2)
  return value
}

/** The coordinator epoch in the value of a transaction marker. Throws INVALID_RECORD for a malformed value. */
export function coordinatorEpochOf(value: Buffer | null): number {
  return versioned(value, MARKER_VALUE_BYTES, 'end transaction marker').int32()
}

/** A reader positioned after the version at the start of the bytes. */
function versioned(bytes: Buffer | null, leastBytes: number, subject: string): ByteReader {
  const length = bytes?.length ?? 0
  if (bytes === null || length < leastBytes) {
    throw new KafkaError('INVALID_RECORD', `${length} bytes are too few for a ${subject}`)
  }
  const reader = new ByteReader(bytes)
  const version = reader.int16()
  if (version < 0) throw new KafkaError('INVALID_RECORD', `the version ${version} of a ${subject} is unknown`)
  return reader
}

/** A transaction marker: the record that ends a transaction in a partition. */
export interface EndTxnMarker {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly result: TxnResult
  readonly coordinatorEpoch: number
  readonly timestamp: bigint
}

/** The batch with the transaction marker of a partition. */
export function buildEndTxnMarker({ producerId, producerEpoch, result, coordinatorEpoch, timestamp }: EndTxnMarker) {
  return controlBatch(result, endTxnMarkerValue(coordinatorEpoch), timestamp, {
    producerId,
    producerEpoch,
    isTransactional: true
  })
}

/**
 * The transaction marker in a control batch; undefined if the record has another type or compaction has removed it. Throws
 * INVALID_RECORD for a malformed record.
 */
export function readEndTxnMarker(batch: RecordBatch): EndTxnMarker | undefined {
  const { producerId, producerEpoch } = batch
  const walker = new RecordWalker(batch, LARGEST_CONTROL_RECORD)
  if (!walker.next()) return undefined
  const { key, value, timestamp } = walker.record()
  const result = controlTypeOf(key)
  if (result !== 'ABORT' && result !== 'COMMIT') return undefined
  return { producerId, producerEpoch, result, coordinatorEpoch: coordinatorEpochOf(value), timestamp }
}

/** A batch with a single control record. */
export function controlBatch(
  type: ControlType,
  value: Buffer,
  timestamp: bigint,
  options: Parameters<typeof buildBatch>[1] = {}
): RecordBatch {
  return buildBatch([{ timestamp, key: controlKey(type), value }], { ...options, isControl: true })
}

const voter = { voterId: int32, voterDirectoryId: uuid.since(1).or(ZERO_UUID) }

/** LEADER_CHANGE. Kafka up to 4.3 writes version 0. */
export const LeaderChangeMessage = message(
  { version: int16.or(0), leaderId: int32, voters: array(voter), grantingVoters: array(voter) },
  0
)

/** SNAPSHOT_HEADER: the first record of a snapshot. */
export const SnapshotHeaderRecord = message({ version: int16.or(0), lastContainedLogTimestamp: int64 }, 0)

/** SNAPSHOT_FOOTER: the last record of a snapshot. A file without it is incomplete. */
export const SnapshotFooterRecord = message({ version: int16.or(0) }, 0)

/** KRAFT_VERSION: the version of the Raft protocol. */
export const KRaftVersionRecord = message({ version: int16.or(0), kRaftVersion: int16 }, 0)

/** KRAFT_VOTERS: the voters and their endpoints (KIP-853). */
export const VotersRecord = message(
  {
    version: int16.or(0),
    voters: array({
      voterId: int32,
      voterDirectoryId: uuid,
      endpoints: array({ name: string, host: string, port: uint16 }),
      kRaftVersionFeature: struct({ minSupportedVersion: int16, maxSupportedVersion: int16 })
    })
  },
  0
)
