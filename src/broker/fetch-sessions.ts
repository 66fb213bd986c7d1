/**
 * Incremental fetch sessions (KIP-227): the broker remembers which partitions a consumer fetches and what it was told
 * of each, so that a request names only changes and an answer only what is new. Every Fetch is one round:
 * `open` says which partitions to read, the round's `answer` which of the results to send.
 */
import type { ErrorName } from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Random } from '../runtime/random.ts'

/**
 * A partition as a Fetch request asks for it. The topic is named by `topicId` from version 13 on, else by `topic`. The
 * name behind an id is looked up once: a session keeps it though the topic be deleted. It is '' while none is known.
 */
export interface WantedPartition {
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
  readonly wanted: WantedPartition
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
  readonly wanted: readonly WantedPartition[]
  readonly forgotten: readonly Pick<WantedPartition, 'topic' | 'topicId' | 'partition'>[]
}

export interface FetchRound {
  /** What to read, in the order in which the partitions get their share of the answer's bytes. */
  readonly wanted: readonly WantedPartition[]
  /** Picks the results to send, and gives the session id to send with them (0: none). */
  answer<R extends FetchResult>(results: readonly R[], now: number): { sessionId: number; results: readonly R[] }
}

interface CachedPartition {
  wanted: WantedPartition
  highWatermark: bigint
  logStartOffset: bigint
}

interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly createdMs: number
  /** In the order of service: a partition that just got data moves to the end, so that none starves. */
  readonly partitions: Map<string, CachedPartition>
  lastUsedMs: number
  epoch: number
}

const NO_SESSION = 0
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const LAST_EPOCH = 2_147_483_647

export interface FetchSessionLimits {
  /** `max.incremental.fetch.session.cache.slots`. */
  readonly slots: number
  /** `minikafka.max.fetch.session.partitions`: of all sessions together. */
  readonly partitions: number
  /** How long a session is safe from eviction by a larger one, and from being called stale. */
  readonly evictionMs: number
}

export class FetchSessions {
  readonly #limits: FetchSessionLimits
  readonly #random: Random
  /** Least recently used first. */
  readonly #sessions = new Map<number, Session>()

  constructor(limits: FetchSessionLimits, random: Random) {
    this.#limits = limits
    this.#random = random
  }

  /** How many sessions are remembered. */
  get size(): number {
    return this.#sessions.size
  }

  /**
   * Begins a round. Throws FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH or FETCH_SESSION_TOPIC_ID_ERROR:
   * the client then starts over with a full fetch.
   */
  open(request: SessionRequest, now: number): FetchRound {
    const { sessionId, sessionEpoch, wanted } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#sessions.delete(sessionId)
      return sessionEpoch === FINAL_EPOCH ? sessionless(wanted) : this.#full(request)
    }
    const session = this.#find(request)
    if (!this.#hasRoomFor(wanted.length)) {
      this.#sessions.delete(session.id)
      throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', 'there is no room for more partitions in fetch sessions')
    }
    apply(request, session)
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return sessionless(wanted)
    }
    session.lastUsedMs = now
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    session.epoch = nextEpoch(session.epoch)
    return incremental(session, request)
  }

  #find({ sessionId, sessionEpoch, usesTopicIds }: SessionRequest): Session {
    const session = this.#sessions.get(sessionId)
    if (!session) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', `there is no fetch session ${sessionId}`)
    if (session.epoch !== sessionEpoch) {
      throw new KafkaError('INVALID_FETCH_SESSION_EPOCH', `expected epoch ${session.epoch}, got ${sessionEpoch}`)
    }
    if (session.usesTopicIds !== usesTopicIds) {
      throw new KafkaError('FETCH_SESSION_TOPIC_ID_ERROR', 'a session names its topics by id or by name, never by both')
    }
    return session
  }

  /** A round over all that the request names; its answer opens a session when there is room for one. */
  #full({ wanted, usesTopicIds }: SessionRequest): FetchRound {
    return {
      wanted,
      answer: (results, now) => {
        const hasSlot = this.#sessions.size < this.#limits.slots || this.#evict(results.length, now)
        if (!hasSlot || !this.#hasRoomFor(results.length)) return { sessionId: NO_SESSION, results }
        const partitions = new Map<string, CachedPartition>()
        for (const { wanted, highWatermark, logStartOffset } of results) {
          partitions.set(keyOf(wanted, usesTopicIds), { wanted, highWatermark, logStartOffset })
        }
        const id = this.#freshId()
        this.#sessions.set(id, {
          id,
          usesTopicIds,
          partitions,
          createdMs: now,
          lastUsedMs: now,
          epoch: nextEpoch(INITIAL_EPOCH)
        })
        return { sessionId: id, results }
      }
    }
  }

  /** Sessions must not grow without end by requests that each add a little. */
  #hasRoomFor(added: number): boolean {
    if (added === 0) return true
    let known = added
    for (const { partitions } of this.#sessions.values()) known += partitions.size
    return known <= this.#limits.partitions
  }

  /** Makes room: a stale session goes, else the smallest that is no longer new, if it is not larger than the new one. */
  #evict(newSize: number, now: number): boolean {
    const { evictionMs } = this.#limits
    let victim: Session | undefined
    for (const session of this.#sessions.values()) {
      if (now - session.lastUsedMs > evictionMs) {
        victim = session
        break
      }
      const settled = now - session.createdMs > evictionMs && session.partitions.size <= newSize
      if (settled && session.partitions.size < (victim?.partitions.size ?? Number.POSITIVE_INFINITY)) victim = session
    }
    return victim !== undefined && this.#sessions.delete(victim.id)
  }

  #freshId(): number {
    for (;;) {
      const id = 1 + this.#random.below(LAST_EPOCH)
      if (!this.#sessions.has(id)) return id
    }
  }
}

function keyOf({ topic, topicId, partition }: Pick<WantedPartition, 'topic' | 'topicId' | 'partition'>, byId: boolean) {
  return `${byId ? topicId : topic}-${partition}`
}

function nextEpoch(epoch: number): number {
  return epoch === LAST_EPOCH ? 1 : epoch + 1
}

function sessionless(wanted: readonly WantedPartition[]): FetchRound {
  return { wanted, answer: results => ({ sessionId: NO_SESSION, results }) }
}

/** Takes the request's additions, changes and removals into the session. */
function apply({ wanted, forgotten, usesTopicIds }: SessionRequest, session: Session): void {
  for (const partition of wanted) {
    const key = keyOf(partition, usesTopicIds)
    const cached = session.partitions.get(key)
    if (cached) cached.wanted = { ...partition, topic: cached.wanted.topic }
    // -1 is no watermark, so that the first result is sent whatever it is.
    else session.partitions.set(key, { wanted: partition, highWatermark: -1n, logStartOffset: -1n })
  }
  for (const partition of forgotten) session.partitions.delete(keyOf(partition, usesTopicIds))
}

function incremental(session: Session, { nameOf }: SessionRequest): FetchRound {
  const { epoch } = session
  for (const cached of session.partitions.values()) {
    const { wanted } = cached
    if (wanted.topic === '') cached.wanted = { ...wanted, topic: nameOf(wanted.topicId) }
  }
  return {
    wanted: [...session.partitions.values()].map(({ wanted }) => wanted),
    answer: results => {
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
  const key = keyOf(result.wanted, session.usesTopicIds)
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
