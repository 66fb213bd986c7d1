/**
 * ConsumerGroupHeartbeat (KIP-848): a member joins, reports changes and its owned partitions, gets its assignment, and leaves.
 * Changes bump the group epoch, a new epoch gets a target assignment, and each member reconciles towards its target with its own
 * heartbeats.
 */
import type { LiveGroupSettings } from '../../config/settings.ts'
import { rows } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import {
  type EpochAssignment,
  isReconciledTo,
  isSameAssignment,
  JOIN_GROUP_MEMBER_EPOCH,
  LEAVE_GROUP_MEMBER_EPOCH,
  LEAVE_GROUP_STATIC_MEMBER_EPOCH,
  sortedOnce
} from '../modern/member.ts'
import type { TopicPartitions } from '../modern/reconcile.ts'
import { reconcile } from '../modern/reconcile.ts'
import { subscribedTopicIds } from '../modern/target.ts'
import { fenceMembers } from './downgrade.ts'
import type { ConsumerMember } from './member.ts'
import { checkEpoch, checkRoom, emitMemberLeft, joiningMember, requireMember } from './membership.ts'
import type { ConsumerOperation } from './operation.ts'
import { followMetadata, updateMember } from './subscription.ts'
import { ASSIGNMENT_ROWS, preferredAssignor, updateTarget } from './target.ts'

/** Null, or -1 for the timeout, means unchanged since the last heartbeat. */
export interface Heartbeat {
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  readonly subscribedTopicNames: readonly string[] | null
  readonly subscribedTopicRegex: string | null
  readonly serverAssignor: string | null
  readonly topicPartitions: TopicPartitions | null
  readonly clientId: string
  readonly clientHost: string
}

export interface HeartbeatResponse {
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** Null if unchanged since the last response. */
  readonly assignment: EpochAssignment | null
}

const HEARTBEAT_ROWS = rows({
  sessionTimeoutMs: 'consumer.session.timeout.ms',
  heartbeatIntervalMs: 'consumer.heartbeat.interval.ms'
})

const NO_TIMEOUT = -1

/** The first version in which members generate their own ids (KIP-1082). */
const OWN_MEMBER_ID_SINCE = 1

/** Throws INVALID_REQUEST or UNSUPPORTED_ASSIGNOR for requests that are invalid for every group. */
export function checkHeartbeat(
  request: Heartbeat & { readonly groupId: string },
  apiVersion: number,
  settings: LiveGroupSettings
): void {
  const { memberId, memberEpoch, instanceId, serverAssignor } = request
  const needsId = apiVersion >= OWN_MEMBER_ID_SINCE || memberEpoch > 0 || memberEpoch === LEAVE_GROUP_MEMBER_EPOCH
  refuse(needsId && isBlank(memberId), 'the member id is empty')
  refuse(isBlank(request.groupId), 'the group id is empty')
  refuse(isBlank(instanceId), 'the instance id is empty')
  refuse(isBlank(request.rackId), 'the rack id is empty')
  refuse(memberEpoch < LEAVE_GROUP_STATIC_MEMBER_EPOCH, `the member epoch ${memberEpoch} is invalid`)
  refuse(
    memberEpoch === LEAVE_GROUP_STATIC_MEMBER_EPOCH && instanceId === null,
    'only a static member can leave temporarily'
  )
  if (memberEpoch === JOIN_GROUP_MEMBER_EPOCH) checkJoining(request)
  const { assignors } = settings.view(ASSIGNMENT_ROWS)
  if (serverAssignor === null || assignors.has(serverAssignor)) return
  const names = [...assignors.keys()].join(', ')
  throw new KafkaError('UNSUPPORTED_ASSIGNOR', `the assignor ${serverAssignor} is unknown; valid are ${names}`)
}

function checkJoining(request: Heartbeat): void {
  const { rebalanceTimeoutMs, topicPartitions, subscribedTopicNames, subscribedTopicRegex } = request
  refuse(rebalanceTimeoutMs === NO_TIMEOUT, 'a member that joins must have a rebalance timeout')
  refuse(topicPartitions?.length !== 0, 'a member that joins must own no partitions')
  refuse(subscribedTopicNames === null && subscribedTopicRegex === null, 'a member that joins must have a subscription')
}

function refuse(isWrong: boolean, why: string): void {
  if (isWrong) throw new KafkaError('INVALID_REQUEST', why)
}

function isBlank(text: string | null): boolean {
  return text !== null && text.trim() === ''
}

