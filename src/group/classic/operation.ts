/**
 * One operation of the machine: a command changes a copy of the group and collects what the world must be told. The shell
 * writes the record, and only then puts the copy in the group's place and sends the answers; if the write fails, it
 * drops the operation, and nothing has happened.
 */
import type { ErrorName } from '../../protocol/errors.ts'
import type { Now } from '../../runtime/time.ts'
import type { GroupMetadataValue } from '../records.ts'
import { type ClassicGroup, copyOf, type Member } from './group.ts'
import { groupMetadataOf } from './record.ts'

/** What a broker's settings allow a group. */
export interface GroupLimits {
  readonly initialRebalanceDelayMs: number
  readonly maxSize: number
}

/** What JoinGroup is answered with. */
export interface JoinAnswer {
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

/** What SyncGroup is answered with. */
export interface SyncAnswer {
  readonly errorCode: ErrorName
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** An answer, and the ticket of the request that it goes to. */
export type Answer =
  | { readonly type: 'join'; readonly ticket: number; readonly answer: JoinAnswer }
  | { readonly type: 'sync'; readonly ticket: number; readonly answer: SyncAnswer }

/** All that a command needs that renews a session at most: there is nothing to write, so nothing can fail. */
export interface Touch {
  readonly group: ClassicGroup
  readonly now: Now
}

export interface ClassicOperation extends Touch {
  /** This operation's own copy. */
  readonly group: ClassicGroup
  readonly limits: GroupLimits
  readonly answers: Answer[]
  /** What the log must hold before anyone is answered. */
  record: GroupMetadataValue | undefined
  /** Why a rebalance began, in words for operators. */
  reason: string | undefined
}

export function beginOperation(group: ClassicGroup, now: Now, limits: GroupLimits): ClassicOperation {
  return { group: copyOf(group), now, limits, answers: [], record: undefined, reason: undefined }
}

/** Has the group, as it is now, written to the log. */
export function recordGroup(operation: ClassicOperation): void {
  operation.record = groupMetadataOf(operation.group)
}

export const NO_ASSIGNMENT = Buffer.alloc(0)

/** A JoinGroup that failed. */
export function failedJoin(errorCode: ErrorName, memberId: string): JoinAnswer {
  const nothing = { generationId: -1, protocolType: null, protocolName: null, leader: '', members: [] }
  return { errorCode, memberId, skipAssignment: false, ...nothing }
}

/** A SyncGroup that failed. */
export function failedSync(errorCode: ErrorName): SyncAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}

export function answerJoin(operation: ClassicOperation, ticket: number, answer: JoinAnswer): void {
  operation.answers.push({ type: 'join', ticket, answer })
}

export function answerSync(operation: ClassicOperation, ticket: number, answer: SyncAnswer): void {
  operation.answers.push({ type: 'sync', ticket, answer })
}

/** Answers the member's delayed JoinGroup, if it has one. */
export function completeJoin(operation: ClassicOperation, member: Member, answer: JoinAnswer): void {
  if (member.awaitingJoin === null) return
  answerJoin(operation, member.awaitingJoin, answer)
  member.awaitingJoin = null
}

/** Answers the member's delayed SyncGroup, if it has one. Its session begins anew: it could not heartbeat meanwhile. */
export function completeSync(operation: ClassicOperation, member: Member, answer: SyncAnswer): void {
  if (member.awaitingSync === null) return
  answerSync(operation, member.awaitingSync, answer)
  member.awaitingSync = null
  renewSession(operation, member)
}

/** The member was heard of. */
export function renewSession({ now }: Pick<Touch, 'now'>, member: Member): void {
  member.sessionDeadline = now.deadlineMs + member.sessionTimeoutMs
}
