/**
 * The records of consumer groups (KIP-848) in `__consumer_offsets`. A group has one record for its epoch, one for the epoch of
 * its target assignment, one for each regular expression, and three for each member. Every value has only version 0, which is
 * flexible.
 */
import { flexibleType, type RecordsOf } from '../../protocol/keyed-record.ts'
import {
  array,
  bytes,
  type Decoded,
  int8,
  int32,
  int64,
  nullableString,
  string,
  struct,
  uuid
} from '../../protocol/wire/schema.ts'

const group = { groupId: string }
const member = { groupId: string, memberId: string }

const classicMemberMetadata = struct({
  sessionTimeoutMs: int32,
  supportedProtocols: array({ name: string, metadata: bytes })
})
  // Unlike in Kafka's schema, null is not the default: null is written for a member without this field. A record that omits the
  // tag is read as a member with an empty struct.
  .nullableSince(0)
  .tagged(0, 0)

const ownedPartitions = array({
  topicId: uuid,
  partitions: array(int32),
  /** The epoch of each partition's assignment. Null in records of brokers before 4.3. */
  assignmentEpochs: array(int32).nullableSince(0).or(null).tagged(0, 0)
})

const memberMetadata = {
  instanceId: nullableString,
  rackId: nullableString,
  clientId: string,
  clientHost: string,
  /** Sorted, as in Kafka. */
  subscribedTopicNames: array(string),
  subscribedTopicRegex: nullableString,
  rebalanceTimeoutMs: int32.or(-1),
  serverAssignor: nullableString,
  /** Set for a member of the classic protocol. */
  classicMemberMetadata
}

const targetAssignment = { topicPartitions: array({ topicId: uuid, partitions: array(int32) }) }

const currentAssignment = {
  memberEpoch: int32,
  previousMemberEpoch: int32,
  state: int8,
  assignedPartitions: ownedPartitions,
  partitionsPendingRevocation: ownedPartitions
}

/** Metadata of the group's topics, written by brokers before 4.1. The hash in ConsumerGroupMetadata has replaced it. */
const partitionMetadata = {
  topics: array({
    topicId: uuid,
    topicName: string,
    numPartitions: int32,
    partitionMetadata: array({ partition: int32, racks: array(string) })
  })
}

/** Topics are sorted, as in Kafka. The version is that of the metadata at the resolution. */
const regularExpression = { topics: array(string), version: int64, timestamp: int64 }

/** The record types, by Kafka's names. */
export const CONSUMER_GROUP_TYPES = {
  ConsumerGroupMetadata: flexibleType(3, group, { epoch: int32, metadataHash: int64.tagged(0, 0) }),
  /** As in Kafka since 4.1, only tombstones of this type are written. */
  ConsumerGroupPartitionMetadata: flexibleType(4, group, partitionMetadata),
  ConsumerGroupMemberMetadata: flexibleType(5, member, memberMetadata),
  ConsumerGroupTargetAssignmentMetadata: flexibleType(6, group, {
    assignmentEpoch: int32,
    assignmentTimestamp: int64.tagged(0, 0)
  }),
  ConsumerGroupTargetAssignmentMember: flexibleType(7, member, targetAssignment),
  ConsumerGroupCurrentMemberAssignment: flexibleType(8, member, currentAssignment),
  ConsumerGroupRegularExpression: flexibleType(16, { groupId: string, regularExpression: string }, regularExpression)
}

/** A record of a consumer group, discriminated by `type`. */
export type ConsumerGroupRecord = RecordsOf<typeof CONSUMER_GROUP_TYPES>

export type ConsumerGroupMemberMetadataValue = Decoded<typeof memberMetadata>
export type ConsumerGroupTargetAssignmentMemberValue = Decoded<typeof targetAssignment>
export type ConsumerGroupCurrentMemberAssignmentValue = Decoded<typeof currentAssignment>
export type ConsumerGroupRegularExpressionValue = Decoded<typeof regularExpression>
