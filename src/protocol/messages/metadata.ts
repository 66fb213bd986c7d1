/** Metadata and DescribeTopicPartitions: brokers, topics and partition leaders (KIP-516, KIP-966). */
import { api } from '../api.ts'
import { ZERO_UUID } from '../wire/bytes.ts'
import { array, boolean, errorCode, int32, nullableString, string, struct, uuid } from '../wire/schema.ts'

/** Value of authorized operations that were not requested: the lowest int32. */
export const NOT_ASKED_FOR = -(2 ** 31)

const authorizedOperations = int32.or(NOT_ASKED_FOR)

export const Metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexibleSince: 9,
  request: {
    /** Null requests all topics. Version 0 has no null; an empty array requests all topics. */
    topics: array({ topicId: uuid.since(10).or(ZERO_UUID), name: string.nullableSince(10) }).nullableSince(1),
    allowAutoTopicCreation: boolean.since(4).or(true),
    includeClusterAuthorizedOperations: boolean.since(8).until(10).or(false),
    includeTopicAuthorizedOperations: boolean.since(8).or(false)
  },
  response: {
    throttleTimeMs: int32.since(3).or(0),
    brokers: array({ nodeId: int32, host: string, port: int32, rack: nullableString.since(1) }),
    clusterId: nullableString.since(2),
    controllerId: int32.since(1).or(-1),
    topics: array({
      errorCode,
      name: string.nullableSince(12),
      topicId: uuid.since(10),
      isInternal: boolean.since(1).or(false),
      partitions: array({
        errorCode,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.since(7).or(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).since(5).or([])
      }),
      topicAuthorizedOperations: authorizedOperations.since(8)
    }),
    clusterAuthorizedOperations: authorizedOperations.since(8).until(10),
    errorCode: errorCode.since(13).or('NONE')
  },
  refuse: ({ topics }, { code }) => ({
    errorCode: code,
    brokers: [],
    topics: (topics ?? []).map(({ name, topicId }) => ({ errorCode: code, name: name ?? '', topicId, partitions: [] }))
  })
})

/** First partition of a page; null before the first page and after the last. */
const cursor = struct({ topicName: string, partitionIndex: int32 }).nullableSince(0).or(null)

export const DescribeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexibleSince: 0,
  request: { topics: array({ name: string }), responsePartitionLimit: int32.or(2000), cursor },
  response: {
    throttleTimeMs: int32.or(0),
    topics: array({
      errorCode,
      name: nullableString,
      topicId: uuid,
      isInternal: boolean.or(false),
      partitions: array({
        errorCode,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.or(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: array(int32).nullableSince(0).or(null),
        lastKnownElr: array(int32).nullableSince(0).or(null),
        offlineReplicas: array(int32).or([])
      }),
      topicAuthorizedOperations: authorizedOperations
    }),
    nextCursor: cursor
  },
  refuse: ({ topics }, { code }) => ({
    topics: topics.map(({ name }) => ({ errorCode: code, name, topicId: ZERO_UUID, partitions: [] }))
  })
})
