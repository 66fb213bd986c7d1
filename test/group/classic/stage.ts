/** Plays commands against one group on a clock of its own, and keeps the answers by the ticket that they were sent to. */
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
  type Answer,
  beginOperation,
  type ClassicOperation,
  type GroupLimits,
  type JoinAnswer,
  type SyncAnswer
} from '../../../src/group/classic/operation.ts'
import { type Sync, sync } from '../../../src/group/classic/sync.ts'
import type { GroupMetadataValue } from '../../../src/group/records.ts'

export const LIMITS: GroupLimits = { initialRebalanceDelayMs: 0, maxSize: 100 }

export const SESSION_MS = 10_000
export const REBALANCE_MS = 60_000

/** A subscription as consumers send it: version 0, the topics, no user data. */
export function subscription(...topics: string[]): Buffer {
  const names = topics.map(topic => Buffer.concat([Buffer.from([0, topic.length]), Buffer.from(topic)]))
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0, topics.length]), ...names, Buffer.from('ffffffff', 'hex')])
}

/** What the wall clock says when the other begins. */
const WALL_ORIGIN_MS = 1_700_000_000_000

export class Stage {
  group: ClassicGroup
  /** By the clock of deadlines. */
  now = 1_000_000
  readonly records: GroupMetadataValue[] = []
  readonly #limits: GroupLimits
  readonly #answers = new Map<number, Answer>()
  #ticket = 0

  constructor(limits: Partial<GroupLimits> = {}, group = emptyGroup('g', 1_000_000)) {
    this.#limits = { ...LIMITS, ...limits }
    this.group = group
  }

  operation<T>(act: (turn: ClassicOperation) => T): T {
    const operation = beginOperation(
      this.group,
      { wallMs: WALL_ORIGIN_MS + this.now, deadlineMs: this.now },
      this.#limits
    )
    const reply = act(operation)
    this.group = operation.group
    if (operation.record) this.records.push(operation.record)
    for (const answer of operation.answers) {
      if (this.#answers.has(answer.ticket)) throw new Error(`ticket ${answer.ticket} is answered twice`)
      this.#answers.set(answer.ticket, answer)
    }
    return reply
  }

  /** Joins, and gives the ticket. A new member gets the id `newMemberId`. */
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
      protocols: [{ name: 'range', metadata: subscription('foo') }],
      reason: null,
      newMemberId: `new-${ticket}`,
      ...request
    }
    this.operation(turn => join(turn, command))
    return ticket
  }

  sync(memberId: string, request: Partial<Sync> = {}): number {
    const ticket = ++this.#ticket
    const { generationId } = this.group
    const claim = { ticket, memberId, generationId, groupInstanceId: null, protocolType: null, protocolName: null }
    this.operation(turn => sync(turn, { ...claim, assignments: [], ...request }))
    return ticket
  }

  heartbeat(memberId: string, claim: Partial<Claim> = {}) {
    const { generationId } = this.group
    return this.operation(turn => heartbeat(turn, { memberId, groupInstanceId: null, generationId, ...claim }))
  }

  commit(memberId: string, claim: Partial<Claim> = {}) {
    const { generationId } = this.group
    return this.operation(turn => commit(turn, { memberId, groupInstanceId: null, generationId, ...claim }))
  }

  leave(...members: (string | Leaving)[]) {
    return this.operation(turn =>
      leave(
        turn,
        members.map(member => (typeof member === 'string' ? { memberId: member, groupInstanceId: null } : member))
      )
    )
  }

  unload(): void {
    this.operation(unload)
  }

  /** Moves time on, deadline by deadline. */
  pass(ms: number): void {
    const until = this.now + ms
    while (nextDeadline(this.group) <= until) {
      this.now = Math.max(this.now, nextDeadline(this.group))
      this.operation(expire)
    }
    this.now = until
  }

  /** What a JoinGroup was answered with; undefined while it is delayed. */
  joined(ticket: number): JoinAnswer | undefined {
    const answer = this.#answers.get(ticket)
    return answer?.type === 'join' ? answer.answer : undefined
  }

  /** What a SyncGroup was answered with; undefined while it is delayed. */
  synced(ticket: number): SyncAnswer | undefined {
    const answer = this.#answers.get(ticket)
    return answer?.type === 'sync' ? answer.answer : undefined
  }

  /** A stable group of these members, the first its leader; member `a` is assigned `for a`. */
  static stable(memberIds: readonly string[], limits: Partial<GroupLimits> = {}): Stage {
    const stage = new Stage(limits)
    for (const memberId of memberIds) stage.admit(memberId)
    stage.rejoinAll()
    stage.syncAll()
    return stage
  }

  /** A new member as an old client: it needs no id beforehand. */
  admit(memberId: string, request: Partial<Join> = {}): number {
    return this.join({ apiVersion: 3, newMemberId: memberId, ...request })
  }

  /** Members that have to join again do. */
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
