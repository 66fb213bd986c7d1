/** JoinGroup in a classic group: new members, members that join again, and static members that were restarted. */

import type { RebalanceReason } from '../../events/group-events.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import { ownCopy } from '../../protocol/wire/bytes.ts'
import type { JoinGroupResult } from '../effects.ts'
import {
  countAwaitingJoin,
  dropMember,
  type Member,
  memberError,
  type Protocol,
  putMember,
  renewSession,
  staticMember,
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
import { selectProtocol, supportsProtocols } from './protocols.ts'
import {
  completeJoinIfAllJoined,
  currentGeneration,
  prepareRebalance,
  rebalanceOrCompleteJoin,
  removeMember
} from './rebalance.ts'

/** Maximum number of pending member ids of a group. They are kept until their clients join or they expire. */
export const MAX_PENDING_JOIN = 1_000

/** The session timeout of a new member until its first JoinGroup response: its client cannot send heartbeats until then. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 300_000

/** The first version in which a new dynamic member must join again with its assigned member id (KIP-394). */
export const MEMBER_ID_REQUIRED_SINCE = 4

/** The first version in which a leader can be asked to skip the assignment (KIP-814). */
const SKIP_ASSIGNMENT_SINCE = 9

export interface Join {
  readonly ticket: number
  readonly apiVersion: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  readonly reason: string | null
  /** The member id for a client that has none. */
  readonly newMemberId: string
}

/** Responds at once, or delays the request until the next generation begins. */
export function join(operation: ClassicOperation, request: Join): void {
  const { group } = operation
  if (!hasRoom(operation, request.memberId)) {
    removeMember(operation, request.memberId)
    operation.effects.respondToJoin(request.ticket, failedJoin('GROUP_MAX_SIZE_REACHED', UNKNOWN_MEMBER_ID))
  } else if (!supportsProtocols(group, request.protocolType, request.protocols)) {
    refuse(operation, request, 'INCONSISTENT_GROUP_PROTOCOL')
  } else if (request.memberId === UNKNOWN_MEMBER_ID) {
    joinWithoutId(operation, request)
  } else {
    joinWithId(operation, request)
  }
}

function refuse(operation: ClassicOperation, { ticket, memberId }: Join, errorCode: ErrorName): void {
  operation.effects.respondToJoin(ticket, failedJoin(errorCode, memberId))
}

/** While a group rebalances, only members that have joined count: the last members to join again may find the group full. */
function hasRoom({ group, limits }: ClassicOperation, memberId: string): boolean {
  const member = group.members.get(memberId)
  switch (group.state) {
    case 'Empty':
    case 'Dead':
      return true
    case 'PreparingRebalance':
      return (member && member.awaitingJoin !== null) || countAwaitingJoin(group) < limits.maxSize
    case 'CompletingRebalance':
    case 'Stable':
      return member !== undefined || group.members.size < limits.maxSize
  }
}

function joinWithoutId(operation: ClassicOperation, request: Join): void {
  const { group } = operation
  const { groupInstanceId, newMemberId } = request
  const previous = groupInstanceId === null ? undefined : staticMember(group, groupInstanceId)
  if (previous) {
    replaceStaticMember(operation, request, previous)
  } else if (groupInstanceId === null && request.apiVersion >= MEMBER_ID_REQUIRED_SINCE) {
    handOutId(operation, request)
  } else {
    addMember(operation, request, newMemberId)
  }
}

function handOutId(operation: ClassicOperation, { ticket, newMemberId, sessionTimeoutMs }: Join): void {
  const { group, now, effects } = operation
  const { pendingJoin } = group
  if (pendingJoin.size < MAX_PENDING_JOIN) {
    pendingJoin.add(newMemberId)
    effects.setMemberTimer(newMemberId, 'pending join', now.deadlineMs + sessionTimeoutMs)
    effects.respondToJoin(ticket, failedJoin('MEMBER_ID_REQUIRED', newMemberId))
  } else {
    effects.respondToJoin(ticket, failedJoin('GROUP_MAX_SIZE_REACHED', UNKNOWN_MEMBER_ID))
  }
}

function joinWithId(operation: ClassicOperation, request: Join): void {
  const { group } = operation
  const { memberId, groupInstanceId } = request
  const member = group.members.get(memberId)
  const error = memberError(group, memberId, groupInstanceId)
  if (groupInstanceId === null && group.pendingJoin.has(memberId)) addMember(operation, request, memberId)
  else if (error !== 'NONE' || !member) refuse(operation, request, error)
  else rejoin(operation, request, member)
}

function rejoin(operation: ClassicOperation, request: Join, member: Member): void {
  const { group } = operation
  const { memberId } = member
  // The member may not have received the response, and gets it again. A leader that joins a Stable group triggers a rebalance: it
  // may have seen a change that is not in any member's metadata, such as new partitions.
  const isSettled = group.state === 'CompletingRebalance' || (group.state === 'Stable' && group.leader !== memberId)
  if (isSettled && isSame(member.protocols, request.protocols)) {
    operation.effects.respondToJoin(request.ticket, currentGeneration(group, member))
  } else {
    updateMember(operation, request, member)
    const clientReason = request.reason
    rebalanceOrCompleteJoin(operation, { cause: 'MemberRejoined', memberId, clientReason })
  }
}

function addMember(operation: ClassicOperation, request: Join, memberId: string): void {
  const { group, now, effects } = operation
  if (group.initialDelay) group.newMemberAdded = true
  if (group.members.size === 0) group.protocolType = request.protocolType
  group.leader ??= memberId
  group.pendingJoin.delete(memberId)
  putMember(group, {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocols: copiesOf(request.protocols),
    assignment: NO_ASSIGNMENT,
    isNew: true,
    awaitingJoin: request.ticket,
    awaitingSync: null
  })
  effects.cancelMemberTimer(memberId, 'pending join')
  effects.setMemberTimer(memberId, 'session', now.deadlineMs + NEW_MEMBER_JOIN_TIMEOUT_MS)
  rebalanceOrCompleteJoin(operation, { cause: 'MemberJoined', memberId, clientReason: request.reason })
}

function updateMember(operation: ClassicOperation, request: Join, member: Member): void {
  // A request that is delayed already came from a connection that the client has closed.
  completeJoin(operation, member, failedJoin('REBALANCE_IN_PROGRESS', member.memberId))
  member.protocols = copiesOf(request.protocols)
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
  member.sessionTimeoutMs = request.sessionTimeoutMs
  member.awaitingJoin = request.ticket
}

/**
 * A known group.instance.id without a member id: the client was restarted. It gets a new member id, and the old one is fenced.
 */
function replaceStaticMember(operation: ClassicOperation, request: Join, previous: Member): void {
  const { group } = operation
  const previousLeader = group.leader
  completeJoin(operation, previous, failedJoin('FENCED_INSTANCE_ID', previous.memberId))
  completeSync(operation, previous, failedSync('FENCED_INSTANCE_ID'))
  const member: Member = { ...previous, memberId: request.newMemberId, isNew: false }
  dropMember(group, previous)
  operation.effects.cancelMemberTimers(previous.memberId)
  putMember(group, member)
  // The old id stays in pendingSync. As in Kafka, a generation whose SyncGroup it has not sent ends with a rebalance.
  if (group.leader === previous.memberId) group.leader = member.memberId
  // This session has the timeout of the previous member; the timeout of the request applies from its next renewal.
  renewSession(operation, member)
  updateMember(operation, request, member)
  rejoinStatically(operation, request, member, previousLeader ?? '')
}

function rejoinStatically(operation: ClassicOperation, request: Join, member: Member, previousLeader: string): void {
  const { group } = operation
  const { memberId } = member
  const groupInstanceId = member.groupInstanceId ?? ''
  const reason: RebalanceReason = {
    cause: 'StaticMemberReplaced',
    ...{ groupInstanceId, memberId, clientReason: request.reason }
  }
  if (group.state === 'PreparingRebalance') {
    completeJoinIfAllJoined(operation)
  } else if (group.state === 'Stable' && selectProtocol(group) === group.protocolName) {
    operation.because(reason)
    operation.recordGroup()
    completeJoin(operation, member, replacedMemberResponse(operation, request, member, previousLeader))
  } else {
    // The leader may be assigning partitions to the old member id, or the protocol has changed.
    prepareRebalance(operation, reason)
  }
}

/**
 * The response to a restarted static member. A leader with an old version gets the previous leader's id instead of its own,
 * because it would otherwise compute a new assignment.
 */
function replacedMemberResponse(
  operation: ClassicOperation,
  request: Join,
  member: Member,
  previousLeader: string
): JoinGroupResult {
  const generation = currentGeneration(operation.group, member)
  if (request.apiVersion < SKIP_ASSIGNMENT_SINCE) return { ...generation, leader: previousLeader, members: [] }
  return { ...generation, skipAssignment: operation.group.leader === member.memberId }
}

/** Copies of the protocols: the request is a view of its frame. */
function copiesOf(protocols: readonly Protocol[]): readonly Protocol[] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: ownCopy(metadata) }))
}

function isSame(protocols: readonly Protocol[], other: readonly Protocol[]): boolean {
  return (
    protocols.length === other.length &&
    protocols.every(
      ({ name, metadata }, index) => name === other[index]?.name && metadata.equals(other[index].metadata)
    )
  )
}
