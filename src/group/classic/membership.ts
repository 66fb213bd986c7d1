/** Heartbeats, commits, LeaveGroup, deadlines, loading and unloading of a classic group. */
import { NO_MEMBER, type Timer } from '../../coordinator/timers.ts'
import type { RebalanceReason } from '../../events/group-events.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { GroupTimer } from '../effects.ts'
import type { Claim, Touch } from '../group.ts'
import {
  type ClassicGroup,
  claimError,
  hasAllMembersJoined,
  type Member,
  memberError,
  moveTo,
  renewSession,
  staticMember,
  UNKNOWN_MEMBER_ID
} from './group.ts'
import { type ClassicOperation, completeJoin, completeSync, failedJoin, failedSync } from './operation.ts'
import {
  completeJoinPhase,
  joinDeadlineReached,
  prepareRebalance,
  rebalanceOrCompleteJoin,
  removeMember,
  syncDeadlineReached
} from './rebalance.ts'

/** Renews a session. Returns REBALANCE_IN_PROGRESS if the member must join again. */
export function heartbeat(group: ClassicGroup, claim: Claim, touch: Touch): ErrorName {
  const error = claimError(group, claim)
  if (error !== 'NONE') return error
  const member = group.members.get(claim.memberId)
  if (member) renewSession(touch, member)
  return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

export interface Leaving {
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** The client's reason, for the log line (KIP-800). */
  readonly reason?: string | null
}

/** Removes members; each has its own result. An administrator removes a static member by its instance id alone. */
export function leave(operation: ClassicOperation, members: readonly Leaving[]): ErrorName[] {
  const { group } = operation
  const results = members.map(member => removeLeaving(operation, member))
  const left = members.filter((_, index) => results[index] === 'NONE')
  if (left.length === 0 || group.state === 'Empty') return results
  const leaving = left.map(({ memberId, groupInstanceId, reason = null }) => {
    return { memberId, groupInstanceId, clientReason: reason }
  })
  rebalanceOrCompleteJoin(operation, { cause: 'MembersLeft', members: leaving })
  return results
}

function removeLeaving(operation: ClassicOperation, { memberId, groupInstanceId }: Leaving): ErrorName {
  const { group } = operation
  if (memberId === UNKNOWN_MEMBER_ID) {
    const member = groupInstanceId === null ? undefined : staticMember(group, groupInstanceId)
    if (!member) return 'UNKNOWN_MEMBER_ID'
    removeMember(operation, member.memberId)
    return 'NONE'
  }
  const error = group.pendingJoin.has(memberId) ? 'NONE' : memberError(group, memberId, groupInstanceId)
  if (error === 'NONE') removeMember(operation, memberId)
  return error
}

/** Handles a timer that is due. It may belong to an earlier state of the group. */
export function expire(operation: ClassicOperation, { kind, member: memberId }: Timer<GroupTimer>): void {
  const { group } = operation
  if (memberId !== NO_MEMBER) expireMember(operation, kind, memberId)
  else if (kind === 'load') resume(operation)
  else if (kind === 'join' && group.state === 'PreparingRebalance') joinDeadlineReached(operation)
  else if (kind === 'sync' && group.pendingSync.size > 0) syncDeadlineReached(operation)
}

function expireMember(operation: ClassicOperation, kind: GroupTimer, memberId: string): void {
  const { group } = operation
  const member = group.members.get(memberId)
  if (kind === 'pending join' && group.pendingJoin.has(memberId)) expirePending(operation, memberId)
  else if (kind === 'session' && member) expireSession(operation, member)
}

function expirePending(operation: ClassicOperation, memberId: string): void {
  removeMember(operation, memberId)
  completeJoinIfAllJoined(operation)
}

function expireSession(operation: ClassicOperation, member: Member): void {
  const { group } = operation
  // A member with a delayed request is alive; the response renews its session. A new member expires nevertheless: its client may be
  // gone.
  if (!member.isNew && (member.awaitingJoin !== null || member.awaitingSync !== null)) return
  const reason: RebalanceReason = { cause: 'SessionTimeout', memberIds: [member.memberId] }
  removeMember(operation, member.memberId)
  operation.because(reason)
  if (group.state === 'PreparingRebalance') completeJoinIfAllJoined(operation)
  else prepareRebalance(operation, reason)
}

/** Unlike a join, a removal may end the initial delay. */
function completeJoinIfAllJoined(operation: ClassicOperation): void {
  const { group } = operation
  if (group.state === 'PreparingRebalance' && hasAllMembersJoined(group)) completeJoinPhase(operation)
}

/**
 * Starts the sessions of a loaded group. If the group is larger than `group.max.size`, it rebalances, which enforces the limit.
 */
export function resume(operation: ClassicOperation): void {
  const { members } = operation.group
  for (const member of members.values()) renewSession(operation, member)
  if (members.size > operation.limits.maxSize)
    prepareRebalance(operation, { cause: 'GroupMaxSizeExceeded', members: members.size })
}

/** Completes all delayed requests with NOT_COORDINATOR, because the broker stops. */
export function unload(operation: ClassicOperation): void {
  for (const member of operation.group.members.values()) {
    completeJoin(operation, member, failedJoin('NOT_COORDINATOR', member.memberId))
    completeSync(operation, member, failedSync('NOT_COORDINATOR'))
  }
  moveTo(operation.group, 'Dead', operation.now.wallMs)
}
