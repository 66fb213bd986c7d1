/**
 * The records of `__consumer_offsets`, byte for byte as Kafka writes them. A key is its record type, then its fields. A value is
 * its version, then its fields; a missing value is a tombstone. Offsets and classic groups are declared here, the other group types in
 * their folders. The reader skips records of share and streams groups, and unknown types.
 */

import { type KeyValue, type RecordsOf, RecordType, SkippedRecord } from '../protocol/keyed-record.ts'
import { ByteReader } from '../protocol/wire/bytes.ts'
import {
  array,
  bytes,
  type Decoded,
  int32,
  int64,
  nullableString,
  type Shape,
  string,
  uuid
} from '../protocol/wire/schema.ts'
import { CONSUMER_GROUP_TYPES } from './consumer/records.ts'
import { SHARE_GROUP_TYPES } from './share/records.ts'
import { STREAMS_GROUP_TYPES } from './streams/records.ts'

const offsetCommitKey = { group: string, topic: string, partition: int32 }

const offsetCommitValue = {
  offset: int64,
  leaderEpoch: int32.since(3).or(-1),
  metadata: string,
  commitTimestamp: int64,
  /** Set only if the client requested a retention time (OffsetCommit v2-v4). */
  expireTimestamp: int64.since(1).until(1).or(-1n),
  topicId: uuid.tagged(0, 4)
}

const groupMetadataValue = {
  protocolType: string,
  generation: int32,
  protocol: nullableString,
  leader: nullableString,
  currentStateTimestamp: int64.since(2).or(-1n),
  members: array({
    memberId: string,
    groupInstanceId: nullableString.since(3),
    clientId: string,
    clientHost: string,
    rebalanceTimeout: int32.since(1).or(-1),
    sessionTimeout: int32,
    subscription: bytes,
    assignment: bytes
  })
}

export type OffsetCommitKey = Decoded<typeof offsetCommitKey>
/** A committed offset, in the log and in memory. */
export type OffsetCommitValue = Decoded<typeof offsetCommitValue>
export type GroupMetadataValue = Decoded<typeof groupMetadataValue>

/** The record types, by Kafka's names. */
export const GROUP_TYPES = {
  OffsetCommit: new RecordType(1, offsetCommitKey, offsetCommitValue, 4, 4),
  GroupMetadata: new RecordType(2, { group: string }, groupMetadataValue, 4, 4),
  ...CONSUMER_GROUP_TYPES
}

/** A record of a served type. A null value is a tombstone. */
export type GroupRecord = RecordsOf<typeof GROUP_TYPES>

/** The group id of a record. */
export function groupIdOf({ key }: GroupRecord): string {
  return 'group' in key ? key.group : key.groupId
}

const LEGACY_OFFSET_COMMIT = 0

const TYPES_BY_ID = new Map<number, GroupRecord['type']>([
  // Written by brokers before 0.9, with the same fields.
  [LEGACY_OFFSET_COMMIT, 'OffsetCommit'],
  ...Object.entries(GROUP_TYPES).map(([name, { typeId }]) => [typeId, name as GroupRecord['type']] as const)
])

/** Names of the skipped record types, by number. Kafka 4.3 has no schema for the first two any more. */
const SKIPPED_TYPES = new Map([
  [9, 'ShareGroupPartitionMetadata'],
  [18, 'StreamsGroupPartitionMetadata'],
  ...Object.entries({ ...SHARE_GROUP_TYPES, ...STREAMS_GROUP_TYPES }).map(
    ([name, { typeId }]) => [typeId, name] as const
  )
])

const GROUP_METADATA_VERSION = 3

/** Encodes a record for the log. */
export function encodeRecord(record: GroupRecord): KeyValue {
  const type: RecordType<Shape, Shape> = GROUP_TYPES[record.type]
  return type.encode(record.key, record.value, versionOf(record))
}

/** The value version that Kafka 4.3 writes. */
function versionOf(record: GroupRecord): number {
  if (record.type === 'GroupMetadata') return GROUP_METADATA_VERSION
  if (record.type !== 'OffsetCommit') return 0
  // Version 1 is the only one with expireTimestamp.
  return record.value && record.value.expireTimestamp !== -1n ? 1 : 4
}

/**
 * Decodes a record of the log; byte strings are views of the input. Throws MalformedFrame for malformed bytes of a served type:
 * the partition must then not be loaded.
 */
export function decodeRecord({ key, value }: KeyValue): GroupRecord | SkippedRecord {
  const reader = new ByteReader(key)
  const typeId = reader.int16()
  const type = TYPES_BY_ID.get(typeId)
  if (!type) return new SkippedRecord(typeId, SKIPPED_TYPES.get(typeId) ?? null)
  return { type, ...GROUP_TYPES[type].decode(reader, value) } as GroupRecord
}
