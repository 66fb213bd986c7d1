/**
 * The common state of members of consumer, share and streams groups: member epochs, the subscription, and the current assignment,
 * which is reconciled with the target assignment.
 */
import { isDeepStrictEqual } from 'node:util'

/** The epoch with which a member joins or rejoins. */
export const JOIN_GROUP_MEMBER_EPOCH = 0
/** The epoch with which a member leaves. Also the epoch of a member after the tombstone of its assignment. */
export const LEAVE_GROUP_MEMBER_EPOCH = -1
/** The epoch with which a static member leaves temporarily, and its epoch until it rejoins. */
export const LEAVE_GROUP_STATIC_MEMBER_EPOCH = -2

/** The reconciliation states of a member, with their numbers in the log. */
export const MEMBER_STATES = { Stable: 0, UnrevokedPartitions: 1, UnreleasedPartitions: 2, Unknown: 127 } as const
export type MemberState = keyof typeof MEMBER_STATES

/** Partitions by topic id, each with the member epoch at which it was assigned. */
export type EpochAssignment = ReadonlyMap<string, ReadonlyMap<number, number>>

/** The subscription of a member. */
export interface Subscription {
  /** Sorted, without duplicates. */
  readonly subscribedTopicNames: readonly string[]
  /** Empty without an expression, or null if the record has null. */
  readonly subscribedTopicRegex: string | null
}

export interface ModernMember extends Subscription {
  readonly memberId: string
  /** Null for a dynamic member. */
  readonly instanceId: string | null
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assigned: EpochAssignment
  readonly pendingRevocation: EpochAssignment
}

/** Changes the epoch and keeps the previous one, because the response may be lost. */
export function toEpoch<Member extends ModernMember>(member: Member, memberEpoch: number): Member {
  return { ...member, memberEpoch, previousMemberEpoch: member.memberEpoch }
}

/** True if the member has reached the target assignment of the epoch. */
export function isReconciledTo({ state, memberEpoch }: ModernMember, assignmentEpoch: number): boolean {
  return state === 'Stable' && memberEpoch === assignmentEpoch
}

/** The member's regular expression, or null. */
export function regexOf({ subscribedTopicRegex }: Subscription): string | null {
  return subscribedTopicRegex || null
}

/** True if both subscribe to the same topic names. */
export function hasSameNames(member: Subscription, other: Subscription): boolean {
  const [names, others] = [member.subscribedTopicNames, other.subscribedTopicNames]
  return names === others || isDeepStrictEqual(names, others)
}

/** Names, sorted and without duplicates. */
export function sortedOnce(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

/** True if both have the same partitions with the same epochs. */
export function isSameAssignment(assignment: EpochAssignment, other: EpochAssignment): boolean {
  if (assignment.size !== other.size) return false
  for (const [topicId, partitions] of assignment) {
    const others = other.get(topicId)
    if (others?.size !== partitions.size) return false
    for (const [partition, epoch] of partitions) if (others.get(partition) !== epoch) return false
  }
  return true
}
