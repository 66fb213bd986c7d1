/**
 * The records of __consumer_offsets that belong to kinds of groups which the coordinator does not serve: share and streams
 * groups. Every value has one version, 0, which is flexible; keys never are.
 */
import { RecordType } from '../../protocol/keyed-record.ts'
import {
  array,
  int8,
  int16,
  int32,
  int64,
  nullableString,
  type Shape,
  string,
  struct,
  uint16,
  uuid
} from '../../protocol/wire/schema.ts'

const epochs = array(int32).nullableSince(0).or(null).tagged(0, 0)
const topicPartitions = array({ topicId: uuid, partitions: array(int32) })
const tasks = array({ subtopologyId: string, partitions: array(int32) })
const ownedTasks = array({ subtopologyId: string, partitions: array(int32), assignmentEpochs: epochs })
const keyValues = array({ key: string, value: string })
const namedPartitions = array({ topicId: uuid, topicName: string, partitions: array(int32) })
const topicInfos = array({ name: string, partitions: int32, replicationFactor: int16, topicConfigs: keyValues })
const targetMetadata = { assignmentEpoch: int32, assignmentTimestamp: int64.tagged(0, 0) }

const group = { groupId: string }
const member = { groupId: string, memberId: string }

/** The types of Kafka 4.3. */
export const OTHER_GROUP_TYPES: readonly RecordType<Shape, Shape>[] = [
  type(10, member, {
    rackId: nullableString,
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string)
  }),
  type(11, group, { epoch: int32, metadataHash: int64 }),
  type(12, group, targetMetadata),
  type(13, member, { topicPartitions }),
  type(14, member, {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: topicPartitions
  }),
  type(15, group, {
    initializingTopics: namedPartitions,
    initializedTopics: namedPartitions,
    deletingTopics: array({ topicId: uuid, topicName: string })
  }),
  type(17, group, {
    epoch: int32,
    metadataHash: int64,
    validatedTopologyEpoch: int32.or(-1).tagged(0, 0),
    lastAssignmentConfigs: keyValues.nullableSince(0).or(null).tagged(1, 0)
  }),
  type(19, member, {
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
  type(20, group, targetMetadata),
  type(21, member, { activeTasks: tasks, standbyTasks: tasks, warmupTasks: tasks }),
  type(22, member, {
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
  type(23, group, {
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
]

function type(typeId: number, key: Shape, value: Shape): RecordType<Shape, Shape> {
  return new RecordType(typeId, key, value, 0, 0)
}
