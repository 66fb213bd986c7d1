/** Drives one classic group, a pure state machine: requests with defaults, the passage of time, and the responses by ticket. */
import { type ClassicGroup, emptyGroup, nextDeadline } from '../../../src/group/classic/group.ts'
import { type Join, join } from '../../../src/group/classic/join.ts'
import {
  type Claim,
  commit,
  expire,
  heartbeat,
  type Leaving,
  leave,
  unload
} from '../../../src/group/classic/membership.ts'
import {
  beginOperation,
  CLASSIC_GROUP_ROWS,
  type ClassicOperation,
  type DelayedResponse,
  type GroupLimits,
  type JoinGroupResult,
  type SyncGroupResult
} from '../../../src/group/classic/operation.ts'
import { type Sync, sync } from '../../../src/group/classic/sync.ts'
import type { GroupMetadataValue } from '../../../src/group/records.ts'
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
  readonly #limits: GroupLimits
  readonly #answers = new Map<number, DelayedResponse>()
  #ticket = 0

  constructor(limits: Partial<GroupLimits> = {}, group = emptyGroup('g', 1_000_000)) {
    this.#limits = { ...LIMITS, ...limits }
    this.group = group
  }

  operation<T>(act: (operation: ClassicOperation) => T): T {
    const operation = beginOperation(
      this.group,
      { wallMs: WALL_ORIGIN_MS + this.now, deadlineMs: this.now },
      this.#limits
    )
    const reply = act(operation)
    this.group = operation.group
    if (operation.record) this.records.push(operation.record)
    for (const answer of operation.responses) {
      if (this.#answers.has(answer.ticket)) throw new Error(`ticket ${answer.ticket} is answered twice`)
      this.#answers.set(answer.ticket, answer)
    }
    return reply
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
    return this.operation(operation =>
      heartbeat(operation, { memberId, groupInstanceId: null, generationId, ...claim })
    )
  }

  commit(memberId: string, claim: Partial<Claim> = {}) {
    const { generationId } = this.group
    return this.operation(operation => commit(operation, { memberId, groupInstanceId: null, generationId, ...claim }))
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

  /** Advances the clock, one deadline after the other. */
  pass(ms: number): void {
    const until = this.now + ms
    while (nextDeadline(this.group) <= until) {
      this.now = Math.max(this.now, nextDeadline(this.group))
      this.operation(expire)
    }
    this.now = until
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
