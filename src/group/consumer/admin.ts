/** The description of a consumer group for administrators (ConsumerGroupDescribe). */
import type { Assignment } from '../modern/assignors/assignor.ts'
import type { GroupTopics } from '../modern/topics.ts'
import type { ConsumerGroup, ConsumerGroupState } from './group.ts'
import type { ConsumerMember } from './member.ts'

/** Partitions by topic, with topic names. Deleted topics are left out. */
export interface DescribedAssignment {
  readonly topicPartitions: readonly {
    readonly topicId: string
    readonly topicName: string
    readonly partitions: readonly number[]
  }[]
}

export interface DescribedConsumer
  extends Pick<ConsumerMember, 'memberId' | 'instanceId' | 'rackId' | 'memberEpoch' | 'clientId' | 'clientHost'> {
  readonly subscribedTopicNames: readonly string[]
  readonly subscribedTopicRegex: string | null
  /** The assigned partitions and those pending revocation. */
  readonly assignment: DescribedAssignment
  readonly targetAssignment: DescribedAssignment
  readonly memberType: number
}

/** A consumer group, without its group id. */
export interface ConsumerGroupDescription {
  readonly groupState: ConsumerGroupState | ''
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly members: readonly DescribedConsumer[]
}

const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

export function describe(group: ConsumerGroup, topics: GroupTopics): ConsumerGroupDescription {
  const { state: groupState, groupEpoch, assignmentEpoch } = group
  const members = Array.from(group.members.values(), member => describeMember(group, member, topics))
  return { groupState, groupEpoch, assignmentEpoch, members }
}

function describeMember(group: ConsumerGroup, member: ConsumerMember, topics: GroupTopics): DescribedConsumer {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member
  return {
    ...{ memberId, instanceId, rackId, memberEpoch, clientId, clientHost },
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: described(ownedBy(member), topics),
    targetAssignment: described(group.targetOf(memberId), topics),
    memberType: member.classic ? CLASSIC_MEMBER : CONSUMER_MEMBER
  }
}

function ownedBy({ assigned, pendingRevocation }: ConsumerMember): Assignment {
  const owned = new Map<string, Set<number>>()
  for (const [topicId, epochs] of [...assigned, ...pendingRevocation]) {
    owned.set(topicId, new Set([...(owned.get(topicId) ?? []), ...epochs.keys()]))
  }
  return owned
}

function described(assignment: Assignment, topics: GroupTopics): DescribedAssignment {
  const topicPartitions = [...assignment].flatMap(([topicId, partitions]) => {
    const topicName = topics.nameOf(topicId)
    return topicName === undefined ? [] : [{ topicId, topicName, partitions: [...partitions] }]
  })
  return { topicPartitions }
}
