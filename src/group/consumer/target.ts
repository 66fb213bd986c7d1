/** The target assignment: the partitions that an assignor gives to each member in one group epoch. */
import { derived, rows } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { type Assignment, type Assignor, type MemberSpec, PartitionAssignorError } from './assignors/assignor.ts'
import { rangeAssignor } from './assignors/range.ts'
import { uniformAssignor } from './assignors/uniform.ts'
import type { ConsumerGroup } from './group.ts'
import { type ConsumerMember, hasSameNames, regexOf } from './member.ts'
import type { ConsumerOperation } from './operation.ts'
import type { GroupTopics } from './topics.ts'

/** Assignors by their names in `group.consumer.assignors`: short names and Kafka's class names. */
const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniformAssignor],
  ['range', rangeAssignor],
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', uniformAssignor],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', rangeAssignor]
])

export const ASSIGNMENT_ROWS = rows({
  assignmentIntervalMs: 'consumer.assignment.interval.ms',
  /** The configured assignors by name. The first one is the default of members without a preference. */
  assignors: derived(['group.consumer.assignors'], assignorsNamed)
})

function assignorsNamed(names: readonly string[]): ReadonlyMap<string, Assignor> {
  const assignors = names.flatMap(name => ASSIGNORS.get(name) ?? [])
  return new Map(assignors.map(assignor => [assignor.name, assignor]))
}

/** Computes the target assignment of the group epoch, if it is missing and `consumer.assignment.interval.ms` has passed. */
export function updateTarget(operation: ConsumerOperation): void {
  const { group, topics } = operation
  if (group.assignmentEpoch >= group.groupEpoch || !isTimeToAssign(operation)) return
  const assignor = preferredAssignor(operation)
  for (const [memberId, assigned] of assign(group, assignor, topics)) {
    if (!isSameTarget(assigned, group.targets.get(memberId))) operation.writeTarget(memberId, assigned)
  }
  operation.writeAssignmentEpoch(group.groupEpoch, operation.now.wallMs)
}

/** True if the time of the last target is unknown or reset, or if the interval has passed. */
function isTimeToAssign({ group, now, settings }: ConsumerOperation): boolean {
  const { assignmentIntervalMs } = settings.view(ASSIGNMENT_ROWS)
  return (
    group.assignmentTimestamp === 0 ||
    assignmentIntervalMs === 0 ||
    now.wallMs >= group.assignmentTimestamp + assignmentIntervalMs
  )
}

/** The assignor that most members prefer. With equal counts, the first one in the broker's configuration. */
export function preferredAssignor({ group, settings }: Pick<ConsumerOperation, 'group' | 'settings'>): Assignor {
  const { assignors } = settings.view(ASSIGNMENT_ROWS)
  const votes = new Map([...assignors.keys()].map(name => [name, 0]))
  for (const { serverAssignor } of group.members.values()) {
    const count = votes.get(serverAssignor ?? '')
    if (serverAssignor !== null && count !== undefined) votes.set(serverAssignor, count + 1)
  }
  const [winner] = [...votes].sort(([, a], [, b]) => b - a)
  const assignor = assignors.get(winner?.[0] ?? '')
  if (!assignor) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'the broker has no assignor')
  return assignor
}

function assign(group: ConsumerGroup, assignor: Assignor, topics: GroupTopics): ReadonlyMap<string, Assignment> {
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

function specOf(group: ConsumerGroup, member: ConsumerMember, topics: GroupTopics): MemberSpec {
  const { instanceId, memberId } = member
  const topicIds = subscribedTopicIds(group, member, topics)
  return { instanceId, subscribedTopicIds: topicIds, assigned: group.targetOf(memberId) }
}

/** The ids of the topics that a member subscribes to, without topics that do not exist. */
export function subscribedTopicIds(
  group: ConsumerGroup,
  member: ConsumerMember,
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
function isHomogeneous({ members }: ConsumerGroup): boolean {
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
