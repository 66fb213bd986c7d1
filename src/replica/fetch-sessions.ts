/**
 * Incremental fetch sessions (KIP-227): the broker remembers which partitions a consumer fetches and what it was told
 * of each, so that a request names only changes and an answer only what is new. Every Fetch is one round:
 * `open` says which partitions to read, the round's `answer` which of the results to send.
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

/** How long a session is neither evicted by a larger one nor stale. A constant in Kafka, too. */
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

  /** How many sessions are remembered. */
  get size(): number {
    return this.#sessions.size
  }

  /**
   * Begins a round. Throws FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH or FETCH_SESSION_TOPIC_ID_ERROR:
   * the client then starts over with a full fetch.
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
      throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', 'there is no room for more partitions in fetch sessions')
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

  /** Sessions must not grow without end by requests that each add a little. */
  #hasRoomFor(added: number): boolean {
    if (added === 0) return true
    let total = added
    for (const { partitions } of this.#sessions.values()) total += partitions.size
    return total <= this.#limits.partitions
  }

  /** Makes room: a stale session goes, else the smallest that is no longer new, if it is not larger than the new one. */
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
