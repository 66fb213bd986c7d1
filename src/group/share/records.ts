/**
 * The records of share groups (KIP-932) in `__consumer_offsets`, as of Kafka 4.3. The coordinator skips them; dump-log prints
 * them. Every value has only version 0, which is flexible; keys never are.
 */
import { flexibleType } from '../../protocol/keyed-record.ts'
import { array, int8, int32, int64, nullableString, string, uuid } from '../../protocol/wire/schema.ts'

const group = { groupId: string }
const member = { groupId: string, memberId: string }

const topicPartitions = array({ topicId: uuid, partitions: array(int32) })
const namedPartitions = array({ topicId: uuid, topicName: string, partitions: array(int32) })

/** The record types, by Kafka's names. */
export const SHARE_GROUP_TYPES = {
  ShareGroupMemberMetadata: flexibleType(10, member, {
    rackId: nullableString,
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string)
  }),
  ShareGroupMetadata: flexibleType(11, group, { epoch: int32, metadataHash: int64 }),
  ShareGroupTargetAssignmentMetadata: flexibleType(12, group, {
    assignmentEpoch: int32,
    assignmentTimestamp: int64.tagged(0, 0)
  }),
  ShareGroupTargetAssignmentMember: flexibleType(13, member, { topicPartitions }),
  ShareGroupCurrentMemberAssignment: flexibleType(14, member, {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: topicPartitions
  }),
  ShareGroupStatePartitionMetadata: flexibleType(15, group, {
    initializingTopics: namedPartitions,
    initializedTopics: namedPartitions,
    deletingTopics: array({ topicId: uuid, topicName: string })
  })
}
