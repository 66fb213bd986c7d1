/**
 * One operation of a classic group: a command changes a copy of the group and collects the responses. GroupOperations appends the
 * record and only then replaces the group by the copy and sends the responses. If the append fails, the operation is dropped and
 * nothing has changed.
 */
import { rows, type ViewOf } from '../../config/view.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { Now } from '../../runtime/time.ts'
import type { GroupMetadataValue } from '../records.ts'
import { type ClassicGroup, copyOf, type Member } from './group.ts'
import { groupMetadataOf } from './record.ts'

/** The broker configs that classic groups read. */
export const CLASSIC_GROUP_ROWS = rows({
  initialRebalanceDelayMs: 'group.initial.rebalance.delay.ms',
  maxSize: 'group.max.size'
})

/** A live view of these configs. */
export type GroupLimits = ViewOf<typeof CLASSIC_GROUP_ROWS>

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

/** The input of a command that at most renews a session: it writes no record, so it cannot fail. */
export interface Touch {
  readonly group: ClassicGroup
  readonly now: Now
}

export interface ClassicOperation extends Touch {
  /** The operation's own copy. */
  readonly group: ClassicGroup
  readonly limits: GroupLimits
  readonly responses: DelayedResponse[]
  /** The record to append before responses are sent. */
  record: GroupMetadataValue | undefined
  /** The reason of a rebalance, for the log line. */
  reason: string | undefined
}

export function beginOperation(group: ClassicGroup, now: Now, limits: GroupLimits): ClassicOperation {
  return { group: copyOf(group), now, limits, responses: [], record: undefined, reason: undefined }
}

/** Sets the record of the operation to the group's current state. */
export function recordGroup(operation: ClassicOperation): void {
  operation.record = groupMetadataOf(operation.group)
}

export const NO_ASSIGNMENT = Buffer.alloc(0)

/** The result of a failed JoinGroup. */
export function failedJoin(errorCode: ErrorName, memberId: string): JoinGroupResult {
  const nothing = { generationId: -1, protocolType: null, protocolName: null, leader: '', members: [] }
  return { errorCode, memberId, skipAssignment: false, ...nothing }
}

/** The result of a failed SyncGroup. */
export function failedSync(errorCode: ErrorName): SyncGroupResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}

export function respondToJoin(operation: ClassicOperation, ticket: number, response: JoinGroupResult): void {
  operation.responses.push({ type: 'join', ticket, response })
}

export function respondToSync(operation: ClassicOperation, ticket: number, response: SyncGroupResult): void {
  operation.responses.push({ type: 'sync', ticket, response })
}

/** Completes the member's delayed JoinGroup, if it has one. */
export function completeJoin(operation: ClassicOperation, member: Member, response: JoinGroupResult): void {
  if (member.awaitingJoin === null) return
  respondToJoin(operation, member.awaitingJoin, response)
  member.awaitingJoin = null
}

/**
 * Completes the member's delayed SyncGroup, if it has one. Renews its session, because it could not send heartbeats meanwhile.
 */
export function completeSync(operation: ClassicOperation, member: Member, response: SyncGroupResult): void {
  if (member.awaitingSync === null) return
  respondToSync(operation, member.awaitingSync, response)
  member.awaitingSync = null
  renewSession(operation, member)
}

/** Restarts the session timeout of a member. */
export function renewSession({ now }: Pick<Touch, 'now'>, member: Member): void {
  member.sessionDeadline = now.deadlineMs + member.sessionTimeoutMs
}
