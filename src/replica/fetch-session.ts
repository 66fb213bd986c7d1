/** One incremental fetch session (KIP-227): what a consumer fetches, and what it was told of each partition last. */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'

/**
 * A partition as a Fetch request asks for it. The topic is named by `topicId` from version 13 on, else by `topic`. The
 * name behind an id is looked up once: a session keeps it though the topic be deleted. It is '' while none is known.
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

/** What the session has to know of a partition's result. */
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
  /** The name of the topic that now has an id, or ''. */
  readonly nameOf: (topicId: string) => string
  readonly partitions: readonly RequestedPartition[]
  readonly forgotten: readonly Pick<RequestedPartition, 'topic' | 'topicId' | 'partition'>[]
}

export interface FetchRound {
  /** What to read, in the order in which the partitions get their share of the answer's bytes. */
  readonly partitions: readonly RequestedPartition[]
  /** Picks the results to send, and gives the session id to send with them (0: none). */
  respond<R extends FetchResult>(results: readonly R[], now: number): { sessionId: number; results: readonly R[] }
}

/** A partition of a session. */
export interface CachedPartition {
  requested: RequestedPartition
  highWatermark: bigint
  logStartOffset: bigint
}

/** What the broker remembers for a consumer. */
export interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly createdMs: number
  /** In the order of service: a partition that just got data moves to the end, so that none starves. */
  readonly partitions: Map<string, CachedPartition>
  lastUsedMs: number
  epoch: number
}

/** After it comes 1. */
export const LAST_EPOCH = 2_147_483_647

/** Names a partition within a session. */
export function keyOf(
  { topic, topicId, partition }: Pick<RequestedPartition, 'topic' | 'topicId' | 'partition'>,
  byId: boolean
) {
  return `${byId ? topicId : topic}-${partition}`
}

/** The epoch that the next request must have. */
export function nextEpoch(epoch: number): number {
  return epoch === LAST_EPOCH ? 1 : epoch + 1
}

/** Takes the request's additions, changes and removals into the session. */
export function apply({ partitions, forgotten, usesTopicIds }: SessionRequest, session: Session): void {
  for (const partition of partitions) {
    const key = keyOf(partition, usesTopicIds)
    const cached = session.partitions.get(key)
    if (cached) cached.requested = { ...partition, topic: cached.requested.topic }
    // -1 is no watermark, so that the first result is sent whatever it is.
    else session.partitions.set(key, { requested: partition, highWatermark: -1n, logStartOffset: -1n })
  }
  for (const partition of forgotten) session.partitions.delete(keyOf(partition, usesTopicIds))
}

/** A round of all that the session remembers, of which only the news are sent. */
export function incremental(session: Session, { nameOf }: SessionRequest): FetchRound {
  const { epoch } = session
  for (const cached of session.partitions.values()) {
    const { requested } = cached
    if (requested.topic === '') cached.requested = { ...requested, topic: nameOf(requested.topicId) }
  }
  return {
    partitions: [...session.partitions.values()].map(({ requested }) => requested),
    respond: results => {
      // The same session on another connection has moved on while this request waited.
      if (session.epoch !== epoch) {
        throw new KafkaError(
          'INVALID_FETCH_SESSION_EPOCH',
          `expected epoch ${epoch}, the session is at ${session.epoch}`
        )
      }
      return { sessionId: session.id, results: results.filter(result => isNews(session, result)) }
    }
  }
}

/** Whether the client must hear of this result; notes what it is told. */
function isNews(session: Session, result: FetchResult): boolean {
  const key = keyOf(result.requested, session.usesTopicIds)
  const cached = session.partitions.get(key)
  if (!cached) return false
  const { highWatermark, logStartOffset, errorCode, recordBytes, diverges } = result
  const moved = cached.highWatermark !== highWatermark || cached.logStartOffset !== logStartOffset
  // After an error the watermark counts as unknown, so that the recovery is told as well.
  cached.highWatermark = errorCode === 'NONE' ? highWatermark : -1n
  cached.logStartOffset = logStartOffset
  if (recordBytes > 0) {
    session.partitions.delete(key)
    session.partitions.set(key, cached)
  }
  return moved || recordBytes > 0 || errorCode !== 'NONE' || diverges
}
