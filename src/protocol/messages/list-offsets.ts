/** ListOffsets and OffsetForLeaderEpoch: offsets by timestamp, by special timestamp, by leader epoch (KIP-79, KIP-320). */
import { api } from '../api.ts'
import { array, errorCode, int8, int32, int64, string } from '../wire/schema.ts'
import { errorOfEachPartition } from './refusals.ts'

export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexibleSince: 6,
  request: {
    replicaId: int32.or(-1),
    isolationLevel: int8.since(2).or(0),
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, currentLeaderEpoch: int32.since(4).or(-1), timestamp: int64 })
    }),
    timeoutMs: int32.since(10).or(0)
  },
  response: {
    throttleTimeMs: int32.since(2).or(0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        timestamp: int64.or(-1n),
        offset: int64.or(-1n),
        leaderEpoch: int32.since(4).or(-1)
      })
    })
  },
  refuse: ({ topics }, { code }) => ({ topics: errorOfEachPartition(topics, code) })
})

export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleSince: 4,
  request: {
    /** -2: a debugging tool, -1: a consumer, otherwise the id of a follower. */
    replicaId: int32.since(3).or(-2),
    topics: array({
      topic: string,
      partitions: array({ partition: int32, currentLeaderEpoch: int32.or(-1), leaderEpoch: int32 })
    })
  },
  response: {
    throttleTimeMs: int32.or(0),
    topics: array({
      topic: string,
      partitions: array({ errorCode, partition: int32, leaderEpoch: int32.or(-1), endOffset: int64.or(-1n) })
    })
  },
  refuse: ({ topics }, { code }) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode: code }))
    }))
  })
})
