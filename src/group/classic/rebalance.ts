/**
 * The way from one generation to the next: members are asked to join again, those who come in time make the new
 * generation, its leader's assignment makes the group Stable. Joins, leaves and deadlines all end up here.
 */
import type { ErrorName } from '../../protocol/errors.ts'
import {
  type ClassicGroup,
  countAwaitingJoin,
  dropMember,
  hasAllMembersJoined,
  type Member,
  metadataOf,
  moveTo,
  NEVER,
  rebalanceTimeoutMs,
  subscribedTopics,
  UNKNOWN_MEMBER_ID
} from './group.ts'
import { selectProtocol } from './protocols.ts'
import {
  completeJoin,
  completeSync,
  failedJoin,
  failedSync,
  type JoinAnswer,
  NO_ASSIGNMENT,
  recordGroup,
  renewSession,
  type Turn
} from './turn.ts'

/** Members may say that they wait for nobody. Where none has come, that would be to look again and again without a pause. */
const MIN_WAIT_MS = 100

/** After a change of members: begins a rebalance, or ends the one that is under way if nobody is missing any more. */
export function rebalanceOrCompleteJoin(turn: Turn, reason: string): void {
  if (turn.group.state === 'PreparingRebalance') completeJoinIfAllJoined(turn)
  else prepareRebalance(turn, reason)
}

/** Goes on to the next generation if a rebalance waits for nobody but the initial delay's stragglers. */
export function completeJoinIfAllJoined(turn: Turn): void {
  const { group } = turn
  if (group.state !== 'PreparingRebalance' || group.initialDelay) return
  if (hasAllMembersJoined(group)) completeJoinPhase(turn)
}

/** Asks all members to join again. */
export function prepareRebalance(turn: Turn, reason: string): void {
  const { group, now } = turn
  const isInitial = group.state === 'Empty'
  if (group.state === 'CompletingRebalance') dropAssignments(turn, 'REBALANCE_IN_PROGRESS')
  group.pendingSync.clear()
  group.syncDeadline = NEVER
  moveTo(group, 'PreparingRebalance', now)
  turn.reason = reason
  if (isInitial) beginInitialDelay(turn)
  else if (hasAllMembersJoined(group)) completeJoinPhase(turn)
  else group.joinDeadline = now + rebalanceTimeoutMs(group)
}

function dropAssignments(turn: Turn, errorCode: ErrorName): void {
  for (const member of turn.group.members.values()) {
    member.assignment = NO_ASSIGNMENT
    completeSync(turn, member, failedSync(errorCode))
  }
}

/** The leader's assignment could not be written: who waits for it is told why, and all must join again. */
export function loseAssignment(turn: Turn, errorCode: ErrorName): void {
  if (turn.group.state !== 'CompletingRebalance') return
  dropAssignments(turn, errorCode)
  prepareRebalance(turn, `the assignment could not be written: ${errorCode}`)
}

function beginInitialDelay(turn: Turn): void {
  const { group, now, limits } = turn
  const delayMs = limits.initialRebalanceDelayMs
  const remainingMs = Math.max(rebalanceTimeoutMs(group) - delayMs, 0)
  group.initialDelay = { delayMs, remainingMs }
  group.joinDeadline = now + delayMs
  if (delayMs === 0) completeJoinPhase(turn)
}

/** The time for joining is over, or at least this piece of the initial delay. */
export function joinDeadlineReached(turn: Turn): void {
  const { group, now, limits } = turn
  const delay = group.initialDelay
  if (!delay || !group.newMemberAdded || delay.remainingMs === 0) {
    completeJoinPhase(turn)
    return
  }
  group.newMemberAdded = false
  const delayMs = Math.min(limits.initialRebalanceDelayMs, delay.remainingMs)
  const remainingMs = Math.max(delay.remainingMs - delay.delayMs, 0)
  group.initialDelay = { delayMs, remainingMs }
  group.joinDeadline = now + delayMs
}

/** Those who were to send SyncGroup and did not are taken for gone. */
export function syncDeadlineReached(turn: Turn): void {
  const missing = [...turn.group.pendingSync]
  for (const memberId of missing) removeMember(turn, memberId)
  prepareRebalance(turn, `${missing.join(', ')} did not send SyncGroup in time`)
}

/** Begins the next generation with those who have joined. A static member keeps its place until its session ends. */
export function completeJoinPhase(turn: Turn): void {
  const { group, now } = turn
  group.joinDeadline = NEVER
  const missing = [...group.members.values()].filter(
    ({ awaitingJoin, groupInstanceId }) => awaitingJoin === null && groupInstanceId === null
  )
  for (const { memberId } of missing) removeMember(turn, memberId)
  if (missing.length > 0) {
    turn.reason = `${missing.map(({ memberId }) => memberId).join(', ')} did not send JoinGroup in time`
  }
  if (group.members.size > 0 && !electLeader(group)) {
    // Nobody came: wait on, until sessions end.
    group.joinDeadline = now + Math.max(rebalanceTimeoutMs(group), MIN_WAIT_MS)
    return
  }
  group.initialDelay = null
  group.generationId++
  if (group.members.size > 0) beginGeneration(turn)
  else endWithoutMembers(turn)
}

/** The leader must be one that waits for an answer. */
function electLeader(group: ClassicGroup): boolean {
  if (countAwaitingJoin(group) === 0) return false
  const current = group.leader === null ? undefined : group.members.get(group.leader)
  if (current && current.awaitingJoin !== null) return true
  const joined = [...group.members.values()].find(member => member.awaitingJoin !== null)
  group.leader = joined?.memberId ?? null
  return joined !== undefined
}

function endWithoutMembers(turn: Turn): void {
  const { group, now } = turn
  group.protocolName = null
  group.subscribedTopics = subscribedTopics(group)
  moveTo(group, 'Empty', now)
  recordGroup(turn)
}

function beginGeneration(turn: Turn): void {
  const { group, now } = turn
  group.protocolName = selectProtocol(group)
  group.subscribedTopics = subscribedTopics(group)
  moveTo(group, 'CompletingRebalance', now)
  for (const member of group.members.values()) {
    completeJoin(turn, member, currentGeneration(group, member))
    renewSession(turn, member)
    member.isNew = false
  }
  group.pendingSync = new Set(group.members.keys())
  group.syncDeadline = now + rebalanceTimeoutMs(group)
}

/** What a member is told of the generation: the leader alone hears of the others. */
export function currentGeneration(group: ClassicGroup, member: Member): JoinAnswer {
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

function membersFor(group: ClassicGroup): JoinAnswer['members'] {
  return [...group.members.values()].map(member => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, group.protocolName)
  }))
}

/** Removes a member or a pending one. Its delayed requests are told, so that a client that is still there comes back. */
export function removeMember(turn: Turn, memberId: string): void {
  const { group } = turn
  const member = group.members.get(memberId)
  if (member) {
    completeJoin(turn, member, failedJoin('UNKNOWN_MEMBER_ID', UNKNOWN_MEMBER_ID))
    completeSync(turn, member, failedSync('UNKNOWN_MEMBER_ID'))
    dropMember(group, member)
  }
  group.pendingJoin.delete(memberId)
  group.pendingSync.delete(memberId)
  if (group.leader === memberId) group.leader = group.members.keys().next().value ?? null
}
