/**
 * One reconciliation step of a member towards its target assignment: first it revokes partitions that are not in the target. Then
 * it moves to the target epoch and gets the free partitions, and later the rest as other members release them. The order of the
 * checks is Kafka's. No side effects.
 */
import { KafkaError } from '../../protocol/errors.ts'
import type { Assignment } from './assignors/assignor.ts'
import type { ModernMember } from './member.ts'
import { type EpochAssignment, isSameAssignment, toEpoch } from './member.ts'

/** Partitions of a request. */
export type TopicPartitions = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

/** The target of a member, and the conditions of its next step. */
export interface Destination {
  readonly targetEpoch: number
  readonly target: Assignment
  /** Partitions of other topics are revoked, even if an older target has them. */
  readonly subscribedTopicIds: ReadonlySet<string>
  /** True if the current request has changed the subscription. */
  readonly hasSubscriptionChanged: boolean
  /** The partitions that the member owns. Null if the request does not report them; then none counts as revoked. */
  readonly owned: TopicPartitions | null
  /** The epoch of the partition's owner; undefined if it has none. */
  ownerEpoch(topicId: string, partition: number): number | undefined
}

/**
 * The member after its next step, or the same object if nothing changes. Throws FENCED_MEMBER_EPOCH for a member in an unknown
 * state, which a newer broker wrote, until the member owns no partitions.
 */
export function reconcile<Member extends ModernMember>(member: Member, to: Destination): Member {
  const next = step(member, to)
  return hasSameState(member, next) ? member : next
}

function step<Member extends ModernMember>(member: Member, to: Destination): Member {
  switch (member.state) {
    case 'Stable':
      if (member.memberEpoch !== to.targetEpoch) return approach(member, to)
      return to.hasSubscriptionChanged ? revokeUnsubscribed(member, to) : member
    case 'UnrevokedPartitions':
      if (!stillOwns(to.owned, member.pendingRevocation)) return approach(member, to)
      return to.hasSubscriptionChanged ? revokeUnsubscribed(member, to) : member
    case 'UnreleasedPartitions':
      return approach(member, to)
    case 'Unknown':
      if (to.owned?.length !== 0) {
        const advice = 'The member must abandon all its partitions and rejoin.'
        throw new KafkaError('FENCED_MEMBER_EPOCH', `The consumer group member is in a unknown state. ${advice}`)
      }
      return approach(member, to)
  }
}

/** The full step: revokes first, and moves to the target epoch only if nothing is left to revoke. */
function approach<Member extends ModernMember>(member: Member, to: Destination): Member {
  const kept = new Map<string, Map<number, number>>()
  const revoked = new Map<string, Map<number, number>>()
  const reached = new Map<string, Map<number, number>>()
  let waits = false
  for (const topicId of new Set([...to.target.keys(), ...member.assigned.keys()])) {
    const current = member.assigned.get(topicId)
    const target = (to.subscribedTopicIds.has(topicId) && to.target.get(topicId)) || new Set<number>()
    const free = [...target].filter(partition => !current?.has(partition) && isFree(member, to, topicId, partition))
    const keptHere = [...(current ?? [])].filter(([partition]) => target.has(partition))
    put(kept, topicId, keptHere)
    put(
      revoked,
      topicId,
      [...(current ?? [])].filter(([partition]) => !target.has(partition))
    )
    put(reached, topicId, [...keptHere, ...free.map(partition => [partition, to.targetEpoch] as const)])
    waits ||= keptHere.length + free.length < target.size
  }
  if (revoked.size > 0 && stillOwns(to.owned, revoked)) return revoking(member, kept, revoked)
  const state = waits ? 'UnreleasedPartitions' : 'Stable'
  return { ...toEpoch(member, to.targetEpoch), state, assigned: reached, pendingRevocation: new Map() }
}

/** A partition that the member itself had to revoke is free for it: no other member can own it. */
function isFree(member: ModernMember, to: Destination, topicId: string, partition: number): boolean {
  return member.pendingRevocation.get(topicId)?.has(partition) || to.ownerEpoch(topicId, partition) === undefined
}

