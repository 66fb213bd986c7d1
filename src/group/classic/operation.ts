/**
 * One operation of the machine: a command changes a copy of the group and collects what the world must be told. The shell
 * writes the record, and only then puts the copy in the group's place and sends the answers; if the write fails, it
 * drops the operation, and nothing has happened.
 */
import { rows, type ViewOf } from '../../config/view.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { Now } from '../../runtime/time.ts'
import type { GroupMetadataValue } from '../records.ts'
import { type ClassicGroup, copyOf, type Member } from './group.ts'
import { groupMetadataOf } from './record.ts'

/** The broker's settings that classic groups read. */
export const CLASSIC_GROUP_ROWS = rows({
  initialRebalanceDelayMs: 'group.initial.rebalance.delay.ms',
  maxSize: 'group.max.size'
})

/** A live view of them. */
export type GroupLimits = ViewOf<typeof CLASSIC_GROUP_ROWS>

/** What JoinGroup is answered with. */
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

/** What SyncGroup is answered with. */
export interface SyncGroupResult {
  readonly errorCode: ErrorName
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** An answer, and the ticket of the request that it goes to. */
export type DelayedResponse =
  | { readonly type: 'join'; readonly ticket: number; readonly response: JoinGroupResult }
  | { readonly type: 'sync'; readonly ticket: number; readonly response: SyncGroupResult }

/** All that a command needs that renews a session at most: there is nothing to write, so nothing can fail. */
export interface Touch {
  readonly group: ClassicGroup
  readonly now: Now
}

export interface ClassicOperation extends Touch {
  /** This operation's own copy. */
  readonly group: ClassicGroup
  readonly limits: GroupLimits
  readonly responses: DelayedResponse[]
  /** What the log must hold before anyone is answered. */
  record: GroupMetadataValue | undefined
  /** Why a rebalance began, in words for operators. */
  reason: string | undefined
}

export function beginOperation(group: ClassicGroup, now: Now, limits: GroupLimits): ClassicOperation {
  return { group: copyOf(group), now, limits, responses: [], record: undefined, reason: undefined }
}

/** Has the group, as it is now, written to the log. */
export function recordGroup(operation: ClassicOperation): void {
  operation.record = groupMetadataOf(operation.group)
}

export const NO_ASSIGNMENT = Buffer.alloc(0)

/** A JoinGroup that failed. */
export function failedJoin(errorCode: ErrorName, memberId: string): JoinGroupResult {
  const nothing = { generationId: -1, protocolType: null, protocolName: null, leader: '', members: [] }
  return { errorCode, memberId, skipAssignment: false, ...nothing }
}

/** A SyncGroup that failed. */
export function failedSync(errorCode: ErrorName): SyncGroupResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}

export function respondToJoin(operation: ClassicOperation, ticket: number, response: JoinGroupResult): void {
  operation.responses.push({ type: 'join', ticket, response })
}

export function respondToSync(operation: ClassicOperation, ticket: number, response: SyncGroupResult): void {
  operation.responses.push({ type: 'sync', ticket, response })
}

/** Answers the member's delayed JoinGroup, if it has one. */
export function completeJoin(operation: ClassicOperation, member: Member, response: JoinGroupResult): void {
  if (member.awaitingJoin === null) return
  respondToJoin(operation, member.awaitingJoin, response)
  member.awaitingJoin = null
}

/** Answers the member's delayed SyncGroup, if it has one. Its session begins anew: it could not heartbeat meanwhile. */
export function completeSync(operation: ClassicOperation, member: Member, response: SyncGroupResult): void {
  if (member.awaitingSync === null) return
  respondToSync(operation, member.awaitingSync, response)
  member.awaitingSync = null
  renewSession(operation, member)
}

/** The member was heard of. */
export function renewSession({ now }: Pick<Touch, 'now'>, member: Member): void {
  member.sessionDeadline = now.deadlineMs + member.sessionTimeoutMs
}
