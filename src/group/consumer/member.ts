/**
 * A member of a consumer group as a value: what it told of itself, and how far it has come towards its assignment. Both
 * halves stand in a record of their own in the log.
 */
import { isDeepStrictEqual } from 'node:util'
import { ownCopy } from '../../protocol/wire/bytes.ts'
import type { ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataValue } from './records.ts'

/** The epoch that a member brings to join, or to join anew. */
export const JOIN_GROUP_MEMBER_EPOCH = 0
/** The epoch that a member brings to leave. A member has it between the tombstones that remove it. */
export const LEAVE_GROUP_MEMBER_EPOCH = -1
/** The epoch that a static member brings to leave for a while, and has until it is back. */
export const LEAVE_GROUP_STATIC_MEMBER_EPOCH = -2

/** Where a member stands on the way to its target; the log has the number. */
export const MEMBER_STATES = { Stable: 0, UnrevokedPartitions: 1, UnreleasedPartitions: 2, Unknown: 127 } as const
export type MemberState = keyof typeof MEMBER_STATES

/** Partitions by topic id, each with the epoch in which the member got it. */
export type EpochAssignment = ReadonlyMap<string, ReadonlyMap<number, number>>

export interface ClassicMemberMetadata {
  readonly sessionTimeoutMs: number
  /** Never empty; in the order that the member prefers them. */
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
}

export interface ConsumerMember {
  readonly memberId: string
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  /** Null for a dynamic member. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  readonly clientId: string
  readonly clientHost: string
  /** Sorted, each once. */
  readonly subscribedTopicNames: readonly string[]
  /** Empty, or null in a record that says so, without one. */
  readonly subscribedTopicRegex: string | null
  /** Null where the group may choose. */
  readonly serverAssignor: string | null
  readonly assigned: EpochAssignment
  readonly pendingRevocation: EpochAssignment
  /** Of a member that speaks the classic protocol, else null. */
  readonly classic: ClassicMemberMetadata | null
}

/** Nobody yet: what a member is before its first request or record. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    state: 'Stable',
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    serverAssignor: null,
    assigned: new Map(),
    pendingRevocation: new Map(),
    classic: null
  }
}

/** As operators shall read of it. */
export function nameOf({ memberId, clientId }: ConsumerMember): string {
  return `${memberId} of ${clientId}`
}

/** Goes to an epoch, and remembers the one before: its answer may get lost. */
export function toEpoch(member: ConsumerMember, memberEpoch: number): ConsumerMember {
  return { ...member, memberEpoch, previousMemberEpoch: member.memberEpoch }
}

/** True when nothing is left to do on the way to the target of an epoch. */
export function isReconciledTo({ state, memberEpoch }: ConsumerMember, assignmentEpoch: number): boolean {
  return state === 'Stable' && memberEpoch === assignmentEpoch
}

/** The member's regular expression, null without one. */
export function regexOf({ subscribedTopicRegex }: ConsumerMember): string | null {
  return subscribedTopicRegex || null
}

/** True when nothing that a member tells of itself is news. */
export function hasSameMetadata(before: ConsumerMember, after: ConsumerMember): boolean {
  const withoutNames = (member: ConsumerMember) => memberMetadataOf({ ...member, subscribedTopicNames: [] })
  return hasSameNames(before, after) && isDeepStrictEqual(withoutNames(before), withoutNames(after))
}

/** True when both are subscribed to the same topics by name. */
export function hasSameNames(member: ConsumerMember, other: ConsumerMember): boolean {
  const [names, others] = [member.subscribedTopicNames, other.subscribedTopicNames]
  return names === others || isDeepStrictEqual(names, others)
}

/** What the log keeps of what the member told of itself. */
export function memberMetadataOf(member: ConsumerMember): ConsumerGroupMemberMetadataValue {
  const { instanceId, rackId, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex } = member
  const { rebalanceTimeoutMs, serverAssignor, classic } = member
  const subscription = { subscribedTopicNames: [...subscribedTopicNames], subscribedTopicRegex }
  const classicMemberMetadata = classic && { ...classic, supportedProtocols: [...classic.supportedProtocols] }
  return {
    instanceId,
    rackId,
    clientId,
    clientHost,
    ...subscription,
    rebalanceTimeoutMs,
    serverAssignor,
    classicMemberMetadata
  }
}

