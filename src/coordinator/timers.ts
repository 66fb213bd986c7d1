/**
 * Keyed timers of one shard, as Kafka's `CoordinatorTimer`. The key is a subject (a group, a transactional id), a member of the
 * subject, and a kind. A timer that is set again moves. Moving it to a later time, as each heartbeat does, costs a map lookup: the
 * timer keeps its position in the heap until that position is due.
 */
import type { Alarm, MonotonicClock } from '../runtime/time.ts'

/** The member of a timer that belongs to the subject as a whole. Not a string: clients may send any member id, also an empty one. */
export const NO_MEMBER = null

/** A member id, or NO_MEMBER. */
type TimerMember = string | typeof NO_MEMBER

/** The key of a timer. */
export interface Timer<Kind extends string> {
  readonly subject: string
  readonly member: TimerMember
  readonly kind: Kind
}

/** A change of the timers of one subject. An operation returns its changes, which take effect after its records are appended. */
export type TimerChange<Kind extends string> =
  | {
      readonly type: 'set' | 'set if absent'
      readonly member: TimerMember
      readonly kind: Kind
      readonly deadlineMs: number
    }
  | { readonly type: 'cancel'; readonly member: TimerMember; readonly kind: Kind }
  | { readonly type: 'cancel member'; readonly member: string }
  | { readonly type: 'cancel all' }

interface ScheduledTimer<Kind extends string> extends Timer<Kind> {
  deadlineMs: number
  /** Its position in the heap is by this time, which is at most the deadline. */
  queuedMs: number
  /** Orders timers with the same time by their creation. */
  readonly sequence: number
  /** Its position in the heap. */
  index: number
}

type TimersOfMember<Kind extends string> = Map<Kind, ScheduledTimer<Kind>>

export class Timers<Kind extends string> {
  readonly #clock: MonotonicClock
  readonly #due: () => void
  readonly #bySubject = new Map<string, Map<TimerMember, TimersOfMember<Kind>>>()
  readonly #heap: ScheduledTimer<Kind>[] = []
  #alarm: Alarm | undefined
  #alarmMs = Number.POSITIVE_INFINITY
  #sequence = 0

  /** `due` is called when a timer may be due. It makes its owner call `takeDue` until no timer is due. */
  constructor(clock: MonotonicClock, due: () => void) {
    this.#clock = clock
    this.#due = due
  }

  get size(): number {
    return this.#heap.length
  }

  /** The deadline of a timer; undefined if it is not set. */
  deadlineOf({ subject, member, kind }: Timer<Kind>): number | undefined {
    return this.#bySubject.get(subject)?.get(member)?.get(kind)?.deadlineMs
  }

