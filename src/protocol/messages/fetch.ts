/**
 * Fetch: record batches of partitions, in fetch sessions (KIP-227). Topics by name up to version 12, by id from version 13 on
 * (KIP-516).
 */
import { api } from '../api.ts'
import { ZERO_UUID } from '../wire/bytes.ts'
import { array, errorCode, int8, int32, int64, nullableString, records, string, struct, uuid } from '../wire/schema.ts'
import { leaderIdAndEpoch, nodeEndpoints } from './leaders.ts'

const LONGEST_INT32 = 2 ** 31 - 1
const LONGEST_INT64 = 2n ** 63n - 1n

/** First version with topic ids (KIP-516). */
const TOPIC_IDS_SINCE = 13

const NOTHING_READ = { highWatermark: -1n, abortedTransactions: [], records: Buffer.alloc(0) }

export const Fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexibleSince: 12,
  request: {
    clusterId: nullableString.tagged(0, 12),
    /** -1 for a consumer. From version 15 on `replicaState` has the id of a follower. */
    replicaId: int32.until(14).or(-1),
    replicaState: struct({ replicaId: int32.or(-1), replicaEpoch: int64.or(-1n) }).tagged(1, 15),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.or(LONGEST_INT32),
    isolationLevel: int8.or(0),
    sessionId: int32.since(7).or(0),
    sessionEpoch: int32.since(7).or(-1),
    topics: array({
      topic: string.until(12).or(''),
      topicId: uuid.since(13).or(ZERO_UUID),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.since(9).or(-1),
        fetchOffset: int64,
        lastFetchedEpoch: int32.since(12).or(-1),
        logStartOffset: int64.since(5).or(-1n),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.tagged(0, 17),
        highWatermark: int64.or(LONGEST_INT64).tagged(1, 18)
      })
    }),
    forgottenTopicsData: array({
      topic: string.until(12).or(''),
      topicId: uuid.since(13).or(ZERO_UUID),
      partitions: array(int32)
    })
      .since(7)
      .or([]),
    rackId: string.since(11).or('')
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: errorCode.since(7).or('NONE'),
    sessionId: int32.since(7).or(0),
    responses: array({
      topic: string.until(12),
      topicId: uuid.since(13),
      partitions: array({
        partitionIndex: int32,
        errorCode,
        highWatermark: int64,
        lastStableOffset: int64.or(-1n),
        logStartOffset: int64.since(5).or(-1n),
        divergingEpoch: struct({ epoch: int32.or(-1), endOffset: int64.or(-1n) }).tagged(0, 12),
        currentLeader: leaderIdAndEpoch.tagged(1, 12),
        snapshotId: struct({ endOffset: int64.or(-1n), epoch: int32.or(-1) }).tagged(2, 12),
        abortedTransactions: array({ producerId: int64, firstOffset: int64 }).nullableSince(4).or(null),
        preferredReadReplica: int32.since(11).or(-1),
        records
      })
    }),
    nodeEndpoints: nodeEndpoints.tagged(0, 16)
  },
  /**
   * Clients without topic ids read the error from the partitions. The top level has the error, too, because a fetch session may have no
   * partitions.
   */
  refuse({ sessionId, topics }, { code }, version) {
    if (version >= TOPIC_IDS_SINCE) return { errorCode: code, sessionId, responses: [] }
    const responses = topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) => ({ partitionIndex: partition, errorCode: code, ...NOTHING_READ }))
    }))
    return { errorCode: code, sessionId, responses }
  }
})
