/**
 * Members of the classic protocol in a consumer group. A member epoch is their generation. Heartbeat returns
 * REBALANCE_IN_PROGRESS when the assignment changes, JoinGroup responds at once without waiting for other members, and SyncGroup
 * returns the member's assignment. None of them is a leader.
 */

import { rows } from '../../config/view.ts'
import {
  CONSUMER_PROTOCOL,
  readSubscription,
  type Subscription,
  versionOf,
  writeAssignment
} from '../../protocol/consumer-protocol.ts'
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { UNKNOWN_MEMBER_ID } from '../classic/group.ts'
import { type Join, MEMBER_ID_REQUIRED_SINCE } from '../classic/join.ts'
import type { Leaving } from '../classic/membership.ts'
import { failedJoin, failedSync } from '../classic/operation.ts'
import { MAX_PROTOCOLS } from '../classic/protocols.ts'
import type { Sync } from '../classic/sync.ts'
import type { JoinGroupResult, SyncGroupResult } from '../effects.ts'
import type { Claim } from '../group.ts'
import { sortedOnce } from '../modern/member.ts'
import type { TopicPartitions } from '../modern/reconcile.ts'
import { canBeClassic, downgrade, fenceMembers, named } from './downgrade.ts'
import type { ConsumerGroup } from './group.ts'
import { reconcileMember } from './heartbeat.ts'
import type { ClassicMemberMetadata, ConsumerMember } from './member.ts'
import { checkRoom, emitMemberLeft, joiningMember, requireMember } from './membership.ts'
import type { ConsumerOperation } from './operation.ts'
import { followMetadata, updateMember } from './subscription.ts'
import { updateTarget } from './target.ts'

const MIGRATION_ROWS = rows({ policy: 'group.consumer.migration.policy' })

/** A member of the classic protocol. */
type ClassicMember = ConsumerMember & { readonly classic: ClassicMemberMetadata }

/** JoinGroup. Downgrades the group if the member replaces the last member of the consumer protocol. */
export function joinClassic(operation: ConsumerOperation, request: Omit<Join, 'ticket'>): JoinGroupResult {
  if (operation.settings.view(MIGRATION_ROWS).policy === 'disabled') {
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', 'members of the classic protocol are refused')
  }
  const memberId = request.memberId || request.newMemberId
  checkRoom(operation, { memberId, instanceId: request.groupInstanceId })
  checkProtocols(operation.group, request)
  if (requiresMemberId(request)) return failedJoin('MEMBER_ID_REQUIRED', memberId)
  const after = admit(operation, request, memberId)
  return {
    errorCode: 'NONE',
    memberId: after.memberId,
    generationId: after.memberEpoch,
    protocolType: CONSUMER_PROTOCOL,
    protocolName: request.protocols[0]?.name ?? null,
    leader: '',
    skipAssignment: false,
    members: []
  }
}

/**
 * The protocols of a joining member must have one in common with all members of the classic protocol, because the group may be
 * downgraded later.
 */
function checkProtocols({ members }: ConsumerGroup, { protocolType, protocols }: Omit<Join, 'ticket'>): void {
  let common = new Set(protocols.map(({ name }) => name))
  for (const { classic } of members.values()) {
    if (classic) common = new Set(classic.supportedProtocols.map(({ name }) => name).filter(name => common.has(name)))
  }
  if (protocolType === CONSUMER_PROTOCOL && common.size > 0 && protocols.length <= MAX_PROTOCOLS) return
  throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', 'the protocols of the member are not supported by the group')
}

function requiresMemberId({ memberId, groupInstanceId, apiVersion }: Omit<Join, 'ticket'>): boolean {
  return memberId === UNKNOWN_MEMBER_ID && groupInstanceId === null && apiVersion >= MEMBER_ID_REQUIRED_SINCE
}

