/** CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords: admin APIs of topics (KIP-4, KIP-107). */
import { api } from '../api.ts'
import { ZERO_UUID } from '../wire/bytes.ts'
import { array, boolean, errorCode, int8, int16, int32, int64, nullableString, string, uuid } from '../wire/schema.ts'
import { errorFields, errorOfEachPartition } from './refusals.ts'

/** First version of DeleteTopics with topic ids. */
const TOPIC_IDS_SINCE = 6

export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleSince: 5,
  request: {
    topics: array({
      name: string,
      /** -1: the broker's default, or determined by `assignments`. */
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({ partitionIndex: int32, brokerIds: array(int32) }).or([]),
      configs: array({ name: string, value: nullableString }).or([])
    }),
    timeoutMs: int32.or(60_000),
    validateOnly: boolean.or(false)
  },
  response: {
    throttleTimeMs: int32.or(0),
    topics: array({
      name: string,
      topicId: uuid.since(7).or(ZERO_UUID),
      errorCode,
      errorMessage: nullableString,
      /** Reason why `configs` is null although the topic was created (KIP-525). */
      topicConfigErrorCode: errorCode.tagged(0, 5),
      numPartitions: int32.since(5).or(-1),
      replicationFactor: int16.since(5).or(-1),
      configs: array({
        name: string,
        value: nullableString,
        readOnly: boolean,
        configSource: int8.or(-1),
        isSensitive: boolean
      })
        .since(5)
        .nullableSince(5)
        .or([])
    })
  },
  refuse: ({ topics }, error) => ({ topics: topics.map(({ name }) => ({ name, ...errorFields(error) })) })
})

export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleSince: 4,
  request: {
    /** Topics by name or by id, from version 6 on. Older versions have `topicNames`. */
    topics: array({ name: nullableString, topicId: uuid.or(ZERO_UUID) })
      .since(6)
      .or([]),
    topicNames: array(string).until(5).or([]),
    timeoutMs: int32
  },
  response: {
    throttleTimeMs: int32.or(0),
    responses: array({
      name: string.nullableSince(6),
      topicId: uuid.since(6).or(ZERO_UUID),
      errorCode,
      errorMessage: nullableString.since(5)
    })
  },
  /** As in Kafka, without the error message that versions 5 and later have. */
  refuse({ topics, topicNames }, { code }, version) {
    const named = version >= TOPIC_IDS_SINCE ? topics : topicNames.map(name => ({ name, topicId: ZERO_UUID }))
    return { responses: named.map(({ name, topicId }) => ({ name, topicId, errorCode: code })) }
  }
})

export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    topics: array({
      name: string,
      /** New total number of partitions, including the existing ones. */
      count: int32,
      assignments: array({ brokerIds: array(int32) })
        .nullableSince(0)
        .or(null)
    }),
    timeoutMs: int32,
    validateOnly: boolean.or(false)
  },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({ name: string, errorCode, errorMessage: nullableString })
  },
  refuse: ({ topics }, error) => ({ results: topics.map(({ name }) => ({ name, ...errorFields(error) })) })
})

export const DeleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    topics: array({ name: string, partitions: array({ partitionIndex: int32, offset: int64 }) }),
    timeoutMs: int32
  },
  response: {
    throttleTimeMs: int32.or(0),
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, lowWatermark: int64.or(-1n), errorCode })
    })
  },
  refuse: ({ topics }, { code }) => ({ topics: errorOfEachPartition(topics, code) })
})
