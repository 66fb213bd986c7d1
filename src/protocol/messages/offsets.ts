/**
 * OffsetCommit and OffsetFetch: committed offsets of groups. Newer versions have several groups in a request (KIP-709) and topic
 * ids (KIP-848).
 */
import { api } from '../api.ts'
import { ZERO_UUID } from '../wire/bytes.ts'
import { array, boolean, errorCode, int32, int64, nullableString, string, uuid } from '../wire/schema.ts'
import { errorOfEachPartition } from './refusals.ts'

/** First versions of OffsetFetch with a top-level error and with several groups. */
const TOP_LEVEL_ERROR_SINCE = 2
const BATCHED_SINCE = 8

export const OffsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexibleSince: 8,
  request: {
    groupId: string,
    /** -1 for a commit without group membership. */
    generationIdOrMemberEpoch: int32.or(-1),
    memberId: string.or(''),
    groupInstanceId: nullableString.since(7),
    retentionTimeMs: int64.until(4).or(-1n),
    topics: array({
      name: string.until(9).or(''),
      topicId: uuid.since(10).or(ZERO_UUID),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(6).or(-1),
        committedMetadata: nullableString
      })
    })
  },
  response: {
    throttleTimeMs: int32.since(3).or(0),
    topics: array({
      name: string.until(9),
      topicId: uuid.since(10),
      partitions: array({ partitionIndex: int32, errorCode })
    })
  },
  refuse: ({ topics }, { code }) => ({ topics: errorOfEachPartition(topics, code) })
})

/** A committed offset; -1 if there is none. */
const committed = {
  partitionIndex: int32,
  committedOffset: int64,
  committedLeaderEpoch: int32.since(5).or(-1),
  metadata: string.nullableSince(0),
  errorCode
}

export const OffsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexibleSince: 6,
  request: {
    /** The group in versions 0 to 7. Later versions have `groups`. */
    groupId: string.until(7).or(''),
    /** Null requests all topics with committed offsets. */
    topics: array({ name: string, partitionIndexes: array(int32) })
      .nullableSince(2)
      .until(7)
      .or([]),
    groups: array({
      groupId: string,
      memberId: nullableString.since(9),
      memberEpoch: int32.since(9).or(-1),
      topics: array({
        name: string.until(9).or(''),
        topicId: uuid.since(10).or(ZERO_UUID),
        partitionIndexes: array(int32)
      }).nullableSince(8)
    })
      .since(8)
      .or([]),
    requireStable: boolean.since(7).or(false)
  },
  response: {
    throttleTimeMs: int32.since(3).or(0),
    topics: array({ name: string, partitions: array(committed) })
      .until(7)
      .or([]),
    errorCode: errorCode.since(2).until(7).or('NONE'),
    groups: array({
      groupId: string,
      topics: array({ name: string.until(9), topicId: uuid.since(10), partitions: array(committed) }),
      errorCode
    })
      .since(8)
      .or([])
  },
  /** Version 1 has error codes only in its partitions. */
  refuse({ topics, groups }, { code }, version) {
    if (version >= BATCHED_SINCE) {
      return { groups: groups.map(({ groupId }) => ({ groupId, errorCode: code, topics: [] })) }
    }
    if (version >= TOP_LEVEL_ERROR_SINCE) return { errorCode: code }
    const fields = { committedOffset: -1n, metadata: '', errorCode: code }
    const refused = (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, ...fields }))
    }))
    return { topics: refused }
  }
})
