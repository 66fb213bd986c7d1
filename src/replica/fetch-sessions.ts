/**
 * Incremental fetch sessions (KIP-227). The broker keeps the partitions of a consumer and the last response for each, so that a
 * request has only changed partitions and a response only changed results. Each Fetch is one round: `open` returns the partitions
 * to read, `respond` of the round returns the results to send.
 */
import type { Settings } from '../config/settings.ts'
import { rows, type ViewOf } from '../config/view.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Random } from '../runtime/random.ts'
import {
  apply,
  type CachedPartition,
  type FetchRound,
  incremental,
  keyOf,
  LAST_EPOCH,
  nextEpoch,
  type RequestedPartition,
  type Session,
  type SessionRequest
} from './fetch-session.ts'

const NO_SESSION = 0
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1

const LIMIT_ROWS = rows({
  slots: 'max.incremental.fetch.session.cache.slots',
  partitions: 'minikafka.max.fetch.session.partitions'
})

/** A new session may evict a session unused for this time, or a session of this age that is not larger. A constant in Kafka, too. */
const EVICTION_MS = 120_000

export class FetchSessions {
  readonly #limits: ViewOf<typeof LIMIT_ROWS>
  readonly #random: Random
  /** Least recently used first. */
  readonly #sessions = new Map<number, Session>()

  constructor(settings: Settings, random: Random) {
    this.#limits = settings.view(LIMIT_ROWS)
    this.#random = random
  }

  /** Number of sessions. */
  get size(): number {
    return this.#sessions.size
  }

  /**
   * Begins a round. Throws FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH or FETCH_SESSION_TOPIC_ID_ERROR; the client
   * then sends a full fetch request.
   */
  open(request: SessionRequest, now: number): FetchRound {
    const { sessionId, sessionEpoch, partitions: requested } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#sessions.delete(sessionId)
      return sessionEpoch === FINAL_EPOCH ? sessionless(requested) : this.#full(request)
    }
    const session = this.#find(request)
    if (!this.#hasRoomFor(requested.length)) {
      this.#sessions.delete(session.id)
      throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', 'the fetch sessions have the maximum number of partitions')
    }
    apply(request, session)
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return sessionless(requested)
    }
    session.lastUsedMs = now
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    session.epoch = nextEpoch(session.epoch)
    return incremental(session, request)
  }

  #find({ sessionId, sessionEpoch, usesTopicIds }: SessionRequest): Session {
    const session = this.#sessions.get(sessionId)
    if (!session) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', `fetch session ${sessionId} does not exist`)
    if (session.epoch !== sessionEpoch) {
      throw new KafkaError(
        'INVALID_FETCH_SESSION_EPOCH',
        `the epoch of the fetch session is ${session.epoch}, not ${sessionEpoch}`
      )
    }
    if (session.usesTopicIds !== usesTopicIds) {
      throw new KafkaError(
        'FETCH_SESSION_TOPIC_ID_ERROR',
        'a fetch session identifies topics by id or by name, not by both'
      )
    }
    return session
  }

  /** A round over all partitions of the request. Its response opens a session if the cache has room. */
  #full({ partitions: requested, usesTopicIds }: SessionRequest): FetchRound {
    return {
      partitions: requested,
      respond: (results, now) => {
        const hasSlot = this.#sessions.size < this.#limits.slots || this.#evict(results.length, now)
        if (!hasSlot || !this.#hasRoomFor(results.length)) return { sessionId: NO_SESSION, results }
        const partitions = new Map<string, CachedPartition>()
        for (const { requested, highWatermark, logStartOffset } of results) {
          partitions.set(keyOf(requested, usesTopicIds), { requested, highWatermark, logStartOffset })
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

  /** Limits the partitions of all sessions, because requests can add partitions to existing sessions. */
  #hasRoomFor(added: number): boolean {
    if (added === 0) return true
    let total = added
    for (const { partitions } of this.#sessions.values()) total += partitions.size
    return total <= this.#limits.partitions
  }

  /**
   * Evicts a session unused for EVICTION_MS, or else the smallest one of that age, if it is not larger than the new session.
   */
  #evict(newSize: number, now: number): boolean {
    let victim: Session | undefined
    for (const session of this.#sessions.values()) {
      if (now - session.lastUsedMs > EVICTION_MS) {
        victim = session
        break
      }
      const settled = now - session.createdMs > EVICTION_MS && session.partitions.size <= newSize
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

function sessionless(partitions: readonly RequestedPartition[]): FetchRound {
  return { partitions, respond: results => ({ sessionId: NO_SESSION, results }) }
}