  /** Sets or moves a timer. */
  set(subject: string, member: TimerMember, kind: Kind, deadlineMs: number): void {
    const timers = this.#timersOf(subject, member)
    const timer = timers.get(kind)
    if (!timer) {
      timers.set(kind, this.#push({ subject, member, kind, deadlineMs }))
    } else {
      timer.deadlineMs = deadlineMs
      if (deadlineMs < timer.queuedMs) this.#queue(timer)
    }
    this.#arm()
  }

  /** Applies the changes of an operation to the timers of a subject. */
  change(subject: string, changes: readonly TimerChange<Kind>[]): void {
    for (const change of changes) {
      if (change.type === 'cancel all') this.cancelAll(subject)
      else if (change.type === 'cancel member') this.cancelMember(subject, change.member)
      else if (change.type === 'cancel') this.cancel(subject, change.member, change.kind)
      else if (change.type === 'set' || this.deadlineOf({ subject, ...change }) === undefined)
        this.set(subject, change.member, change.kind, change.deadlineMs)
    }
  }

  cancel(subject: string, member: TimerMember, kind: Kind): void {
    const members = this.#bySubject.get(subject)
    const timers = members?.get(member)
    const timer = timers?.get(kind)
    if (!members || !timers || !timer) return
    this.#remove(timer)
    timers.delete(kind)
    if (timers.size === 0) members.delete(member)
    if (members.size === 0) this.#bySubject.delete(subject)
  }

  /** Cancels all timers of a member. */
  cancelMember(subject: string, member: string): void {
    const members = this.#bySubject.get(subject)
    for (const timer of members?.get(member)?.values() ?? []) this.#remove(timer)
    members?.delete(member)
    if (members?.size === 0) this.#bySubject.delete(subject)
  }

  /** Cancels all timers of a subject. */
  cancelAll(subject: string): void {
    for (const timers of this.#bySubject.get(subject)?.values() ?? []) {
      for (const timer of timers.values()) this.#remove(timer)
    }
    this.#bySubject.delete(subject)
  }

  /** Cancels all timers: the shard is unloaded. */
  clear(): void {
    this.#bySubject.clear()
    this.#heap.length = 0
    this.#disarm()
  }

  /**
   * Removes and returns a timer that is due. Returns 'moved' if the nearest timer had moved to a later time, undefined if no
   * timer is due. One call does a bounded amount of work.
   */
  takeDue(): Timer<Kind> | 'moved' | undefined {
    const [nearest] = this.#heap
    const now = this.#clock.now()
    if (!nearest || nearest.queuedMs > now) {
      this.#disarm()
      this.#arm()
      return undefined
    }
    // Also if it is due: other timers that are due may have earlier deadlines.
    if (nearest.deadlineMs > nearest.queuedMs) {
      this.#queue(nearest)
      return 'moved'
    }
    this.cancel(nearest.subject, nearest.member, nearest.kind)
    return nearest
  }

  #timersOf(subject: string, member: TimerMember): TimersOfMember<Kind> {
    const members = this.#bySubject.get(subject) ?? new Map<TimerMember, TimersOfMember<Kind>>()
    const timers = members.get(member) ?? new Map<Kind, ScheduledTimer<Kind>>()
    if (members.size === 0) this.#bySubject.set(subject, members)
    if (timers.size === 0) members.set(member, timers)
    return timers
  }

  /** Sets the alarm of the nearest timer, unless an earlier alarm is set. */
  #arm(): void {
    const nearestMs = this.#heap[0]?.queuedMs ?? Number.POSITIVE_INFINITY
    if (nearestMs >= this.#alarmMs) return
    this.#alarm?.cancel()
    this.#alarmMs = nearestMs
    this.#alarm = this.#clock.at(nearestMs, () => this.#due())
  }

  #disarm(): void {
    this.#alarm?.cancel()
    this.#alarm = undefined
    this.#alarmMs = Number.POSITIVE_INFINITY
  }

  #push(key: Timer<Kind> & { readonly deadlineMs: number }): ScheduledTimer<Kind> {
    const timer = { ...key, queuedMs: key.deadlineMs, sequence: this.#sequence++, index: this.#heap.length }
    this.#heap.push(timer)
    this.#siftUp(timer)
    return timer
  }

  /** Moves a timer to the position of its deadline. */
  #queue(timer: ScheduledTimer<Kind>): void {
    timer.queuedMs = timer.deadlineMs
    this.#siftUp(timer)
    this.#siftDown(timer)
  }

  #remove(timer: ScheduledTimer<Kind>): void {
    const last = this.#heap.pop()
    if (!last || last === timer) return
    this.#setPosition(last, timer.index)
    this.#siftUp(last)
    this.#siftDown(last)
  }

  #siftUp(timer: ScheduledTimer<Kind>): void {
    for (;;) {
      const parent = this.#heap[(timer.index - 1) >> 1]
      if (timer.index === 0 || !parent || !isBefore(timer, parent)) return
      this.#swap(timer, parent)
    }
  }

  #siftDown(timer: ScheduledTimer<Kind>): void {
    for (;;) {
      const left = this.#heap[2 * timer.index + 1]
      const right = this.#heap[2 * timer.index + 2]
      const child = left && right && isBefore(right, left) ? right : left
      if (!child || !isBefore(child, timer)) return
      this.#swap(child, timer)
    }
  }

  #swap(timer: ScheduledTimer<Kind>, other: ScheduledTimer<Kind>): void {
    const { index } = timer
    this.#setPosition(timer, other.index)
    this.#setPosition(other, index)
  }

  #setPosition(timer: ScheduledTimer<Kind>, index: number): void {
    timer.index = index
    this.#heap[index] = timer
  }
}

function isBefore<Kind extends string>(timer: ScheduledTimer<Kind>, other: ScheduledTimer<Kind>): boolean {
  if (timer.queuedMs !== other.queuedMs) return timer.queuedMs < other.queuedMs
  return timer.sequence < other.sequence
}