/** Handles the heartbeat of a member that joins or stays. `newMemberId` is used if the request has no member id. */
export function heartbeat(operation: ConsumerOperation, request: Heartbeat, newMemberId: string): HeartbeatResponse {
  const { memberEpoch, topicPartitions: owned } = request
  checkRoom(operation, request)
  const before = memberOf(operation, { ...request, memberId: request.memberId || newMemberId })
  const updated = withReportedFields(before, request)
  const assignor = before.serverAssignor === updated.serverAssignor ? undefined : preferredAssignor(operation)
  const { names, regex } = updateMember(operation, before, updated)
  const isOtherAssignor = assignor !== undefined && assignor !== preferredAssignor(operation)
  followMetadata(operation, names || regex === 'resolved' || isOtherAssignor)
  updateTarget(operation)
  const after = reconcileMember(operation, updated, names || regex !== 'same', owned)
  const { sessionTimeoutMs, heartbeatIntervalMs } = operation.settings.view(HEARTBEAT_ROWS)
  operation.effects.setMemberTimer(after.memberId, 'session', operation.now.deadlineMs + sessionTimeoutMs)
  const needsAssignment = memberEpoch === JOIN_GROUP_MEMBER_EPOCH || isFull(request)
  return {
    memberId: after.memberId,
    memberEpoch: after.memberEpoch,
    heartbeatIntervalMs,
    assignment: needsAssignment || !isSameAssignment(before.assigned, after.assigned) ? after.assigned : null
  }
}

function memberOf(operation: ConsumerOperation, request: Heartbeat): ConsumerMember {
  const { memberEpoch, topicPartitions } = request
  const isJoining = memberEpoch === JOIN_GROUP_MEMBER_EPOCH
  const member = isJoining ? joiningMember(operation, request, 'consumer') : requireMember(operation.group, request)
  checkEpoch(member, memberEpoch, topicPartitions)
  return member
}

function withReportedFields(member: ConsumerMember, request: Heartbeat): ConsumerMember {
  const { rebalanceTimeoutMs, subscribedTopicNames } = request
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === NO_TIMEOUT ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    subscribedTopicNames: subscribedTopicNames ? sortedOnce(subscribedTopicNames) : member.subscribedTopicNames,
    subscribedTopicRegex: request.subscribedTopicRegex ?? member.subscribedTopicRegex,
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: null
  }
}

/** True for a request with all fields: the response must then have the assignment. */
function isFull({
  rebalanceTimeoutMs,
  subscribedTopicNames,
  subscribedTopicRegex,
  topicPartitions
}: Heartbeat): boolean {
  const hasSubscription = subscribedTopicNames !== null || subscribedTopicRegex !== null
  return rebalanceTimeoutMs !== NO_TIMEOUT && hasSubscription && topicPartitions !== null
}

/**
 * Moves a member one step towards its target assignment. `owned` has the partitions that the member owns; null if not reported.
 */
export function reconcileMember(
  operation: ConsumerOperation,
  member: ConsumerMember,
  hasSubscriptionChanged: boolean,
  owned: TopicPartitions | null
): ConsumerMember {
  const { group, topics, now, effects } = operation
  if (!hasSubscriptionChanged && isReconciledTo(member, group.assignmentEpoch)) return member
  const after = reconcile(member, {
    targetEpoch: group.assignmentEpoch,
    target: group.targetOf(member.memberId),
    subscribedTopicIds: subscribedTopicIds(group, member, topics),
    hasSubscriptionChanged,
    owned,
    ownerEpoch: (topicId, partition) => group.ownerEpoch(topicId, partition)
  })
  if (after === member) return member
  operation.writeCurrentAssignment(after)
  if (after.classic) return after
  if (after.state === 'UnrevokedPartitions')
    effects.setMemberTimer(after.memberId, 'rebalance', now.deadlineMs + after.rebalanceTimeoutMs)
  else effects.cancelMemberTimer(after.memberId, 'rebalance')
  return after
}

/** Handles the heartbeat of a member that leaves. A static member may leave temporarily, with LEAVE_GROUP_STATIC_MEMBER_EPOCH. */
export function leave(operation: ConsumerOperation, request: Heartbeat): HeartbeatResponse {
  const { memberId, memberEpoch, instanceId } = request
  const member = requireMember(operation.group, request)
  const isTemporary = memberEpoch === LEAVE_GROUP_STATIC_MEMBER_EPOCH && instanceId !== null
  if (isTemporary) leaveTemporarily(operation, member)
  else fenceMembers(operation, [member])
  emitMemberLeft(operation, member, isTemporary ? 'temporarily' : 'permanently')
  return { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
}

/** Keeps the assigned partitions of a static member that leaves temporarily. Partitions pending revocation are released. */
function leaveTemporarily(operation: ConsumerOperation, member: ConsumerMember): void {
  const assigned = new Map(
    [...member.assigned].map(([topicId, epochs]) => [
      topicId,
      new Map([...epochs.keys()].map(partition => [partition, 0]))
    ])
  )
  operation.writeCurrentAssignment({
    ...member,
    memberEpoch: LEAVE_GROUP_STATIC_MEMBER_EPOCH,
    assigned,
    pendingRevocation: new Map()
  })
  operation.effects.cancelMemberTimer(member.memberId, 'rebalance')
}
