/** SyncGroup in a classic group: the leader sends all assignments, each member gets its own. */

import type { ErrorName } from '../../protocol/errors.ts'
import { ownCopy } from '../../protocol/wire/bytes.ts'
import type { SyncGroupResult } from '../effects.ts'
import { type ClassicGroup, type Member, memberError, moveTo } from './group.ts'
import { type ClassicOperation, completeSync, failedSync, NO_ASSIGNMENT } from './operation.ts'

export interface Sync {
  readonly ticket: number
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Null in versions without it. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

/** Responds at once, or delays the request until the leader has sent the assignments. */
export function sync(operation: ClassicOperation, request: Sync): void {
  const { group } = operation
  const member = group.members.get(request.memberId)
  const error = syncError(group, request)
  if (error === 'NONE' && member) syncMember(operation, request, member)
  else operation.effects.respondToSync(request.ticket, failedSync(error))
}

function syncMember(operation: ClassicOperation, request: Sync, member: Member): void {
  const { group, effects } = operation
  group.pendingSync.delete(member.memberId)
  if (group.pendingSync.size === 0) effects.cancelTimer('sync')
  if (group.state === 'Stable') {
    effects.respondToSync(request.ticket, assigned(group, member.assignment))
    return
  }
  // A request that is delayed already came from a connection that the client has closed.
  completeSync(operation, member, failedSync('REBALANCE_IN_PROGRESS'))
  member.awaitingSync = request.ticket
  if (group.leader === member.memberId) assign(operation, request)
}

function syncError(group: ClassicGroup, request: Sync): ErrorName {
  const error = memberError(group, request.memberId, request.groupInstanceId)
  if (error !== 'NONE') return error
  if (request.generationId !== group.generationId) return 'ILLEGAL_GENERATION'
  if (differs(request.protocolType, group.protocolType)) return 'INCONSISTENT_GROUP_PROTOCOL'
  if (differs(request.protocolName, group.protocolName)) return 'INCONSISTENT_GROUP_PROTOCOL'
  return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

function differs(given: string | null, ours: string | null): boolean {
  return given !== null && ours !== null && given !== ours
}

function assigned(group: ClassicGroup, assignment: Buffer): SyncGroupResult {
  return { errorCode: 'NONE', protocolType: group.protocolType, protocolName: group.protocolName, assignment }
}

function assign(operation: ClassicOperation, request: Sync): void {
  const { group, now } = operation
  const assignments = new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  for (const member of group.members.values()) {
    // A copy: the request is a view of its frame.
    member.assignment = ownCopy(assignments.get(member.memberId) ?? NO_ASSIGNMENT)
    completeSync(operation, member, assigned(group, member.assignment))
  }
  operation.recordGroup()
  moveTo(group, 'Stable', now.wallMs)
}
