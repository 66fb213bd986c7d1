/**
 * The records of __consumer_offsets that belong to kinds of groups which the coordinator does not serve: consumer
 * (KIP-848), share and streams groups. Every value has one version, 0, which is flexible; keys never are.
 */
import {
  array,
  bytes,
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
} from '../protocol/schema.ts'

const epochs = array(int32).nullableSince(0).or(null).tagged(0, 0)
const topicPartitions = array({ topicId: uuid, partitions: array(int32) })
const ownedPartitions = array({ topicId: uuid, partitions: array(int32), assignmentEpochs: epochs })
const tasks = array({ subtopologyId: string, partitions: array(int32) })
const ownedTasks = array({ subtopologyId: string, partitions: array(int32), assignmentEpochs: epochs })
const keyValues = array({ key: string, value: string })
const namedPartitions = array({ topicId: uuid, topicName: string, partitions: array(int32) })
const topicInfos = array({ name: string, partitions: int32, replicationFactor: int16, topicConfigs: keyValues })
const targetMetadata = { assignmentEpoch: int32, assignmentTimestamp: int64.tagged(0, 0) }

const group = { groupId: string }
const member = { groupId: string, memberId: string }

/** Key and value of each type, by its number in Kafka 4.3. */
export const OTHER_GROUP_RECORDS: ReadonlyMap<number, { readonly key: Shape; readonly value: Shape }> = new Map([
  row(3, group, { epoch: int32, metadataHash: int64.tagged(0, 0) }),
  row(4, group, {
    topics: array({
      topicId: uuid,
      topicName: string,
      numPartitions: int32,
      partitionMetadata: array({ partition: int32, racks: array(string) })
    })
  }),
  row(5, member, {
    instanceId: nullableString,
    rackId: nullableString,
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
    subscribedTopicRegex: nullableString,
    rebalanceTimeoutMs: int32.or(-1),
    serverAssignor: nullableString,
    classicMemberMetadata: struct({
      sessionTimeoutMs: int32,
      supportedProtocols: array({ name: string, metadata: bytes })
    })
      .nullableSince(0)
      .or(null)
      .tagged(0, 0)
  }),
  row(6, group, targetMetadata),
  row(7, member, { topicPartitions }),
  row(8, member, {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: ownedPartitions,
    partitionsPendingRevocation: ownedPartitions
  }),
  row(10, member, {
    rackId: nullableString,
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string)
  }),
  row(11, group, { epoch: int32, metadataHash: int64 }),
  row(12, group, targetMetadata),
  row(13, member, { topicPartitions }),
  row(14, member, {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: topicPartitions
  }),
  row(15, group, {
    initializingTopics: namedPartitions,
    initializedTopics: namedPartitions,
    deletingTopics: array({ topicId: uuid, topicName: string })
  }),
  row(16, { groupId: string, regularExpression: string }, { topics: array(string), version: int64, timestamp: int64 }),
  row(17, group, {
    epoch: int32,
    metadataHash: int64,
    validatedTopologyEpoch: int32.or(-1).tagged(0, 0),
    lastAssignmentConfigs: keyValues.nullableSince(0).or(null).tagged(1, 0)
  }),
  row(19, member, {
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
  row(20, group, targetMetadata),
  row(21, member, { activeTasks: tasks, standbyTasks: tasks, warmupTasks: tasks }),
  row(22, member, {
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
  row(23, group, {
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
])

function row(type: number, key: Shape, value: Shape): [number, { readonly key: Shape; readonly value: Shape }] {
  return [type, { key, value }]
}
