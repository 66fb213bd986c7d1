/**
 * Control records: what the broker itself writes between clients' records. The key says which kind, the value is the
 * kind's own message. Readers take keys of later versions by the fields they know, and skip kinds they do not.
 */

import { KafkaError } from '../errors.ts'
import { ByteReader, ZERO_UUID } from '../wire/bytes.ts'
import { message } from '../wire/compile.ts'
import { array, int16, int32, int64, string, struct, uint16, uuid } from '../wire/schema.ts'
import type { RecordBatch } from './batch.ts'
import { buildBatch } from './builder.ts'
import { RecordWalker } from './record.ts'

/** The kinds of control records. Their place is their id. */
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

/** How a transaction ends. */
export type TxnResult = 'COMMIT' | 'ABORT'

const KEY_BYTES = 4
const MARKER_VALUE_BYTES = 6
/** In bytes; markers have ten. A log that was taken over may hold larger ones. */
const LARGEST_CONTROL_RECORD = 1 << 16

/** The key of a control record. */
export function controlKey(type: ControlType): Buffer {
  const key = Buffer.alloc(KEY_BYTES)
  key.writeInt16BE(CONTROL_TYPES.indexOf(type), 2)
  return key
}

/** The kind that a control record's key names; undefined for one that we do not know. Throws INVALID_RECORD. */
export function controlTypeOf(key: Buffer | null): ControlType | undefined {
  return CONTROL_TYPES[versioned(key, KEY_BYTES, 'control record key').int16()]
}

/** The value of a transaction marker. */
export function endTxnMarkerValue(coordinatorEpoch: number): Buffer {
  const value = Buffer.alloc(MARKER_VALUE_BYTES)
  value.writeInt32BE(coordinatorEpoch, 2)
  return value
}

/** The coordinator epoch in the value of a transaction marker. Throws INVALID_RECORD. */
export function coordinatorEpochOf(value: Buffer | null): number {
  return versioned(value, MARKER_VALUE_BYTES, 'end transaction marker').int32()
}

/** A reader past the version that the bytes begin with. */
function versioned(bytes: Buffer | null, leastBytes: number, subject: string): ByteReader {
  const length = bytes?.length ?? 0
  if (bytes === null || length < leastBytes) {
    throw new KafkaError('INVALID_RECORD', `${length} bytes are too few for a ${subject}`)
  }
  const reader = new ByteReader(bytes)
  const version = reader.int16()
  if (version < 0) throw new KafkaError('INVALID_RECORD', `there is no version ${version} of a ${subject}`)
  return reader
}

/** A transaction marker: the record that ends a producer's transaction in one partition. */
export interface EndTxnMarker {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly result: TxnResult
  readonly coordinatorEpoch: number
  readonly timestamp: bigint
}

/** The batch that ends a transaction on one partition. */
export function buildEndTxnMarker({ producerId, producerEpoch, result, coordinatorEpoch, timestamp }: EndTxnMarker) {
  return controlBatch(result, endTxnMarkerValue(coordinatorEpoch), timestamp, {
    producerId,
    producerEpoch,
    isTransactional: true
  })
}

/**
 * The marker in a control batch; undefined if its record is of another type, or compaction has removed it. Throws
 * INVALID_RECORD.
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

/** A batch of one control record. */
export function controlBatch(
  type: ControlType,
  value: Buffer,
  timestamp: bigint,
  options: Parameters<typeof buildBatch>[1] = {}
): RecordBatch {
  return buildBatch([{ timestamp, key: controlKey(type), value }], { ...options, isControl: true })
}

const voter = { voterId: int32, voterDirectoryId: uuid.since(1).or(ZERO_UUID) }

/** LEADER_CHANGE. Kafka writes version 0 up to 4.3. */
export const LeaderChangeMessage = message(
  { version: int16.or(0), leaderId: int32, voters: array(voter), grantingVoters: array(voter) },
  0
)

/** SNAPSHOT_HEADER: the first record of a snapshot. */
export const SnapshotHeaderRecord = message({ version: int16.or(0), lastContainedLogTimestamp: int64 }, 0)

/** SNAPSHOT_FOOTER: the last record of a snapshot; without it the file is not complete. */
export const SnapshotFooterRecord = message({ version: int16.or(0) }, 0)

/** KRAFT_VERSION: the version of the quorum's protocol. */
export const KRaftVersionRecord = message({ version: int16.or(0), kRaftVersion: int16 }, 0)

/** KRAFT_VOTERS: who votes, and where they are (KIP-853). */
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
