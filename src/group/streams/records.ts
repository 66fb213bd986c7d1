/**
 * The records of streams groups (KIP-1071) in `__consumer_offsets`, as of Kafka 4.3. The coordinator skips them; dump-log prints
 * them. Every value has only version 0, which is flexible; keys never are.
 */
import { flexibleType } from '../../protocol/keyed-record.ts'
import { array, int8, int16, int32, int64, nullableString, string, struct, uint16 } from '../../protocol/wire/schema.ts'

const group = { groupId: string }
const member = { groupId: string, memberId: string }

const epochs = array(int32).nullableSince(0).or(null).tagged(0, 0)
const tasks = array({ subtopologyId: string, partitions: array(int32) })
const ownedTasks = array({ subtopologyId: string, partitions: array(int32), assignmentEpochs: epochs })
const keyValues = array({ key: string, value: string })
const topicInfos = array({ name: string, partitions: int32, replicationFactor: int16, topicConfigs: keyValues })

/** The record types, by Kafka's names. */
export const STREAMS_GROUP_TYPES = {
  StreamsGroupMetadata: flexibleType(17, group, {
    epoch: int32,
    metadataHash: int64,
    validatedTopologyEpoch: int32.or(-1).tagged(0, 0),
    lastAssignmentConfigs: keyValues.nullableSince(0).or(null).tagged(1, 0)
  }),
  StreamsGroupMemberMetadata: flexibleType(19, member, {
    instanceId: nullableString,
    rackId: nullableString,
    clientId: string,
    clientHost: string,
    rebalanceTimeoutMs: int32.or(-1),
    topologyEpoch: int32,
    processId: string,
    userEndpoint: struct({ host: string, port: uint16 }).nullableSince(0).or(null),
    clientTags: keyValues
  }),
  StreamsGroupTargetAssignmentMetadata: flexibleType(20, group, {
    assignmentEpoch: int32,
    assignmentTimestamp: int64.tagged(0, 0)
  }),
  StreamsGroupTargetAssignmentMember: flexibleType(21, member, {
    activeTasks: tasks,
    standbyTasks: tasks,
    warmupTasks: tasks
  }),
  StreamsGroupCurrentMemberAssignment: flexibleType(22, member, {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    activeTasks: ownedTasks,
    standbyTasks: ownedTasks,
    warmupTasks: ownedTasks,
    activeTasksPendingRevocation: ownedTasks,
    standbyTasksPendingRevocation: ownedTasks,
    warmupTasksPendingRevocation: ownedTasks
  }),
  StreamsGroupTopology: flexibleType(23, group, {
    epoch: int32,
    subtopologies: array({
      subtopologyId: string,
      sourceTopics: array(string),
      sourceTopicRegex: array(string),
      stateChangelogTopics: topicInfos,
      repartitionSinkTopics: array(string),
      repartitionSourceTopics: topicInfos,
      copartitionGroups: array({
        sourceTopics: array(int16),
        sourceTopicRegex: array(int16),
        repartitionSourceTopics: array(int16)
      })
    })
  })
}
