/**
 * The effects of one operation of a group besides its records: timers, events and responses to delayed requests. They happen
 * together after the records are appended. If the append fails, none of them happens.
 */
import type { TimerChange } from '../coordinator/timers.ts'
import { NO_MEMBER } from '../coordinator/timers.ts'
import type { GroupEvent } from '../events/group-events.ts'
import type { ErrorName } from '../protocol/errors.ts'

/**
 * The timers of a group. Of the group itself: `load` retries the operation that starts its timers; in classic groups `join` and
 * `sync` end the phases of a rebalance. Of a member: `session`; in classic groups `pending join` for a member id that is not used
 * yet; in consumer groups `rebalance` for a revocation, and `join` and `sync` for requests of members of the classic protocol.
 */
export type GroupTimer = 'load' | 'session' | 'pending join' | 'rebalance' | 'join' | 'sync'

/** The result of JoinGroup. */
export interface JoinGroupResult {
  readonly errorCode: ErrorName
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  readonly memberId: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly metadata: Buffer
  }[]
}

/** The result of SyncGroup. */
export interface SyncGroupResult {
  readonly errorCode: ErrorName
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** A response and the ticket of its request. */
export type DelayedResponse =
  | { readonly type: 'join'; readonly ticket: number; readonly response: JoinGroupResult }
  | { readonly type: 'sync'; readonly ticket: number; readonly response: SyncGroupResult }

export class GroupEffects {
  readonly #timers: TimerChange<GroupTimer>[] = []
  readonly #events: GroupEvent[] = []
  readonly #responses: DelayedResponse[] = []

  get timers(): readonly TimerChange<GroupTimer>[] {
    return this.#timers
  }

  get events(): readonly GroupEvent[] {
    return this.#events
  }

  get responses(): readonly DelayedResponse[] {
    return this.#responses
  }

  /** Sets or moves a timer of the group. */
  setTimer(kind: GroupTimer, deadlineMs: number): void {
    this.#timers.push({ type: 'set', member: NO_MEMBER, kind, deadlineMs })
  }

  /** Sets or moves a timer of a member. */
  setMemberTimer(member: string, kind: GroupTimer, deadlineMs: number): void {
    this.#timers.push({ type: 'set', member, kind, deadlineMs })
  }

  /** Sets a timer of a member, unless it is set. */
  startMemberTimer(member: string, kind: GroupTimer, deadlineMs: number): void {
    this.#timers.push({ type: 'set if absent', member, kind, deadlineMs })
  }

  /** Cancels a timer of the group. */
  cancelTimer(kind: GroupTimer): void {
    this.#timers.push({ type: 'cancel', member: NO_MEMBER, kind })
  }

  cancelMemberTimer(member: string, kind: GroupTimer): void {
    this.#timers.push({ type: 'cancel', member, kind })
  }

  /** Cancels all timers of a member. */
  cancelMemberTimers(member: string): void {
    this.#timers.push({ type: 'cancel member', member })
  }

  /** Cancels all timers of the group and its members. */
  cancelAllTimers(): void {
    this.#timers.push({ type: 'cancel all' })
  }

  emit(event: GroupEvent): void {
    this.#events.push(event)
  }

  /** Responds to a delayed JoinGroup. */
  respondToJoin(ticket: number, response: JoinGroupResult): void {
    this.#responses.push({ type: 'join', ticket, response })
  }

  /** Responds to a delayed SyncGroup. */
  respondToSync(ticket: number, response: SyncGroupResult): void {
    this.#responses.push({ type: 'sync', ticket, response })
  }

  /** Adds the effects of a further operation, after those of this one. */
  add(later: GroupEffects): void {
    this.#timers.push(...later.timers)
    this.#events.push(...later.events)
    this.#responses.push(...later.responses)
  }
}
