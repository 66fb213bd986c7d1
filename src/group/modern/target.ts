/** The computation of a target assignment: the partitions that an assignor gives to each member in one group epoch. */
import { KafkaError } from '../../protocol/errors.ts'
import { type Assignment, type Assignor, type MemberSpec, PartitionAssignorError } from './assignors/assignor.ts'
import { hasSameNames, type ModernMember, regexOf } from './member.ts'
import type { GroupTopics } from './topics.ts'

/** The subscriptions of a group's members. */
export interface SubscribedGroup<Member extends ModernMember> {
  /** The names of the topics that a member subscribes to. */
  topicsOf(member: Member): Iterable<string>
}

/** A group before the computation. */
interface AssignedGroup<Member extends ModernMember> extends SubscribedGroup<Member> {
  readonly groupId: string
  readonly groupEpoch: number
  readonly members: ReadonlyMap<string, Member>
  /** The last target assignments, by member id. */
  readonly targets: ReadonlyMap<string, Assignment>
  targetOf(memberId: string): Assignment
}

/** The members whose target changes, with their new target. Throws UNKNOWN_SERVER_ERROR if the assignor fails. */
export function* changedTargets<Member extends ModernMember>(
  group: AssignedGroup<Member>,
  assignor: Assignor,
  topics: GroupTopics
): Iterable<readonly [memberId: string, target: Assignment]> {
  for (const [memberId, target] of assign(group, assignor, topics)) {
    if (!isSameTarget(target, group.targets.get(memberId))) yield [memberId, target]
  }
}

function assign<Member extends ModernMember>(
  group: AssignedGroup<Member>,
  assignor: Assignor,
  topics: GroupTopics
): ReadonlyMap<string, Assignment> {
  const members = new Map([...group.members].map(([memberId, member]) => [memberId, specOf(group, member, topics)]))
  try {
    return assignor.assign({ members, isHomogeneous: isHomogeneous(group) }, topics)
  } catch (error) {
    if (!(error instanceof PartitionAssignorError)) throw error
    const { groupId, groupEpoch } = group
    throw new KafkaError(
      'UNKNOWN_SERVER_ERROR',
      `no assignment for epoch ${groupEpoch} of ${groupId}: ${error.message}`
    )
  }
}

function specOf<Member extends ModernMember>(
  group: AssignedGroup<Member>,
  member: Member,
  topics: GroupTopics
): MemberSpec {
  const { instanceId, memberId } = member
  const topicIds = subscribedTopicIds(group, member, topics)
  return { instanceId, subscribedTopicIds: topicIds, assigned: group.targetOf(memberId) }
}

/** The ids of the topics that a member subscribes to, without topics that do not exist. */
export function subscribedTopicIds<Member extends ModernMember>(
  group: SubscribedGroup<Member>,
  member: Member,
  topics: GroupTopics
): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const name of group.topicsOf(member)) {
    const topicId = topics.idOf(name)
    if (topicId !== undefined) ids.add(topicId)
  }
  return ids
}

/** True if all members subscribe to the same names, or all of them by the same regular expression alone. */
function isHomogeneous<Member extends ModernMember>({ members }: AssignedGroup<Member>): boolean {
  const [first] = members.values()
  if (!first) return true
  if (regexOf(first) !== null && first.subscribedTopicNames.length > 0) return false
  for (const member of members.values()) {
    if (regexOf(member) !== regexOf(first) || !hasSameNames(member, first)) return false
  }
  return true
}

function isSameTarget(target: Assignment, other: Assignment | undefined): boolean {
  if (target.size !== other?.size) return false
  for (const [topicId, partitions] of target) {
    const others = other.get(topicId)
    if (others?.size !== partitions.size) return false
    for (const partition of partitions) if (!others.has(partition)) return false
  }
  return true
}