/** The member after a record of its metadata. */
export function withMetadata(member: ConsumerMember, value: ConsumerGroupMemberMetadataValue): ConsumerMember {
  const { classicMemberMetadata: classic, subscribedTopicNames, ...rest } = value
  return {
    ...member,
    ...rest,
    subscribedTopicNames: sortedOnce(subscribedTopicNames),
    // Copies: a record may be a view on what was read.
    classic: classic && {
      sessionTimeoutMs: classic.sessionTimeoutMs,
      supportedProtocols: classic.supportedProtocols.map(({ name, metadata }) => ({
        name,
        metadata: ownCopy(metadata)
      }))
    }
  }
}

/** What the log keeps of how far the member has come. */
export function currentAssignmentOf(member: ConsumerMember): ConsumerGroupCurrentMemberAssignmentValue {
  return {
    memberEpoch: member.memberEpoch,
    previousMemberEpoch: member.previousMemberEpoch,
    state: MEMBER_STATES[member.state],
    assignedPartitions: listed(member.assigned),
    partitionsPendingRevocation: listed(member.pendingRevocation)
  }
}

/** The member after a record of its assignment. */
export function withCurrentAssignment(
  member: ConsumerMember,
  value: ConsumerGroupCurrentMemberAssignmentValue
): ConsumerMember {
  const { memberEpoch, previousMemberEpoch } = value
  return {
    ...member,
    memberEpoch,
    previousMemberEpoch,
    state: stateOf(value.state),
    assigned: unlisted(value.assignedPartitions, memberEpoch),
    pendingRevocation: unlisted(value.partitionsPendingRevocation, memberEpoch)
  }
}

/** A member between the tombstones that remove it: it owns nothing any more. */
export function withoutAssignment(member: ConsumerMember): ConsumerMember {
  const epochs = { memberEpoch: LEAVE_GROUP_MEMBER_EPOCH, previousMemberEpoch: LEAVE_GROUP_MEMBER_EPOCH }
  return { ...member, ...epochs, assigned: new Map(), pendingRevocation: new Map() }
}

/** The names of a list that may come in any order and more than once. */
export function sortedOnce(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

/** True when both own the same partitions since the same epochs. */
export function isSameAssignment(assignment: EpochAssignment, other: EpochAssignment): boolean {
  if (assignment.size !== other.size) return false
  for (const [topicId, partitions] of assignment) {
    const others = other.get(topicId)
    if (others?.size !== partitions.size) return false
    for (const [partition, epoch] of partitions) if (others.get(partition) !== epoch) return false
  }
  return true
}

type OwnedPartitions = ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions']

function listed(assignment: EpochAssignment): OwnedPartitions {
  return [...assignment].map(([topicId, epochs]) => {
    return { topicId, partitions: [...epochs.keys()], assignmentEpochs: [...epochs.values()] }
  })
}

/** Brokers before 4.3 did not say since when: then it is since the member's own epoch. */
function unlisted(owned: OwnedPartitions, memberEpoch: number): EpochAssignment {
  const sinceThen = Math.max(memberEpoch, 0)
  return new Map(
    owned.map(({ topicId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : undefined
      return [topicId, new Map(partitions.map((partition, index) => [partition, epochs?.[index] ?? sinceThen]))]
    })
  )
}

function stateOf(number: number): MemberState {
  switch (number) {
    case MEMBER_STATES.Stable:
      return 'Stable'
    case MEMBER_STATES.UnrevokedPartitions:
      return 'UnrevokedPartitions'
    case MEMBER_STATES.UnreleasedPartitions:
      return 'UnreleasedPartitions'
    default:
      return 'Unknown'
  }
}
