/** Heartbeats, commits, LeaveGroup, deadlines, loading and unloading of a classic group. */
import type { ErrorName } from '../../protocol/errors.ts'
import {
  type ClassicGroup,
  hasAllMembersJoined,
  type Member,
  memberError,
  moveTo,
  NEVER,
  staticMember,
  UNKNOWN_MEMBER_ID
} from './group.ts'
import {
  type ClassicOperation,
  completeJoin,
  completeSync,
  failedJoin,
  failedSync,
  renewSession,
  type Touch
} from './operation.ts'
import {
  completeJoinPhase,
  joinDeadlineReached,
  prepareRebalance,
  rebalanceOrCompleteJoin,
  removeMember,
  syncDeadlineReached
} from './rebalance.ts'

/** The member of a request, and the generation that it sends. */
export interface Claim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

/** Renews a session. Returns REBALANCE_IN_PROGRESS if the member must join again. */
export function heartbeat(touch: Touch, claim: Claim): ErrorName {
  const error = claimError(touch.group, claim)
  if (error !== 'NONE') return error
  renewSessionOf(touch, claim.memberId)
  return touch.group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

function claimError(group: ClassicGroup, { memberId, groupInstanceId, generationId }: Claim): ErrorName {
  const error = memberError(group, memberId, groupInstanceId)
  if (error !== 'NONE') return error
  return generationId === group.generationId ? 'NONE' : 'ILLEGAL_GENERATION'
}

function renewSessionOf(touch: Touch, memberId: string): void {
  const member = touch.group.members.get(memberId)
  if (member) renewSession(touch, member)
}

/**
 * Returns NONE if a client may commit offsets, and then renews its session. While the group is Empty, clients without a
 * generation may commit: administrators, and consumers with manually assigned partitions.
 */
export function commit(touch: Touch, claim: Claim): ErrorName {
  const { group } = touch
  if (group.state === 'Empty' && claim.generationId < 0) return 'NONE'
  const isAnonymous = claim.generationId < 0 && claim.memberId === UNKNOWN_MEMBER_ID && claim.groupInstanceId === null
  const error = isAnonymous ? 'UNKNOWN_MEMBER_ID' : claimError(group, claim)
  if (error !== 'NONE') return error
  // A valid member that commits in this state does not have its new assignment yet.
  if (group.state === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
  renewSessionOf(touch, claim.memberId)
  return 'NONE'
}

/** The error of a TxnOffsetCommit, or NONE. It may come without a member (KIP-447). */
export function commitInTransaction(group: ClassicGroup, claim: Claim): ErrorName {
  const isAnonymous = claim.generationId < 0 && claim.memberId === UNKNOWN_MEMBER_ID && claim.groupInstanceId === null
  if (isAnonymous || (group.state === 'Empty' && claim.generationId < 0)) return 'NONE'
  return claimError(group, claim)
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
  rebalanceOrCompleteJoin(operation, left.map(farewell).join(', '))
  return results
}

function farewell({ memberId, groupInstanceId, reason }: Leaving): string {
  const id = memberId === UNKNOWN_MEMBER_ID ? groupInstanceId : memberId
  return reason ? `${id} left: ${reason}` : `${id} left`
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

/** Handles all deadlines that are due. */
export function expire(operation: ClassicOperation): void {
  const { group, now } = operation
  for (const [memberId, deadline] of group.pendingJoin)
    if (deadline <= now.deadlineMs) expirePending(operation, memberId)
  for (const member of [...group.members.values()])
    if (member.sessionDeadline <= now.deadlineMs) expireSession(operation, member)
  if (group.joinDeadline <= now.deadlineMs) joinDeadlineReached(operation)
  if (group.syncDeadline <= now.deadlineMs) syncDeadlineReached(operation)
}

function expirePending(operation: ClassicOperation, memberId: string): void {
  removeMember(operation, memberId)
  completeJoinIfNobodyMissing(operation)
}

function expireSession(operation: ClassicOperation, member: Member): void {
  const { group } = operation
  if (group.members.get(member.memberId) !== member) return
  // A member with a delayed request is alive. A new member expires nevertheless: its client may be gone.
  if (!member.isNew && (member.awaitingJoin !== null || member.awaitingSync !== null)) {
    member.sessionDeadline = NEVER
    return
  }
  removeMember(operation, member.memberId)
  operation.reason = `the session of ${member.memberId} ended`
  if (group.state === 'PreparingRebalance') completeJoinIfNobodyMissing(operation)
  else prepareRebalance(operation, operation.reason)
}

/** Unlike a join, a removal may end the initial delay. */
function completeJoinIfNobodyMissing(operation: ClassicOperation): void {
  const { group } = operation
  if (group.state === 'PreparingRebalance' && hasAllMembersJoined(group)) completeJoinPhase(operation)
}

/**
 * Starts the sessions of a loaded group. If the group is larger than `group.max.size`, it rebalances, which enforces the limit.
 */
export function resume(operation: ClassicOperation): void {
  const { members } = operation.group
  const { size } = members
  for (const member of members.values()) renewSession(operation, member)
  if (size > operation.limits.maxSize) prepareRebalance(operation, `${size} members are more than group.max.size`)
}

/** Completes all delayed requests with NOT_COORDINATOR, because the broker stops. */
export function unload(operation: ClassicOperation): void {
  for (const member of operation.group.members.values()) {
    completeJoin(operation, member, failedJoin('NOT_COORDINATOR', member.memberId))
    completeSync(operation, member, failedSync('NOT_COORDINATOR'))
  }
  moveTo(operation.group, 'Dead', operation.now.wallMs)
}
