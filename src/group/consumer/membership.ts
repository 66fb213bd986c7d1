/** Members of a consumer group: lookup, joining, replacement of static members, and removal. */
import { rows } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { JOIN_GROUP_MEMBER_EPOCH, LEAVE_GROUP_STATIC_MEMBER_EPOCH, regexOf } from '../modern/member.ts'
import type { TopicPartitions } from '../modern/reconcile.ts'
import type { ConsumerGroup } from './group.ts'
import { type ConsumerMember, newMember } from './member.ts'
import type { ConsumerOperation } from './operation.ts'
import { bumpEpoch } from './subscription.ts'

/** The protocols of members of a consumer group. */
export type MemberProtocol = 'consumer' | 'classic'

export interface Identity {
  readonly memberId: string
  readonly instanceId: string | null
}

/** A joining client. */
export interface Newcomer extends Identity {
  readonly clientId: string
  readonly clientHost: string
}

const SIZE_ROWS = rows({ maxSize: 'group.consumer.max.size' })

/** Throws GROUP_MAX_SIZE_REACHED if the group is full, unless the request is of a member or replaces a static member. */
export function checkRoom({ group, settings }: ConsumerOperation, { memberId, instanceId }: Identity): void {
  const { maxSize } = settings.view(SIZE_ROWS)
  const isMember = group.members.has(memberId) || (instanceId !== null && group.staticMember(instanceId) !== undefined)
  if (group.members.size < maxSize || isMember) return
  throw new KafkaError('GROUP_MAX_SIZE_REACHED', `the group has the maximum of ${maxSize} members`)
}

/** The member of a request. Throws UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID. */
export function requireMember(group: ConsumerGroup, { memberId, instanceId }: Identity): ConsumerMember {
  const member = instanceId === null ? group.members.get(memberId) : group.staticMember(instanceId)
  if (!member)
    throw new KafkaError('UNKNOWN_MEMBER_ID', `${instanceId ?? memberId} is not a member of group ${group.groupId}`)
  if (member.memberId === memberId) return member
  throw new KafkaError(
    'FENCED_INSTANCE_ID',
    `the instance ${instanceId} belongs to member ${member.memberId}, not ${memberId}`
  )
}

/** The member that a request joins as: an existing member, a new one, or the replacement of a static member. */
export function joiningMember(
  operation: ConsumerOperation,
  request: Newcomer,
  protocol: MemberProtocol
): ConsumerMember {
  const { memberId, instanceId } = request
  const { group } = operation
  const staticMember = instanceId === null ? undefined : group.staticMember(instanceId)
  if (!staticMember) return group.members.get(memberId) ?? newcomer(operation, request, protocol)
  const bothConsumer = protocol === 'consumer' && staticMember.classic === null
  if (bothConsumer && staticMember.memberEpoch !== LEAVE_GROUP_STATIC_MEMBER_EPOCH) {
    throw new KafkaError(
      'UNRELEASED_INSTANCE_ID',
      `the instance ${instanceId} still belongs to member ${staticMember.memberId}`
    )
  }
  return replaceMember(operation, staticMember, memberId)
}

function newcomer(
  operation: ConsumerOperation,
  { memberId, instanceId: groupInstanceId, clientId, clientHost }: Newcomer,
  protocol: MemberProtocol
) {
  const { groupId } = operation.group
  operation.effects.emit({
    ...{ type: 'MemberJoined', groupId, memberId, groupInstanceId, protocol },
    ...{ clientId, clientHost }
  })
  return newMember(memberId)
}

/** Replaces a static member by one with another member id and the same assignment. */
function replaceMember(operation: ConsumerOperation, oldMember: ConsumerMember, memberId: string): ConsumerMember {
  const { groupId } = operation.group
  const member = {
    ...oldMember,
    memberId,
    memberEpoch: JOIN_GROUP_MEMBER_EPOCH,
    previousMemberEpoch: JOIN_GROUP_MEMBER_EPOCH
  }
  const target = operation.group.targetOf(oldMember.memberId)
  removeMember(operation, oldMember)
  operation.writeMetadata(member)
  operation.writeTarget(memberId, target)
  operation.writeCurrentAssignment(member)
  const replaced = { groupInstanceId: member.instanceId ?? '', previousMemberId: oldMember.memberId, memberId }
  operation.effects.emit({ type: 'StaticMemberReplaced', groupId, ...replaced })
  return member
}

/**
 * Checks the epoch of a request. The previous epoch is valid if the member owns no partitions beyond its assignment: the response
 * with the newer epoch may have been lost. Throws FENCED_MEMBER_EPOCH.
 */
export function checkEpoch(member: ConsumerMember, memberEpoch: number, owned: TopicPartitions | null): void {
  if (memberEpoch === JOIN_GROUP_MEMBER_EPOCH || memberEpoch === member.memberEpoch) return
  const isLostAnswer = memberEpoch < member.memberEpoch && memberEpoch === member.previousMemberEpoch
  if (isLostAnswer && ownsNoMore(member, owned)) return
  throw new KafkaError(
    'FENCED_MEMBER_EPOCH',
    `member ${member.memberId} has epoch ${member.memberEpoch}, not ${memberEpoch}: it must revoke all partitions and rejoin`
  )
}

function ownsNoMore({ assigned }: ConsumerMember, owned: TopicPartitions | null): boolean {
  return (
    owned?.every(({ topicId, partitions }) => {
      const epochs = assigned.get(topicId)
      return epochs !== undefined && partitions.every(partition => epochs.has(partition))
    }) ?? false
  )
}

/** Removes members and unused regular expressions, and bumps the group epoch. */
export function removeMembers(operation: ConsumerOperation, members: readonly ConsumerMember[]): void {
  if (members.length === 0) return
  for (const member of members) removeMember(operation, member)
  const used = operation.group.subscribedRegexes
  const unused = new Set(members.map(regexOf).filter(regex => regex !== null && !used.has(regex)))
  for (const regex of unused) if (regex !== null) operation.writeRegex(regex, null)
  bumpEpoch(operation, 'MembersRemoved')
  // As in Kafka 4.4: the next member must not wait for `consumer.assignment.interval.ms`.
  if (operation.group.members.size === 0) operation.writeAssignmentEpoch(operation.group.groupEpoch, 0)
}

function removeMember(operation: ConsumerOperation, { memberId }: ConsumerMember): void {
  const key = { groupId: operation.group.groupId, memberId }
  operation.write({ type: 'ConsumerGroupCurrentMemberAssignment', key, value: null })
  operation.write({ type: 'ConsumerGroupTargetAssignmentMember', key, value: null })
  operation.write({ type: 'ConsumerGroupMemberMetadata', key, value: null })
  operation.effects.cancelMemberTimers(memberId)
}

/** Emits the event of a member that leaves. A static member that leaves temporarily keeps its assignment. */
export function emitMemberLeft(
  { group, effects }: ConsumerOperation,
  { memberId, instanceId: groupInstanceId, clientId }: ConsumerMember,
  duration: 'temporarily' | 'permanently'
): void {
  const isTemporary = duration === 'temporarily'
  effects.emit({ type: 'MemberLeft', groupId: group.groupId, memberId, groupInstanceId, clientId, isTemporary })
}
