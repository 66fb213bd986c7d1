/** Produce: record batches for partition leaders. Topics by name up to version 12, by id from version 13 on (KIP-516). */
import { api } from '../api.ts'
import { ZERO_UUID } from '../wire/bytes.ts'
import { array, errorCode, int16, int32, int64, nullableString, records, string, uuid } from '../wire/schema.ts'
import { leaderIdAndEpoch, nodeEndpoints } from './leaders.ts'
import { errorFields } from './refusals.ts'

export const Produce = api({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  // Without the oldest versions, librdkafka assumes that the broker is too old for compression. Kafka advertises them, too.
  advertisedSince: 0,
  flexibleSince: 9,
  request: {
    transactionalId: nullableString,
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.until(12).or(''),
      topicId: uuid.since(13).or(ZERO_UUID),
      partitionData: array({ index: int32, records })
    })
  },
  response: {
    responses: array({
      name: string.until(12),
      topicId: uuid.since(13),
      partitionResponses: array({
        index: int32,
        errorCode,
        baseOffset: int64,
        logAppendTimeMs: int64.or(-1n),
        logStartOffset: int64.since(5).or(-1n),
        /** The invalid records of the batch (KIP-467). */
        recordErrors: array({ batchIndex: int32, batchIndexErrorMessage: nullableString }).since(8).or([]),
        errorMessage: nullableString.since(8),
        currentLeader: leaderIdAndEpoch.tagged(0, 10)
      })
    }),
    throttleTimeMs: int32.or(0),
    nodeEndpoints: nodeEndpoints.tagged(0, 10)
  },
  /** acks=0 has no response: the connection closes. */
  refuse({ acks, topicData }, error) {
    if (acks === 0) return undefined
    const fields = { ...errorFields(error), baseOffset: -1n }
    const responses = topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ index, ...fields }))
    }))
    return { responses }
  }
})
