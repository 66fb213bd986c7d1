/**
 * Downgrade of a consumer group to a classic group: when its last member of the consumer protocol leaves, or is replaced by a
 * member of the classic protocol. The remaining members keep their target assignments. Also the expiration of members.
 */

import { derived, rows } from '../../config/view.ts'
import { NO_MEMBER, type Timer } from '../../coordinator/timers.ts'
import { CONSUMER_PROTOCOL, versionOf, writeAssignment } from '../../protocol/consumer-protocol.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { assert } from '../../runtime/assert.ts'
import { ClassicGroup, type Member, metadataOf, putMember, renewSession, subscribedTopics } from '../classic/group.ts'
import { ClassicOperation, NO_ASSIGNMENT } from '../classic/operation.ts'
import { selectProtocol } from '../classic/protocols.ts'
import { prepareRebalance } from '../classic/rebalance.ts'
import type { GroupTimer } from '../effects.ts'
import type { Assignment } from '../modern/assignors/assignor.ts'
import type { GroupTopics } from '../modern/topics.ts'
import type { ConsumerMember } from './member.ts'
import { removeMembers } from './membership.ts'
import type { ConsumerOperation } from './operation.ts'

/** Removes members from the group, which may downgrade it to a classic group. */
export function fenceMembers(operation: ConsumerOperation, members: readonly ConsumerMember[]): void {
  const gone = new Set(members)
  const left = [...operation.group.members.values()].filter(member => !gone.has(member))
  if (members.length > 0 && left.length > 0 && canBeClassic(operation, left)) {
    downgrade(operation, left, operation.group.groupEpoch, 'rebalance')
  } else {
    removeMembers(operation, [...gone])
  }
}

const DOWNGRADE_ROWS = rows({
  isEnabled: derived(['group.consumer.migration.policy'], policy => ['bidirectional', 'downgrade'].includes(policy))
})

/** True if these members may continue as a classic group. */
export function canBeClassic(
  { settings, classicLimits, group, effects }: ConsumerOperation,
  members: readonly ConsumerMember[]
): boolean {
  if (members.some(({ classic }) => classic === null)) return false
  const { maxSize } = classicLimits
  if (members.length > maxSize)
    effects.emit({ type: 'GroupDowngradeRefused', groupId: group.groupId, members: members.length, maxSize })
  return settings.view(DOWNGRADE_ROWS).isEnabled && members.length <= maxSize
}

/**
 * Ends the consumer group and creates a classic group of these members, with the given generation. The classic group rebalances,
 * or each member keeps its target assignment. Throws GROUP_ID_NOT_FOUND if the metadata of a member is malformed.
 */
export function downgrade(
  operation: ConsumerOperation,
  members: readonly ConsumerMember[],
  generationId: number,
  next: 'rebalance' | 'keep assignments'
): void {
  const { now, classicLimits, effects } = operation
  const successor = new ClassicOperation(classicGroupOf(operation, members, generationId), now, classicLimits)
  for (const member of successor.group.members.values()) renewSession(successor, member)
  successor.recordGroup()
  if (next === 'rebalance') prepareRebalance(successor, { cause: 'GroupConverted' })
  const { groupId } = operation.group
  operation.becomeClassicGroup(successor)
  const conversion = { from: 'consumer', to: 'classic', groupEpoch: generationId, members: members.length } as const
  effects.emit({ type: 'GroupConverted', groupId, ...conversion })
}

function classicGroupOf(
  operation: ConsumerOperation,
  members: readonly ConsumerMember[],
  generationId: number
): ClassicGroup {
  const { group, topics, now } = operation
  const classic = new ClassicGroup(group.groupId, {
    state: 'Stable',
    stateTimestamp: now.wallMs,
    generationId,
    protocolType: CONSUMER_PROTOCOL,
    leader: members[0]?.memberId ?? null
  })
  for (const member of members) putMember(classic, classicMemberOf(member))
  classic.protocolName = selectProtocol(classic)
  classic.subscribedTopics = subscribedTopics(classic)
  for (const member of classic.members.values()) {
    const version = versionOf(metadataOf(member, classic.protocolName))
    if (version === null) throw refusal(group.groupId, member)
    member.assignment = writeAssignment(named(group.targetOf(member.memberId), topics), version)
  }
  return classic
}

function classicMemberOf(consumer: ConsumerMember): Member {
  const { memberId, instanceId: groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, classic } = consumer
  assert(classic, `member ${memberId} uses the classic protocol`)
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    sessionTimeoutMs: classic.sessionTimeoutMs,
    protocols: classic.supportedProtocols,
    assignment: NO_ASSIGNMENT,
    isNew: false,
    awaitingJoin: null,
    awaitingSync: null
  }
}

/** Replaces topic ids by names. Deleted topics are left out. */
export function named(assignment: Assignment, topics: GroupTopics): { topic: string; partitions: number[] }[] {
  const found = [...assignment].map(([topicId, partitions]) => ({ topic: topics.nameOf(topicId), partitions }))
  return found.flatMap(({ topic, partitions }) => (topic === undefined ? [] : { topic, partitions: [...partitions] }))
}

function refusal(groupId: string, { memberId }: Member): KafkaError {
  return new KafkaError(
    'GROUP_ID_NOT_FOUND',
    `Cannot downgrade the group ${groupId}: the metadata of member ${memberId} is malformed.`
  )
}

/** Handles a timer that is due: fences the member. The timer may belong to an earlier state of the group. */
export function expire(operation: ConsumerOperation, { kind, member: memberId }: Timer<GroupTimer>): void {
  const { group, effects } = operation
  if (kind === 'load') startTimers(operation)
  if (kind === 'load' || kind === 'pending join' || memberId === NO_MEMBER) return
  const member = group.members.get(memberId)
  if (!member) return
  const { instanceId: groupInstanceId, clientId } = member
  effects.emit({
    ...{ type: 'MemberFenced', groupId: group.groupId, memberId, groupInstanceId, clientId },
    timeout: kind
  })
  fenceMembers(operation, [member])
}

const SESSION_ROWS = rows({ sessionTimeoutMs: 'consumer.session.timeout.ms' })

/** Starts the timers of a loaded group. */
function startTimers({ group, now, settings, effects }: ConsumerOperation): void {
  const { sessionTimeoutMs } = settings.view(SESSION_ROWS)
  for (const member of group.members.values()) {
    effects.setMemberTimer(member.memberId, 'session', now.deadlineMs + sessionTimeoutMs)
    if (isRevoking(member))
      effects.setMemberTimer(member.memberId, 'rebalance', now.deadlineMs + member.rebalanceTimeoutMs)
  }
}

function isRevoking({ state, classic }: ConsumerMember): boolean {
  return state === 'UnrevokedPartitions' && classic === null
}
