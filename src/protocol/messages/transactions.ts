/** APIs of transactional producers, and of brokers for them (KIP-98, KIP-447, KIP-890). */
import { api } from '../api.ts'
import { ZERO_UUID } from '../wire/bytes.ts'
import { array, boolean, errorCode, int8, int16, int32, int64, nullableString, string, uuid } from '../wire/schema.ts'
import { errorOfEachPartition, topLevelError } from './refusals.ts'

const partitionsOfTopics = array({ name: string, partitions: array(int32) })
const resultsOfTopics = array({
  name: string,
  resultsByPartition: array({ partitionIndex: int32, partitionErrorCode: errorCode })
})

/** First version of AddPartitionsToTxn with several transactions. */
const BATCHED_SINCE = 4

export const AddPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    /** Transactions of several producers, from other brokers. Clients (up to version 3) send only their own transaction. */
    transactions: array({
      transactionalId: string,
      producerId: int64,
      producerEpoch: int16,
      verifyOnly: boolean,
      topics: partitionsOfTopics
    })
      .since(4)
      .or([]),
    v3AndBelowTransactionalId: string.until(3).or(''),
    v3AndBelowProducerId: int64.until(3).or(0n),
    v3AndBelowProducerEpoch: int16.until(3).or(0),
    v3AndBelowTopics: partitionsOfTopics.until(3).or([])
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: errorCode.since(4).or('NONE'),
    resultsByTransaction: array({ transactionalId: string, topicResults: resultsOfTopics }).since(4).or([]),
    resultsByTopicV3AndBelow: resultsOfTopics.until(3).or([])
  },
  refuse({ v3AndBelowTopics }, { code }, version) {
    if (version >= BATCHED_SINCE) return { errorCode: code }
    const resultsByTopicV3AndBelow = v3AndBelowTopics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: code }))
    }))
    return { resultsByTopicV3AndBelow }
  }
})

export const AddOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexibleSince: 3,
  request: { transactionalId: string, producerId: int64, producerEpoch: int16, groupId: string },
  response: { throttleTimeMs: int32.or(0), errorCode },
  refuse: topLevelError
})

export const EndTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexibleSince: 3,
  request: { transactionalId: string, producerId: int64, producerEpoch: int16, committed: boolean },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode,
    /** Producer id and epoch of the next transaction (KIP-890). */
    producerId: int64.since(5).or(-1n),
    producerEpoch: int16.since(5).or(-1)
  },
  refuse: topLevelError
})

export const WriteTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [1, 2],
  flexibleSince: 1,
  request: {
    markers: array({
      producerId: int64,
      producerEpoch: int16,
      /** True: commit, false: abort. */
      transactionResult: boolean,
      topics: array({ name: string, partitionIndexes: array(int32) }),
      coordinatorEpoch: int32,
      transactionVersion: int8.since(2).or(0)
    })
  },
  response: {
    markers: array({
      producerId: int64,
      topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode }) })
    })
  },
  refuse: ({ markers }, { code }) => ({
    markers: markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode: code }))
      }))
    }))
  })
})

export const TxnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 6],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationIdOrMemberEpoch: int32.since(3).or(-1),
    memberId: string.since(3).or(''),
    groupInstanceId: nullableString.since(3),
    topics: array({
      name: string.until(5).or(''),
      topicId: uuid.since(6).or(ZERO_UUID),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(2).or(-1),
        committedMetadata: nullableString
      })
    })
  },
  response: {
    throttleTimeMs: int32.or(0),
    topics: array({
      name: string.until(5),
      topicId: uuid.since(6),
      partitions: array({ partitionIndex: int32, errorCode })
    })
  },
  refuse: ({ topics }, { code }) => ({ topics: errorOfEachPartition(topics, code) })
})