function admit(operation: ConsumerOperation, request: Omit<Join, 'ticket'>, memberId: string): ConsumerMember {
  const { groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = request
  const { groupEpoch } = operation.group
  const staticMember = groupInstanceId === null ? undefined : operation.group.staticMember(groupInstanceId)
  const before = memberOf(operation, request, memberId)
  const subscription = subscriptionOf(request)
  const updated = withReportedFields(before, request, subscription)
  const { names, regex } = updateMember(operation, before, updated)
  const hasChanged = names || regex !== 'same'
  followMetadata(operation, hasChanged)
  const reconcile = () =>
    reconcileMember(operation, updated, hasChanged, withIds(operation, subscription.ownedPartitions))
  const all = [...operation.group.members.values()]
  if (staticMember?.classic === null && canBeClassic(operation, all)) {
    const isOutdated = operation.group.assignmentEpoch < operation.group.groupEpoch
    const after = isOutdated ? updated : reconcile()
    downgrade(operation, all, groupEpoch, isOutdated ? 'rebalance' : 'keep assignments')
    return after
  }
  updateTarget(operation)
  const after = reconcile()
  const { effects, now } = operation
  effects.cancelMemberTimer(memberId, 'join')
  effects.setMemberTimer(memberId, 'session', now.deadlineMs + sessionTimeoutMs)
  effects.setMemberTimer(memberId, 'sync', now.deadlineMs + rebalanceTimeoutMs)
  return after
}

/** The member of a JoinGroup. A static member with a member id must own its instance id. Without a member id it replaces the owner. */
function memberOf(operation: ConsumerOperation, request: Omit<Join, 'ticket'>, memberId: string): ConsumerMember {
  const { groupInstanceId: instanceId } = request
  if (instanceId !== null && request.memberId !== UNKNOWN_MEMBER_ID) {
    return requireMember(operation.group, { memberId, instanceId })
  }
  return joiningMember(operation, { ...request, memberId, instanceId }, 'classic')
}

/** The subscription in the metadata of the first protocol. Consumers send the same for each protocol. */
function subscriptionOf({ protocols }: Omit<Join, 'ticket'>): Subscription {
  const subscription = protocols[0] && readSubscription(protocols[0].metadata)
  if (subscription) return subscription
  throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', 'the metadata of the member is not in the consumer protocol')
}

function withReportedFields(
  member: ConsumerMember,
  request: Omit<Join, 'ticket'>,
  { topics, rackId }: Subscription
): ConsumerMember {
  return {
    ...member,
    instanceId: request.groupInstanceId ?? member.instanceId,
    rackId: rackId || member.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    subscribedTopicNames: sortedOnce(topics),
    subscribedTopicRegex: '',
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: { sessionTimeoutMs: request.sessionTimeoutMs, supportedProtocols: request.protocols }
  }
}

function withIds({ topics }: ConsumerOperation, owned: Subscription['ownedPartitions']): TopicPartitions {
  return owned.flatMap(({ topic, partitions }) => {
    const topicId = topics.idOf(topic)
    return topicId === undefined ? [] : { topicId, partitions }
  })
}

/**
 * SyncGroup: returns the member's assignment. Throws the KafkaError for a request that is not of a current member and generation.
 */
export function syncClassic(
  operation: ConsumerOperation,
  request: Omit<Sync, 'ticket' | 'assignments'>
): SyncGroupResult {
  const { group, topics, now, effects } = operation
  const member = claimant(group, request)
  const { memberId, memberEpoch, rebalanceTimeoutMs, classic } = member
  checkProtocol(member, request)
  // A member with partitions pending revocation has joined already; it joins again after the revocation.
  if (group.assignmentEpoch > memberEpoch && member.state !== 'UnrevokedPartitions') {
    effects.startMemberTimer(memberId, 'join', now.deadlineMs + rebalanceTimeoutMs)
    return failedSync('REBALANCE_IN_PROGRESS')
  }
  const version = versionOf(classic.supportedProtocols[0]?.metadata ?? Buffer.alloc(0))
  if (version === null) throw new KafkaError('UNKNOWN_SERVER_ERROR', `the metadata of member ${memberId} is malformed`)
  effects.cancelMemberTimer(memberId, 'sync')
  effects.setMemberTimer(memberId, 'session', now.deadlineMs + classic.sessionTimeoutMs)
  const assigned = new Map([...member.assigned].map(([topicId, epochs]) => [topicId, new Set(epochs.keys())]))
  const { protocolType, protocolName } = request
  return {
    errorCode: 'NONE',
    protocolType,
    protocolName,
    assignment: writeAssignment(named(assigned, topics), version)
  }
}

function claimant(group: ConsumerGroup, claim: Claim): ClassicMember {
  const { memberId, groupInstanceId: instanceId, generationId } = claim
  const member = requireMember(group, { memberId, instanceId })
  const { memberEpoch, classic } = member
  if (!classic) throw new KafkaError('UNKNOWN_MEMBER_ID', `member ${memberId} does not use the classic protocol`)
  if (memberEpoch === generationId) return { ...member, classic }
  throw new KafkaError('ILLEGAL_GENERATION', `member ${memberId} has generation ${memberEpoch}, not ${generationId}`)
}

function checkProtocol(
  { memberId, classic }: ClassicMember,
  { protocolType, protocolName }: Pick<Sync, 'protocolType' | 'protocolName'>
): void {
  const given = classic.supportedProtocols[0]?.name
  const isSame = (protocolType ?? CONSUMER_PROTOCOL) === CONSUMER_PROTOCOL && (protocolName ?? given) === given
  if (!isSame) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', `the protocol of member ${memberId} is ${given}`)
}

/** Renews a session. Returns REBALANCE_IN_PROGRESS if the member must join again, and starts its join deadline. */
export function heartbeatClassic(operation: ConsumerOperation, claim: Claim): ErrorName {
  const member = claimant(operation.group, claim)
  const { memberId, rebalanceTimeoutMs, classic } = member
  if (isAllClassic(operation.group)) {
    followMetadata(operation, false)
    updateTarget(operation)
  }
  const { group, now, effects } = operation
  effects.setMemberTimer(memberId, 'session', now.deadlineMs + classic.sessionTimeoutMs)
  if (!canGoOn(group, member)) return 'NONE'
  effects.startMemberTimer(memberId, 'join', now.deadlineMs + rebalanceTimeoutMs)
  return 'REBALANCE_IN_PROGRESS'
}

/**
 * In a group with only classic members, which may not be downgraded, no ConsumerGroupHeartbeat updates the target. Their
 * heartbeats do it, so that partitions of a removed member get a new owner.
 */
function isAllClassic({ members }: ConsumerGroup): boolean {
  for (const { classic } of members.values()) if (!classic) return false
  return true
}

function canGoOn(group: ConsumerGroup, member: ConsumerMember): boolean {
  if (member.memberEpoch < group.assignmentEpoch || member.state === 'UnrevokedPartitions') return true
  return member.state === 'UnreleasedPartitions' && !awaitsRevocation(group, member)
}

function awaitsRevocation(group: ConsumerGroup, { memberId, assigned }: ConsumerMember): boolean {
  return [...group.targetOf(memberId)].some(([topicId, partitions]) => {
    const has = assigned.get(topicId)
    return [...partitions].some(partition => !has?.has(partition) && group.ownerEpoch(topicId, partition) !== undefined)
  })
}

/**
 * LeaveGroup: removes members of both protocols; each has its own result. An administrator removes a static member by its
 * instance id.
 */
export function leaveClassic(operation: ConsumerOperation, members: readonly Leaving[]): ErrorName[] {
  const found = members.map(({ memberId, groupInstanceId: instanceId }) => {
    const owner = instanceId === null ? operation.group.members.get(memberId) : operation.group.staticMember(instanceId)
    if (!owner) return 'UNKNOWN_MEMBER_ID'
    return memberId === UNKNOWN_MEMBER_ID || memberId === owner.memberId ? owner : 'FENCED_INSTANCE_ID'
  })
  const leaving = new Set(found.filter(member => typeof member !== 'string'))
  for (const member of leaving) emitMemberLeft(operation, member, 'permanently')
  fenceMembers(operation, [...leaving])
  return found.map(member => (typeof member === 'string' ? member : 'NONE'))
}
