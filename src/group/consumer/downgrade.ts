/**
 * Downgrade of a consumer group to a classic group: when its last member of the consumer protocol leaves, or is replaced by a
 * member of the classic protocol. The remaining members keep their target assignments. Also the expiration of members.
 */

import { derived, rows } from '../../config/view.ts'
import { CONSUMER_PROTOCOL, versionOf, writeAssignment } from '../../protocol/consumer-protocol.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { assert } from '../../runtime/assert.ts'
import {
  type ClassicGroup,
  emptyGroup,
  type Member,
  metadataOf,
  putMember,
  subscribedTopics
} from '../classic/group.ts'
import { beginOperation, NO_ASSIGNMENT, recordGroup, renewSession } from '../classic/operation.ts'
import { selectProtocol } from '../classic/protocols.ts'
import { prepareRebalance } from '../classic/rebalance.ts'
import { tombstonesOf } from './admin.ts'
import type { Assignment } from './assignors/assignor.ts'
import type { DeadlineKind } from './deadlines.ts'
import { type ConsumerMember, nameOf } from './member.ts'
import { removeMembers } from './membership.ts'
import type { ConsumerOperation } from './operation.ts'
import type { GroupTopics } from './topics.ts'

/** Removes members from the group, which may downgrade it to a classic group. */
export function fenceMembers(operation: ConsumerOperation, members: readonly ConsumerMember[]): void {
  const gone = new Set(members)
  const left = [...operation.group.members.values()].filter(member => !gone.has(member))
  if (members.length > 0 && left.length > 0 && canBeClassic(operation, left)) {
    downgrade(operation, left, operation.group.groupEpoch, 'members of the consumer protocol have left')
  } else {
    removeMembers(operation, [...gone])
  }
}

const DOWNGRADE_ROWS = rows({
  isEnabled: derived(['group.consumer.migration.policy'], policy => ['bidirectional', 'downgrade'].includes(policy))
})

/** True if these members may continue as a classic group. */
export function canBeClassic(
  { settings, world, notes }: ConsumerOperation,
  members: readonly ConsumerMember[]
): boolean {
  if (members.some(({ classic }) => classic === null)) return false
  if (members.length > world.classic.maxSize) notes.push('the group is too large to become a classic one')
  return settings.view(DOWNGRADE_ROWS).isEnabled && members.length <= world.classic.maxSize
}

/**
 * Ends the consumer group and creates a classic group of these members, with the given generation. With a reason the classic
 * group rebalances; without, each member keeps its target assignment. Throws GROUP_ID_NOT_FOUND if the metadata of a member is
 * malformed.
 */
export function downgrade(
  operation: ConsumerOperation,
  members: readonly ConsumerMember[],
  generationId: number,
  reason: string | null
): void {
  const successor = beginOperation(
    classicGroupOf(operation, members, generationId),
    operation.now,
    operation.world.classic
  )
  recordGroup(successor)
  if (reason !== null) prepareRebalance(successor, `the consumer group has become a classic one: ${reason}`)
  operation.records.push(...tombstonesOf(operation.group))
  operation.successor = successor
  operation.notes.push('the consumer group has become a classic group')
}

function classicGroupOf(
  operation: ConsumerOperation,
  members: readonly ConsumerMember[],
  generationId: number
): ClassicGroup {
  const { group, topics, now } = operation
  const classic: ClassicGroup = {
    ...emptyGroup(group.groupId, now.wallMs),
    state: 'Stable',
    generationId,
    protocolType: CONSUMER_PROTOCOL,
    leader: members[0]?.memberId ?? null
  }
  for (const member of members) putMember(classic, classicMemberOf(operation, member))
  classic.protocolName = selectProtocol(classic)
  classic.subscribedTopics = subscribedTopics(classic)
  for (const member of classic.members.values()) {
    const version = versionOf(metadataOf(member, classic.protocolName))
    if (version === null) throw refusal(group.groupId, member)
    member.assignment = writeAssignment(named(group.targetOf(member.memberId), topics), version)
  }
  return classic
}

function classicMemberOf(operation: ConsumerOperation, consumer: ConsumerMember): Member {
  const { memberId, instanceId: groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, classic } = consumer
  assert(classic, `${memberId} speaks the classic protocol`)
  const member: Member = {
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
    awaitingSync: null,
    sessionDeadline: 0
  }
  renewSession(operation, member)
  return member
}

/** Replaces topic ids by names. Deleted topics are left out. */
export function named(assignment: Assignment, topics: GroupTopics): { topic: string; partitions: number[] }[] {
  const found = [...assignment].map(([topicId, partitions]) => ({ topic: topics.nameOf(topicId), partitions }))
  return found.flatMap(({ topic, partitions }) => (topic === undefined ? [] : { topic, partitions: [...partitions] }))
}

function refusal(groupId: string, { memberId }: Member): KafkaError {
  return new KafkaError(
    'GROUP_ID_NOT_FOUND',
    `Cannot downgrade the group ${groupId}: what ${memberId} says is malformed.`
  )
}

/** The reason for fencing a member, by the deadline that it missed. */
const WHY: Record<DeadlineKind, string> = {
  session: 'its session ended',
  rebalance: 'it did not give up its partitions in time',
  join: 'it did not send JoinGroup in time',
  sync: 'it did not send SyncGroup in time'
}

/** Fences one member with an expired deadline. Others follow in further operations, because this one may downgrade the group. */
export function expire(operation: ConsumerOperation): void {
  const [reached] = operation.group.deadlines.reached(operation.now.deadlineMs)
  if (!reached) return
  const member = operation.group.members.get(reached.memberId)
  assert(member, `who has a deadline is a member: ${reached.memberId}`)
  operation.notes.push(`${nameOf(member)} is taken for gone: ${WHY[reached.kind]}`)
  fenceMembers(operation, [member])
}

const SESSION_ROWS = rows({ sessionTimeoutMs: 'consumer.session.timeout.ms' })

/** Starts the deadlines of a group that was just loaded. */
export function startDeadlines({ group, now, settings }: ConsumerOperation): void {
  const { sessionTimeoutMs } = settings.view(SESSION_ROWS)
  for (const member of group.members.values()) {
    group.deadlines.set(member.memberId, 'session', now.deadlineMs + sessionTimeoutMs)
    if (isRevoking(member))
      group.deadlines.set(member.memberId, 'rebalance', now.deadlineMs + member.rebalanceTimeoutMs)
  }
}

function isRevoking({ state, classic }: ConsumerMember): boolean {
  return state === 'UnrevokedPartitions' && classic === null
}
