/** The rest of a member's life in the machine: heartbeats, commits, leaving, deadlines, and the end of the group. */
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

/** Who sends a request, and which generation it believes to be in. */
export interface Claim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

/** Keeps a session alive. A member that must join again is told REBALANCE_IN_PROGRESS. */
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
 * Says whether a claim may commit offsets; if so, that keeps its session alive.
 * Anyone may (an admin, a consumer that assigns its partitions itself) while the group is Empty.
 */
export function commit(touch: Touch, claim: Claim): ErrorName {
  const { group } = touch
  if (group.state === 'Empty' && claim.generationId < 0) return 'NONE'
  const isAnonymous = claim.generationId < 0 && claim.memberId === UNKNOWN_MEMBER_ID && claim.groupInstanceId === null
  const error = isAnonymous ? 'UNKNOWN_MEMBER_ID' : claimError(group, claim)
  if (error !== 'NONE') return error
  // A valid member that commits here has not fetched its new assignment yet.
  if (group.state === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
  renewSessionOf(touch, claim.memberId)
  return 'NONE'
}

/** Whether a producer may commit within its transaction for a member of a group, or for nobody (KIP-447). */
export function commitInTransaction(group: ClassicGroup, claim: Claim): ErrorName {
  const isAnonymous = claim.generationId < 0 && claim.memberId === UNKNOWN_MEMBER_ID && claim.groupInstanceId === null
  if (isAnonymous || (group.state === 'Empty' && claim.generationId < 0)) return 'NONE'
  return claimError(group, claim)
}

export interface Leaving {
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** In the client's words, for operators (KIP-800). */
  readonly reason?: string | null
}

/** Removes members, each with a result of its own. An admin removes a static member by its instance id alone. */
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

/** Does everything whose time has come. */
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
  // Who waits for us is alive, except a new member: it cannot be told from one that has long gone.
  if (!member.isNew && (member.awaitingJoin !== null || member.awaitingSync !== null)) {
    member.sessionDeadline = NEVER
    return
  }
  removeMember(operation, member.memberId)
  operation.reason = `the session of ${member.memberId} ended`
  if (group.state === 'PreparingRebalance') completeJoinIfNobodyMissing(operation)
  else prepareRebalance(operation, operation.reason)
}

/** Unlike a member that comes, one that goes cuts the initial delay short. */
function completeJoinIfNobodyMissing(operation: ClassicOperation): void {
  const { group } = operation
  if (group.state === 'PreparingRebalance' && hasAllMembersJoined(group)) completeJoinPhase(operation)
}

/**
 * A group was loaded, which may have taken long: the sessions of its members begin. It may be larger than the settings now
 * allow; a rebalance brings it down.
 */
export function resume(operation: ClassicOperation): void {
  const { members } = operation.group
  const { size } = members
  for (const member of members.values()) renewSession(operation, member)
  if (size > operation.limits.maxSize) prepareRebalance(operation, `${size} members are more than group.max.size`)
}

/** The broker stops: whoever waits must look for another coordinator. */
export function unload(operation: ClassicOperation): void {
  for (const member of operation.group.members.values()) {
    completeJoin(operation, member, failedJoin('NOT_COORDINATOR', member.memberId))
    completeSync(operation, member, failedSync('NOT_COORDINATOR'))
  }
  moveTo(operation.group, 'Dead', operation.now.wallMs)
}
