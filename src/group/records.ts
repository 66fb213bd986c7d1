/**
 * The records of __consumer_offsets, byte for byte as Kafka writes them: a key is its type's number and its fields, a
 * value its version and its fields, no value a tombstone. Types of groups that we do not have yet are told apart from
 * types that nobody knows, and both are skipped by the reader.
 */
import { ByteReader } from '../protocol/bytes.ts'
import { type KeyValue, RecordType } from '../protocol/keyed-record.ts'
import { array, bytes, type Decoded, int32, int64, nullableString, string, uuid } from '../protocol/schema.ts'

/** The fields of an OffsetCommit key, versions included. */
export const offsetCommitKey = { group: string, topic: string, partition: int32 }

/** The fields of an OffsetCommit value, versions included. */
export const offsetCommitValue = {
  offset: int64,
  leaderEpoch: int32.since(3).or(-1),
  metadata: string,
  commitTimestamp: int64,
  /** Only where a client (OffsetCommit v2-v4) said how long to keep the offset. */
  expireTimestamp: int64.since(1).until(1).or(-1n),
  topicId: uuid.tagged(0, 4)
}

/** The fields of a GroupMetadata key, versions included. */
export const groupMetadataKey = { group: string }

/** The fields of a GroupMetadata value, versions included. */
export const groupMetadataValue = {
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
/** A committed offset, as stored and as kept in memory. */
export type OffsetCommitValue = Decoded<typeof offsetCommitValue>
type GroupMetadataKey = Decoded<typeof groupMetadataKey>
export type GroupMetadataValue = Decoded<typeof groupMetadataValue>

/** A record that means something to us. A null value is a tombstone. */
export type GroupRecord =
  | { readonly type: 'OffsetCommit'; readonly key: OffsetCommitKey; readonly value: OffsetCommitValue | null }
  | { readonly type: 'GroupMetadata'; readonly key: GroupMetadataKey; readonly value: GroupMetadataValue | null }

/** A record that is skipped. `name` is null when no release of Kafka that we know writes such a type. */
export interface SkippedRecord {
  readonly type: 'Skipped'
  readonly typeId: number
  readonly name: string | null
}

const offsetCommit = new RecordType(1, offsetCommitKey, offsetCommitValue, 4, 4)
const groupMetadata = new RecordType(2, groupMetadataKey, groupMetadataValue, 4, 4)

/** Types of Kafka's other kinds of groups, by number. */
const OTHER_TYPES = new Map([
  [3, 'ConsumerGroupMetadata'],
  [4, 'ConsumerGroupPartitionMetadata'],
  [5, 'ConsumerGroupMemberMetadata'],
  [6, 'ConsumerGroupTargetAssignmentMetadata'],
  [7, 'ConsumerGroupTargetAssignmentMember'],
  [8, 'ConsumerGroupCurrentMemberAssignment'],
  [9, 'ShareGroupPartitionMetadata'],
  [10, 'ShareGroupMemberMetadata'],
  [11, 'ShareGroupMetadata'],
  [12, 'ShareGroupTargetAssignmentMetadata'],
  [13, 'ShareGroupTargetAssignmentMember'],
  [14, 'ShareGroupCurrentMemberAssignment'],
  [15, 'ShareGroupStatePartitionMetadata'],
  [16, 'ConsumerGroupRegularExpression'],
  [17, 'StreamsGroupMetadata'],
  [18, 'StreamsGroupPartitionMetadata'],
  [19, 'StreamsGroupMemberMetadata'],
  [20, 'StreamsGroupTargetAssignmentMetadata'],
  [21, 'StreamsGroupTargetAssignmentMember'],
  [22, 'StreamsGroupCurrentMemberAssignment'],
  [23, 'StreamsGroupTopology']
])

/** The version that Kafka 4.1 and later write; 1 is the only one with a place for an explicit expiry. */
const versionOf = (value: OffsetCommitValue | null) => (value && value.expireTimestamp !== -1n ? 1 : 4)
const GROUP_METADATA_VERSION = 3

/** A record as it goes to the log. */
export function encodeRecord(record: GroupRecord): KeyValue {
  switch (record.type) {
    case 'OffsetCommit':
      return offsetCommit.encode(record.key, record.value, versionOf(record.value))
    case 'GroupMetadata':
      return groupMetadata.encode(record.key, record.value, GROUP_METADATA_VERSION)
  }
}

/**
 * A record as it comes from the log; byte strings are views on it.
 * Throws MalformedFrame for bytes that are no record of a type we know: such a partition must not be loaded.
 */
export function decodeRecord({ key, value }: KeyValue): GroupRecord | SkippedRecord {
  const reader = new ByteReader(key)
  const typeId = reader.int16()
  // 0 is OffsetCommit as brokers before 0.9 wrote it, with the same fields.
  if (typeId === 0 || typeId === 1) return { type: 'OffsetCommit', ...offsetCommit.decode(reader, value) }
  if (typeId === 2) return { type: 'GroupMetadata', ...groupMetadata.decode(reader, value) }
  return { type: 'Skipped', typeId, name: OTHER_TYPES.get(typeId) ?? null }
}
