/** One incremental fetch session (KIP-227): the partitions of a consumer, and the last response for each of them. */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'

/**
 * A partition of a Fetch request. From version 13 on the topic is identified by `topicId`, before by `topic`. The name of an id
 * is resolved once: a session keeps it even if the topic is deleted. It is '' until the id resolves.
 */
export interface RequestedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: bigint
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
}

/** The fields of a partition's result that the session compares. */
export interface FetchResult {
  readonly requested: RequestedPartition
  readonly errorCode: ErrorName
  readonly highWatermark: bigint
  readonly logStartOffset: bigint
  readonly recordBytes: number
  readonly diverges: boolean
}

/** The session part of a Fetch request. */
export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  /** The current name of the topic with this id, or ''. */
  readonly nameOf: (topicId: string) => string
  readonly partitions: readonly RequestedPartition[]
  readonly forgotten: readonly Pick<RequestedPartition, 'topic' | 'topicId' | 'partition'>[]
}

export interface FetchRound {
  /** The partitions to read, in the order in which they share the response's byte limit. */
  readonly partitions: readonly RequestedPartition[]
  /** Filters the results to send and returns the session id of the response (0: none). */
  respond<R extends FetchResult>(results: readonly R[], now: number): { sessionId: number; results: readonly R[] }
}

/** A partition of a session, with the values of the last response. */
export interface CachedPartition {
  requested: RequestedPartition
  highWatermark: bigint
  logStartOffset: bigint
}

/** A fetch session. */
export interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly createdMs: number
  /** In the order of service: a partition that returned records moves to the end, so that all partitions get their share. */
  readonly partitions: Map<string, CachedPartition>
  lastUsedMs: number
  epoch: number
}

/** The maximum epoch; the next epoch is 1. */
export const LAST_EPOCH = 2_147_483_647

/** The key of a partition within a session. */
export function keyOf(
  { topic, topicId, partition }: Pick<RequestedPartition, 'topic' | 'topicId' | 'partition'>,
  byId: boolean
) {
  return `${byId ? topicId : topic}-${partition}`
}

/** The session epoch of the next request. */
export function nextEpoch(epoch: number): number {
  return epoch === LAST_EPOCH ? 1 : epoch + 1
}

/** Applies the request's added, changed and forgotten partitions to the session. */
export function apply({ partitions, forgotten, usesTopicIds }: SessionRequest, session: Session): void {
  for (const partition of partitions) {
    const key = keyOf(partition, usesTopicIds)
    const cached = session.partitions.get(key)
    if (cached) cached.requested = { ...partition, topic: cached.requested.topic }
    // -1 is not a valid high watermark, so that the first result is always sent.
    else session.partitions.set(key, { requested: partition, highWatermark: -1n, logStartOffset: -1n })
  }
  for (const partition of forgotten) session.partitions.delete(keyOf(partition, usesTopicIds))
}

/** A round over all partitions of the session. Its response has only partitions with changes. */
export function incremental(session: Session, { nameOf }: SessionRequest): FetchRound {
  const { epoch } = session
  for (const cached of session.partitions.values()) {
    const { requested } = cached
    if (requested.topic === '') cached.requested = { ...requested, topic: nameOf(requested.topicId) }
  }
  return {
    partitions: [...session.partitions.values()].map(({ requested }) => requested),
    respond: results => {
      // A later request of the same session was handled, on another connection, while this one was delayed.
      if (session.epoch !== epoch) {
        throw new KafkaError(
          'INVALID_FETCH_SESSION_EPOCH',
          `the session epoch is ${session.epoch}, but must be ${epoch}`
        )
      }
      return { sessionId: session.id, results: results.filter(result => hasChanges(session, result)) }
    }
  }
}

/** True if the result must be sent. Stores its values for the next comparison. */
function hasChanges(session: Session, result: FetchResult): boolean {
  const key = keyOf(result.requested, session.usesTopicIds)
  const cached = session.partitions.get(key)
  if (!cached) return false
  const { highWatermark, logStartOffset, errorCode, recordBytes, diverges } = result
  const moved = cached.highWatermark !== highWatermark || cached.logStartOffset !== logStartOffset
  // After an error the high watermark is unknown, so that the next successful result is sent.
  cached.highWatermark = errorCode === 'NONE' ? highWatermark : -1n
  cached.logStartOffset = logStartOffset
  if (recordBytes > 0) {
    session.partitions.delete(key)
    session.partitions.set(key, cached)
  }
  return moved || recordBytes > 0 || errorCode !== 'NONE' || diverges
}
