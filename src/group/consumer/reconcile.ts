/**
 * One step of a member towards its target: first it gives up what the target lacks, then it moves to the target's epoch
 * and gets what nobody else has any more, and the rest as others let go of it. Pure; Kafka's own order of questions.
 */
import { KafkaError } from '../../protocol/errors.ts'
import type { Assignment } from './assignors/assignor.ts'
import { type ConsumerMember, type EpochAssignment, isSameAssignment, toEpoch } from './member.ts'
import type { TopicPartitions } from './membership.ts'

/** Where a member shall go, and what decides how far it comes. */
export interface Destination {
  readonly targetEpoch: number
  readonly target: Assignment
  /** What a member is not subscribed to any more it gives up, whatever an older target says. */
  readonly subscribedTopicIds: ReadonlySet<string>
  /** By the request that is answered. */
  readonly hasSubscriptionChanged: boolean
  /** Null when the request does not say: then nothing counts as given up. */
  readonly owned: TopicPartitions | null
  /** Undefined while nobody owns the partition. */
  ownerEpoch(topicId: string, partition: number): number | undefined
}

/**
 * The member after its next step, or the very same one where it stays as it is.
 * Throws KafkaError FENCED_MEMBER_EPOCH for a member in a state that only a newer broker knows, until it owns nothing.
 */
export function reconcile(member: ConsumerMember, to: Destination): ConsumerMember {
  const next = step(member, to)
  return isSameStanding(member, next) ? member : next
}

function step(member: ConsumerMember, to: Destination): ConsumerMember {
  switch (member.state) {
    case 'Stable':
      if (member.memberEpoch !== to.targetEpoch) return approach(member, to)
      return to.hasSubscriptionChanged ? giveUpUnsubscribed(member, to) : member
    case 'UnrevokedPartitions':
      if (!stillOwns(to.owned, member.pendingRevocation)) return approach(member, to)
      return to.hasSubscriptionChanged ? giveUpUnsubscribed(member, to) : member
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

/** The whole way: revocation first, and only without any the epoch of the target. */
function approach(member: ConsumerMember, to: Destination): ConsumerMember {
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

/** A member may take back at once what it had to give up itself: nobody else can have got it. */
function isFree(member: ConsumerMember, to: Destination, topicId: string, partition: number): boolean {
  return member.pendingRevocation.get(topicId)?.has(partition) || to.ownerEpoch(topicId, partition) === undefined
}

/** The short way, when a subscription changes while the target stays. */
function giveUpUnsubscribed(member: ConsumerMember, to: Destination): ConsumerMember {
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

function revoking(
  member: ConsumerMember,
  assigned: EpochAssignment,
  pendingRevocation: EpochAssignment
): ConsumerMember {
  return { ...toEpoch(member, member.memberEpoch), state: 'UnrevokedPartitions', assigned, pendingRevocation }
}

function stillOwns(owned: TopicPartitions | null, revoked: EpochAssignment): boolean {
  if (owned === null) return true
  return owned.some(({ topicId, partitions }) => partitions.some(partition => revoked.get(topicId)?.has(partition)))
}

/** Partitions go in ascending, so that an assignment reads the same whatever way led to it. */
function put(
  assignment: Map<string, ReadonlyMap<number, number>>,
  topicId: string,
  partitions: (readonly [partition: number, epoch: number])[]
): void {
  if (partitions.length > 0)
    assignment.set(topicId, new Map(partitions.sort(([partition], [other]) => partition - other)))
}

function isSameStanding(member: ConsumerMember, other: ConsumerMember): boolean {
  const { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = other
  return (
    member.memberEpoch === memberEpoch &&
    member.previousMemberEpoch === previousMemberEpoch &&
    member.state === state &&
    isSameAssignment(member.assigned, assigned) &&
    isSameAssignment(member.pendingRevocation, pendingRevocation)
  )
}
