/**
 * The newest events of each subject: a group, a member, a transactional id, a producer id or a partition. It is a sink that a
 * node has only if its options name it; without it, no event is kept.
 */
import type { Event, EventSink, Stamp } from './event.ts'

/** The fields of events that name a subject. A partition is named as its folder, for example `orders-0`. */
const SUBJECT_FIELDS = ['groupId', 'memberId', 'transactionalId', 'producerId', 'topicPartition', 'topic'] as const

export type SubjectField = (typeof SUBJECT_FIELDS)[number]

export interface StampedEvent extends Stamp {
  readonly event: Event
}

interface HistoryLimits {
  readonly eventsPerSubject: number
  /** The subject whose newest event is oldest is dropped first. */
  readonly subjects: number
}

export class EventHistory implements EventSink {
  readonly #limits: HistoryLimits
  /** By field and value; the subject of the newest event is last. */
  readonly #bySubject = new Map<string, StampedEvent[]>()

  constructor(limits: HistoryLimits = { eventsPerSubject: 100, subjects: 10_000 }) {
    this.#limits = limits
  }

  emit(event: Event, stamp: Stamp): void {
    const stamped = { ...stamp, event }
    for (const field of SUBJECT_FIELDS) {
      const value: unknown = Reflect.get(event, field)
      if (value !== undefined && value !== '') this.#add(`${field} ${value}`, stamped)
    }
  }

  /** The events of a subject, oldest first, for example `of('groupId', 'orders')`. */
  of(field: SubjectField, value: string | bigint): readonly StampedEvent[] {
    return this.#bySubject.get(`${field} ${value}`) ?? []
  }

  #add(subject: string, event: StampedEvent): void {
    const events = this.#bySubject.get(subject) ?? []
    events.push(event)
    if (events.length > this.#limits.eventsPerSubject) events.shift()
    this.#bySubject.delete(subject)
    this.#bySubject.set(subject, events)
    const [oldest] = this.#bySubject.keys()
    if (oldest !== undefined && this.#bySubject.size > this.#limits.subjects) this.#bySubject.delete(oldest)
  }
}
