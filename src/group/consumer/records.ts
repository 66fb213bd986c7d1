/**
 * The records of consumer groups (KIP-848) in __consumer_offsets: a group is spread over one record of its epoch, one of
 * its assignment's, one a regular expression, and three a member. Every value has one version, 0, which is flexible.
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
  // Null is no default here, though Kafka's schema says so: a member without this is written as null. A record that says
  // nothing would be read as one of a member with an empty struct.
  .nullableSince(0)
  .tagged(0, 0)

const ownedPartitions = array({
  topicId: uuid,
  partitions: array(int32),
  /** One a partition: since when the member has it. Null in records of brokers before 4.3. */
  assignmentEpochs: array(int32).nullableSince(0).or(null).tagged(0, 0)
})

const memberMetadata = {
  instanceId: nullableString,
  rackId: nullableString,
  clientId: string,
  clientHost: string,
  /** Kafka sorts them. */
  subscribedTopicNames: array(string),
  subscribedTopicRegex: nullableString,
  rebalanceTimeoutMs: int32.or(-1),
  serverAssignor: nullableString,
  /** Of a member that speaks the classic protocol in a consumer group. */
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

/** What brokers before 4.1 knew of a group's topics; the hash in ConsumerGroupMetadata took its place. */
const partitionMetadata = {
  topics: array({
    topicId: uuid,
    topicName: string,
    numPartitions: int32,
    partitionMetadata: array({ partition: int32, racks: array(string) })
  })
}

/** Kafka sorts the topics; the version is that of the metadata in which they were found. */
const regularExpression = { topics: array(string), version: int64, timestamp: int64 }

/** The types of records, by Kafka's names. */
export const CONSUMER_GROUP_TYPES = {
  ConsumerGroupMetadata: flexibleType(3, group, { epoch: int32, metadataHash: int64.tagged(0, 0) }),
  /** Of this type we write tombstones only, as Kafka does since 4.1. */
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

/** A record of a consumer group; `type` tells which. */
export type ConsumerGroupRecord = RecordsOf<typeof CONSUMER_GROUP_TYPES>

export type ConsumerGroupMemberMetadataValue = Decoded<typeof memberMetadata>
export type ConsumerGroupTargetAssignmentMemberValue = Decoded<typeof targetAssignment>
export type ConsumerGroupCurrentMemberAssignmentValue = Decoded<typeof currentAssignment>
export type ConsumerGroupRegularExpressionValue = Decoded<typeof regularExpression>
