/**
 * The rebalance of a classic group: members join again, those that join in time form the next generation, and the leader's
 * assignment makes the group Stable.
 */
import type { RebalanceReason } from '../../events/group-events.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { JoinGroupResult } from '../effects.ts'
import {
  type ClassicGroup,
  countAwaitingJoin,
  dropMember,
  hasAllMembersJoined,
  type Member,
  metadataOf,
  moveTo,
  rebalanceTimeoutMs,
  renewSession,
  subscribedTopics,
  UNKNOWN_MEMBER_ID
} from './group.ts'
import {
  type ClassicOperation,
  completeJoin,
  completeSync,
  failedJoin,
  failedSync,
  NO_ASSIGNMENT
} from './operation.ts'
import { selectProtocol } from './protocols.ts'

/** Minimum wait if no member has joined: rebalance timeouts of 0 would otherwise repeat the check without a pause. */
const MIN_WAIT_MS = 100

/** Handles a change of members: prepares a rebalance, or completes the current one if all members have joined. */
export function rebalanceOrCompleteJoin(operation: ClassicOperation, reason: RebalanceReason): void {
  if (operation.group.state === 'PreparingRebalance') completeJoinIfAllJoined(operation)
  else prepareRebalance(operation, reason)
}

/** Completes the join phase if all members have joined, unless the initial delay is running. */
export function completeJoinIfAllJoined(operation: ClassicOperation): void {
  const { group } = operation
  if (group.state !== 'PreparingRebalance' || group.initialDelay) return
  if (hasAllMembersJoined(group)) completeJoinPhase(operation)
}

/** Begins a rebalance: all members must join again. */
export function prepareRebalance(operation: ClassicOperation, reason: RebalanceReason): void {
  const { group, now, effects } = operation
  const isInitial = group.state === 'Empty'
  if (group.state === 'CompletingRebalance') dropAssignments(operation, 'REBALANCE_IN_PROGRESS')
  group.pendingSync.clear()
  effects.cancelTimer('sync')
  moveTo(group, 'PreparingRebalance', now.wallMs)
  operation.because(reason)
  if (isInitial) beginInitialDelay(operation)
  else if (hasAllMembersJoined(group)) completeJoinPhase(operation)
  else effects.setTimer('join', now.deadlineMs + rebalanceTimeoutMs(group))
}

function dropAssignments(operation: ClassicOperation, errorCode: ErrorName): void {
  for (const member of operation.group.members.values()) {
    member.assignment = NO_ASSIGNMENT
    completeSync(operation, member, failedSync(errorCode))
  }
}

/** Handles an assignment that could not be written: delayed SyncGroup requests get the error, and the group rebalances. */
export function loseAssignment(operation: ClassicOperation, errorCode: ErrorName): void {
  if (operation.group.state !== 'CompletingRebalance') return
  dropAssignments(operation, errorCode)
  prepareRebalance(operation, { cause: 'AssignmentNotWritten', errorCode })
}

function beginInitialDelay(operation: ClassicOperation): void {
  const { group, now, limits, effects } = operation
  const delayMs = limits.initialRebalanceDelayMs
  const remainingMs = Math.max(rebalanceTimeoutMs(group) - delayMs, 0)
  group.initialDelay = { delayMs, remainingMs }
  effects.setTimer('join', now.deadlineMs + delayMs)
  if (delayMs === 0) completeJoinPhase(operation)
}

/** Handles the end of the join phase, or extends the initial delay. */
export function joinDeadlineReached(operation: ClassicOperation): void {
  const { group, now, limits, effects } = operation
  const delay = group.initialDelay
  if (!delay || !group.newMemberAdded || delay.remainingMs === 0) {
    completeJoinPhase(operation)
    return
  }
  group.newMemberAdded = false
  const delayMs = Math.min(limits.initialRebalanceDelayMs, delay.remainingMs)
  const remainingMs = Math.max(delay.remainingMs - delay.delayMs, 0)
  group.initialDelay = { delayMs, remainingMs }
  effects.setTimer('join', now.deadlineMs + delayMs)
}

