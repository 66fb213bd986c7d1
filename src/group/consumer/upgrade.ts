/**
 * Upgrade of a classic group to a consumer group when the first member of the consumer protocol joins. The existing members keep
 * the assignments of their last generation, and use the classic protocol until they are restarted.
 */

import { derived, rows } from '../../config/view.ts'
import { readAssignment, readSubscription } from '../../protocol/consumer-protocol.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { type ClassicGroup, type Member, usesConsumerProtocol } from '../classic/group.ts'
import { failedJoin, failedSync } from '../classic/operation.ts'
import type { Assignment } from '../modern/assignors/assignor.ts'
import { sortedOnce } from '../modern/member.ts'
import type { GroupTopics } from '../modern/topics.ts'
import { type ConsumerMember, newMember } from './member.ts'
import type { ConsumerOperation } from './operation.ts'
import { subscriptionHash } from './subscription.ts'

/**
 * Begins the operation of a new consumer group with the tombstone of the classic group and the records of its members. A member
 * must join in the same operation: the group has no valid target assignment yet. Throws GROUP_ID_NOT_FOUND if the group cannot be
 * upgraded.
 */
export function upgrade(operation: ConsumerOperation, classic: ClassicGroup): void {
  operation.replaceClassicGroup(classic)
  if (classic.state === 'Empty') return
  checkUpgrade(operation, classic)
  const generation = Array.from(classic.members.values(), member => stateOf(classic, member, operation.topics))
  writeGroup(operation, classic.generationId, generation)
  const { effects, now } = operation
  for (const { memberId, awaitingJoin, awaitingSync, sessionTimeoutMs } of classic.members.values()) {
    effects.setMemberTimer(memberId, 'session', now.deadlineMs + sessionTimeoutMs)
    if (awaitingJoin !== null) effects.respondToJoin(awaitingJoin, failedJoin('REBALANCE_IN_PROGRESS', memberId))
    if (awaitingSync !== null) effects.respondToSync(awaitingSync, failedSync('REBALANCE_IN_PROGRESS'))
  }
  if (classic.state !== 'Stable') operation.cutRebalance()
  const conversion = { from: 'classic', to: 'consumer', groupEpoch: classic.generationId } as const
  effects.emit({ type: 'GroupConverted', groupId: classic.groupId, ...conversion, members: classic.members.size })
}

const UPGRADE_ROWS = rows({
  isEnabled: derived(['group.consumer.migration.policy'], policy => ['bidirectional', 'upgrade'].includes(policy)),
  maxSize: 'group.consumer.max.size'
})

function checkUpgrade({ settings }: ConsumerOperation, classic: ClassicGroup): void {
  const { isEnabled, maxSize } = settings.view(UPGRADE_ROWS)
  if (!isEnabled) throw refusal(classic, 'online upgrade is disabled')
  if (!usesConsumerProtocol(classic)) throw refusal(classic, 'the group does not use the consumer embedded protocol')
  if (classic.members.size > maxSize) {
    throw refusal(classic, 'the group size exceeds the consumer group maximum size')
  }
}

function refusal({ groupId }: ClassicGroup, why: string): KafkaError {
  return new KafkaError(
    'GROUP_ID_NOT_FOUND',
    `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`
  )
}

interface MemberState {
  readonly member: ConsumerMember
  readonly target: Assignment
}

function stateOf(classic: ClassicGroup, member: Member, topics: GroupTopics): MemberState {
  const { memberId, groupInstanceId: instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs } = member
  const { generationId } = classic
  const target = assignmentOf(classic, member, topics)
  const subscription = readSubscription(metadataOf(classic, member))
  if (!subscription) throw refusal(classic, 'the embedded consumer protocol is malformed')
  const supportedProtocols = member.protocols
  return {
    target,
    member: {
      ...newMember(memberId),
      ...{ memberEpoch: generationId, previousMemberEpoch: generationId },
      ...{ instanceId, clientId, clientHost, rebalanceTimeoutMs },
      rackId: subscription.rackId || null,
      subscribedTopicNames: sortedOnce(subscription.topics),
      assigned: new Map([...target].map(([topicId, partitions]) => [topicId, since(generationId, partitions)])),
      classic: { sessionTimeoutMs, supportedProtocols }
    }
  }
}

function since(epoch: number, partitions: ReadonlySet<number>): ReadonlyMap<number, number> {
  return new Map([...partitions].sort((partition, other) => partition - other).map(partition => [partition, epoch]))
}

/** The protocol name is null before the first generation, and new members may not support that of the last one. */
function metadataOf({ groupId, protocolName }: ClassicGroup, { memberId, protocols }: Member): Buffer {
  const protocol = protocols.find(({ name }) => name === protocolName)
  if (protocol) return protocol.metadata
  throw new KafkaError(
    'UNKNOWN_SERVER_ERROR',
    `member ${memberId} does not support the protocol ${protocolName} of group ${groupId}`
  )
}

/** The assignment of a member. Empty if it has not sent SyncGroup; deleted topics are left out. */
function assignmentOf(classic: ClassicGroup, { assignment }: Member, topics: GroupTopics): Assignment {
  if (assignment.length === 0) return new Map()
  const given = readAssignment(assignment)
  if (!given) throw refusal(classic, 'the embedded consumer protocol is malformed')
  if (given.userData !== null && given.userData.length > 0) throw customAssignor(classic)
  const byTopic = new Map<string, ReadonlySet<number>>()
  for (const { topic, partitions } of given.assignedPartitions) {
    const topicId = topics.idOf(topic)
    if (topicId !== undefined) byTopic.set(topicId, new Set(partitions))
  }
  return byTopic
}

/** User data of a custom assignor would be lost. */
function customAssignor(classic: ClassicGroup): KafkaError {
  const advice = 'Please refer to the documentation or switch to a default assignor before re-attempting the upgrade'
  return refusal(classic, `an unsupported custom assignor is in use. ${advice}`)
}

function writeGroup(operation: ConsumerOperation, generationId: number, members: readonly MemberState[]): void {
  for (const { member } of members) operation.writeMetadata(member)
  operation.writeEpoch(generationId, subscriptionHash(operation), 'GroupConverted')
  for (const { member, target } of members) operation.writeTarget(member.memberId, target)
  operation.writeAssignmentEpoch(generationId, 0)
  for (const { member } of members) {
    checkNotShared(operation, member)
    operation.writeCurrentAssignment(member)
  }
}

/** A classic leader may assign a partition to two members; in a consumer group it has one owner. */
function checkNotShared({ group }: ConsumerOperation, { assigned }: ConsumerMember): void {
  for (const [topicId, partitions] of assigned) {
    for (const partition of partitions.keys()) {
      if (group.ownerEpoch(topicId, partition) === undefined) continue
      throw new KafkaError('UNKNOWN_SERVER_ERROR', `partition ${partition} of ${topicId} has two owners`)
    }
  }
}
