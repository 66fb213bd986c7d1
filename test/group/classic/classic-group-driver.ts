/** Drives one classic group, a pure state machine: requests with defaults, the passage of time, and the responses by ticket. */
import { NO_MEMBER, Timers } from '../../../src/coordinator/timers.ts'
import type { GroupEvent } from '../../../src/events/group-events.ts'
import { ClassicGroup } from '../../../src/group/classic/group.ts'
import { type Join, join } from '../../../src/group/classic/join.ts'
import { expire, heartbeat, type Leaving, leave, unload } from '../../../src/group/classic/membership.ts'
import { CLASSIC_GROUP_ROWS, ClassicOperation, type GroupLimits } from '../../../src/group/classic/operation.ts'
import { type Sync, sync } from '../../../src/group/classic/sync.ts'
import {
  type DelayedResponse,
  GroupEffects,
  type GroupTimer,
  type JoinGroupResult,
  type SyncGroupResult
} from '../../../src/group/effects.ts'
import type { Claim, Touch } from '../../../src/group/group.ts'
import type { GroupMetadataValue } from '../../../src/group/records.ts'
import type { MonotonicClock } from '../../../src/runtime/time.ts'
import { settingsWith } from '../../config/settings-with.ts'
import { subscriptionOf } from '../embedded.ts'
import { GROUP_SETTINGS, REBALANCE_MS, SESSION_MS } from '../group-settings.ts'

const LIMITS: GroupLimits = settingsWith(GROUP_SETTINGS).view(CLASSIC_GROUP_ROWS)

/** The wall clock at zero of the deadline clock. */
const WALL_ORIGIN_MS = 1_700_000_000_000

export class ClassicGroupDriver {
  group: ClassicGroup
  /** The deadline clock. */
  now = 1_000_000
  readonly records: GroupMetadataValue[] = []
  readonly events: GroupEvent[] = []
  /** Timers of the group. They run only in `pass`. */
  readonly timers = new Timers<GroupTimer>(this.#clock(), () => {})
  readonly #limits: GroupLimits
  readonly #answers = new Map<number, DelayedResponse>()
  #ticket = 0

  constructor(limits: Partial<GroupLimits> = {}, group = new ClassicGroup('g', { stateTimestamp: 1_000_000 })) {
    this.#limits = { ...LIMITS, ...limits }
    this.group = group
  }

  operation<T>(act: (operation: ClassicOperation) => T): T {
    const operation = new ClassicOperation(this.group, this.#now, this.#limits)
    const reply = act(operation)
    const { group, records, effects } = operation.result()
    this.group = group
    for (const record of records) if (record.type === 'GroupMetadata' && record.value) this.records.push(record.value)
    this.#apply(effects)
    return reply
  }

  /** Starts the timers of a group that was loaded from the log. */
  load(): void {
    this.operation(operation => expire(operation, { subject: 'g', member: NO_MEMBER, kind: 'load' }))
  }

  #apply(effects: GroupEffects): void {
    this.timers.change('g', effects.timers)
    this.events.push(...effects.events)
    for (const answer of effects.responses) {
      if (this.#answers.has(answer.ticket)) throw new Error(`ticket ${answer.ticket} is answered twice`)
      this.#answers.set(answer.ticket, answer)
    }
  }

  #touch<T>(act: (touch: Touch) => T): T {
    const effects = new GroupEffects()
    const reply = act({ now: this.#now, effects })
    this.#apply(effects)
    return reply
  }

  get #now() {
    return { wallMs: WALL_ORIGIN_MS + this.now, deadlineMs: this.now }
  }

  #clock(): MonotonicClock {
    return { now: () => this.now, at: () => ({ cancel: () => {} }) }
  }

  /** Sends a JoinGroup and returns its ticket. A new member gets the id `newMemberId`. */
  join(request: Partial<Join> = {}): number {
    const ticket = ++this.#ticket
    const command: Join = {
      ticket,
      apiVersion: 9,
      memberId: '',
      groupInstanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscriptionOf(['foo']) }],
      reason: null,
      newMemberId: `new-${ticket}`,
      ...request
    }
    this.operation(operation => join(operation, command))
    return ticket
  }

  sync(memberId: string, request: Partial<Sync> = {}): number {
    const ticket = ++this.#ticket
    const { generationId } = this.group
    const claim = { ticket, memberId, generationId, groupInstanceId: null, protocolType: null, protocolName: null }
    this.operation(operation => sync(operation, { ...claim, assignments: [], ...request }))
    return ticket
  }

  heartbeat(memberId: string, claim: Partial<Claim> = {}) {
    const { generationId } = this.group
    return this.#touch(touch =>
      heartbeat(this.group, { memberId, groupInstanceId: null, generationId, ...claim }, touch)
    )
  }

  commit(memberId: string, claim: Partial<Claim> = {}) {
    const { generationId } = this.group
    return this.#touch(touch =>
      this.group.commitError({ memberId, groupInstanceId: null, generationId, ...claim }, touch)
    )
  }

  leave(...members: (string | Leaving)[]) {
    return this.operation(operation =>
      leave(
        operation,
        members.map(member => (typeof member === 'string' ? { memberId: member, groupInstanceId: null } : member))
      )
    )
  }

  unload(): void {
    this.operation(unload)
  }

  /** Advances the clock, one millisecond after the other, and runs the timers that are due. */
  pass(ms: number): void {
    for (const until = this.now + ms; ; this.now++) {
      for (let timer = this.timers.takeDue(); timer; timer = this.timers.takeDue()) {
        const due = timer
        if (due !== 'moved') this.operation(operation => expire(operation, due))
      }
      if (this.now === until) return
    }
  }

  /** The response to a JoinGroup; undefined while it is delayed. */
  joined(ticket: number): JoinGroupResult | undefined {
    const answer = this.#answers.get(ticket)
    return answer?.type === 'join' ? answer.response : undefined
  }

  /** The response to a SyncGroup; undefined while it is delayed. */
  synced(ticket: number): SyncGroupResult | undefined {
    const answer = this.#answers.get(ticket)
    return answer?.type === 'sync' ? answer.response : undefined
  }

  /** A stable group of these members; the first member is the leader, and member `a` is assigned `for a`. */
  static stable(memberIds: readonly string[], limits: Partial<GroupLimits> = {}): ClassicGroupDriver {
    const driver = new ClassicGroupDriver(limits)
    for (const memberId of memberIds) driver.admit(memberId)
    driver.rejoinAll()
    driver.syncAll()
    return driver
  }

  /** Adds a member by version 3 of JoinGroup, which needs no member id. */
  admit(memberId: string, request: Partial<Join> = {}): number {
    return this.join({ apiVersion: 3, newMemberId: memberId, ...request })
  }

  /** Sends JoinGroup for each member that a rebalance waits for. */
  rejoinAll(): void {
    if (this.group.state !== 'PreparingRebalance') return
    const missing = [...this.group.members.values()].filter(({ awaitingJoin }) => awaitingJoin === null)
    for (const { memberId, groupInstanceId, protocols, sessionTimeoutMs } of missing) {
      this.join({ memberId, groupInstanceId, protocols, sessionTimeoutMs })
    }
  }

  syncAll(): void {
    const assignments = [...this.group.members.keys()].map(memberId => ({
      memberId,
      assignment: Buffer.from(`for ${memberId}`)
    }))
    for (const { memberId, groupInstanceId } of this.group.members.values())
      this.sync(memberId, { groupInstanceId, assignments })
  }
}