/** Removes members that did not send SyncGroup in time, and rebalances. */
export function syncDeadlineReached(operation: ClassicOperation): void {
  const memberIds = [...operation.group.pendingSync]
  for (const memberId of memberIds) removeMember(operation, memberId)
  prepareRebalance(operation, { cause: 'SyncGroupTimeout', memberIds })
}

/** Begins the next generation with the members that have joined. A static member stays a member until its session expires. */
export function completeJoinPhase(operation: ClassicOperation): void {
  const { group, now, effects } = operation
  effects.cancelTimer('join')
  const missing = [...group.members.values()].filter(
    ({ awaitingJoin, groupInstanceId }) => awaitingJoin === null && groupInstanceId === null
  )
  for (const { memberId } of missing) removeMember(operation, memberId)
  if (missing.length > 0) {
    operation.because({ cause: 'JoinGroupTimeout', memberIds: missing.map(({ memberId }) => memberId) })
  }
  if (group.members.size > 0 && !electLeader(group)) {
    // No member has joined: wait until sessions expire.
    effects.setTimer('join', now.deadlineMs + Math.max(rebalanceTimeoutMs(group), MIN_WAIT_MS))
    return
  }
  group.initialDelay = null
  group.generationId++
  if (group.members.size > 0) beginGeneration(operation)
  else endWithoutMembers(operation)
}

/** Elects a leader among the members with a delayed JoinGroup. Returns false if there is none. */
function electLeader(group: ClassicGroup): boolean {
  if (countAwaitingJoin(group) === 0) return false
  const current = group.leader === null ? undefined : group.members.get(group.leader)
  if (current && current.awaitingJoin !== null) return true
  const joined = [...group.members.values()].find(member => member.awaitingJoin !== null)
  group.leader = joined?.memberId ?? null
  return joined !== undefined
}

function endWithoutMembers(operation: ClassicOperation): void {
  const { group, now } = operation
  group.protocolName = null
  group.subscribedTopics = subscribedTopics(group)
  moveTo(group, 'Empty', now.wallMs)
  operation.recordGroup()
}

function beginGeneration(operation: ClassicOperation): void {
  const { group, now } = operation
  group.protocolName = selectProtocol(group)
  group.subscribedTopics = subscribedTopics(group)
  moveTo(group, 'CompletingRebalance', now.wallMs)
  for (const member of group.members.values()) {
    completeJoin(operation, member, currentGeneration(group, member))
    renewSession(operation, member)
    member.isNew = false
  }
  group.pendingSync = new Set(group.members.keys())
  operation.effects.setTimer('sync', now.deadlineMs + rebalanceTimeoutMs(group))
}

/** The JoinGroup response of a member in the current generation. Only the leader gets the members. */
export function currentGeneration(group: ClassicGroup, member: Member): JoinGroupResult {
  const isLeader = group.leader === member.memberId
  return {
    errorCode: 'NONE',
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leader ?? '',
    skipAssignment: false,
    memberId: member.memberId,
    members: isLeader ? membersFor(group) : []
  }
}

function membersFor(group: ClassicGroup): JoinGroupResult['members'] {
  return [...group.members.values()].map(member => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, group.protocolName)
  }))
}

/** Removes a member or a pending member id. Its delayed requests get UNKNOWN_MEMBER_ID, so that a live client joins again. */
export function removeMember(operation: ClassicOperation, memberId: string): void {
  const { group } = operation
  const member = group.members.get(memberId)
  if (member) {
    completeJoin(operation, member, failedJoin('UNKNOWN_MEMBER_ID', UNKNOWN_MEMBER_ID))
    completeSync(operation, member, failedSync('UNKNOWN_MEMBER_ID'))
    dropMember(group, member)
  }
  operation.effects.cancelMemberTimers(memberId)
  group.pendingJoin.delete(memberId)
  group.pendingSync.delete(memberId)
  if (group.leader === memberId) group.leader = group.members.keys().next().value ?? null
}