/** The step within an epoch: revokes partitions of topics that the member does not subscribe to any more. */
function revokeUnsubscribed<Member extends ModernMember>(member: Member, to: Destination): Member {
  const assigned = new Map(member.assigned)
  const pendingRevocation = new Map(member.pendingRevocation)
  for (const [topicId, partitions] of member.assigned) {
    if (to.subscribedTopicIds.has(topicId)) continue
    assigned.delete(topicId)
    put(pendingRevocation, topicId, [...(pendingRevocation.get(topicId) ?? []), ...partitions])
  }
  if (assigned.size === member.assigned.size) return member
  if (stillOwns(to.owned, pendingRevocation)) return revoking(member, assigned, pendingRevocation)
  return { ...toEpoch(member, member.memberEpoch), assigned }
}

function revoking<Member extends ModernMember>(
  member: Member,
  assigned: EpochAssignment,
  pendingRevocation: EpochAssignment
): Member {
  return { ...toEpoch(member, member.memberEpoch), state: 'UnrevokedPartitions', assigned, pendingRevocation }
}

function stillOwns(owned: TopicPartitions | null, revoked: EpochAssignment): boolean {
  if (owned === null) return true
  return owned.some(({ topicId, partitions }) => partitions.some(partition => revoked.get(topicId)?.has(partition)))
}

/** Sets the partitions in ascending order, so that equal assignments have equal records. */
function put(
  assignment: Map<string, ReadonlyMap<number, number>>,
  topicId: string,
  partitions: (readonly [partition: number, epoch: number])[]
): void {
  if (partitions.length > 0)
    assignment.set(topicId, new Map(partitions.sort(([partition], [other]) => partition - other)))
}

function hasSameState(member: ModernMember, other: ModernMember): boolean {
  const { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = other
  return (
    member.memberEpoch === memberEpoch &&
    member.previousMemberEpoch === previousMemberEpoch &&
    member.state === state &&
    isSameAssignment(member.assigned, assigned) &&
    isSameAssignment(member.pendingRevocation, pendingRevocation)
  )
}

/**
 * The owners of partitions: the epoch of the owning member, by topic and partition. Copies share the inner maps, which never
 * change.
 */
export class PartitionOwners {
  readonly #byTopic: Map<string, ReadonlyMap<number, number>>

  constructor(byTopic: ReadonlyMap<string, ReadonlyMap<number, number>> = new Map()) {
    this.#byTopic = new Map(byTopic)
  }

  copy(): PartitionOwners {
    return new PartitionOwners(this.#byTopic)
  }

  /** The epoch of the member that owns a partition; undefined if it has no owner. */
  epochOf(topicId: string, partition: number): number | undefined {
    return this.#byTopic.get(topicId)?.get(partition)
  }

  /** Adds the member's assigned partitions and those pending revocation. Returns false if another member owns one of them. */
  own(member: ModernMember): boolean {
    return this.#own(member.assigned, member.memberEpoch) && this.#own(member.pendingRevocation, member.memberEpoch)
  }

  /** Removes the member's partitions. A new owner with a later epoch keeps its partition. */
  release({ assigned, pendingRevocation, memberEpoch }: ModernMember): void {
    this.#release(assigned, memberEpoch)
    this.#release(pendingRevocation, memberEpoch)
  }

  #own(assignment: EpochAssignment, memberEpoch: number): boolean {
    for (const [topicId, partitions] of assignment) {
      const epochs = new Map(this.#byTopic.get(topicId))
      for (const partition of partitions.keys()) {
        if ((epochs.get(partition) ?? Number.NEGATIVE_INFINITY) >= memberEpoch) return false
        epochs.set(partition, memberEpoch)
      }
      this.#byTopic.set(topicId, epochs)
    }
    return true
  }

  #release(assignment: EpochAssignment, memberEpoch: number): void {
    for (const [topicId, partitions] of assignment) {
      const epochs = new Map(this.#byTopic.get(topicId))
      for (const partition of partitions.keys()) if (epochs.get(partition) === memberEpoch) epochs.delete(partition)
      if (epochs.size > 0) this.#byTopic.set(topicId, epochs)
      else this.#byTopic.delete(topicId)
    }
  }
}
