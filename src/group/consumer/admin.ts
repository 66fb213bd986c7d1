/** A consumer group as administrators see it: its listing, its description, and the errors and records of its deletion. */
import { CONSUMER_PROTOCOL } from '../../protocol/consumer-protocol.ts'
import type { AdminView } from '../admin-view.ts'
import type { GroupRecord } from '../records.ts'
import type { Assignment } from './assignors/assignor.ts'
import type { ConsumerGroup, ConsumerGroupState } from './group.ts'
import type { ConsumerMember } from './member.ts'
import type { GroupTopics } from './topics.ts'

export function adminView(group: ConsumerGroup): AdminView {
  const { groupId, state } = group
  return {
    groupId,
    type: 'consumer',
    state,
    protocolType: CONSUMER_PROTOCOL,
    deletion: state === 'Empty' ? 'NONE' : 'NON_EMPTY_GROUP',
    offsetDeletion: 'NONE',
    isSubscribedTo: topic => group.subscribedTopics.has(topic),
    tombstones: () => tombstonesOf(group)
  }
}

/**
 * The records that delete a group. The order matters: on loading, a tombstone of the group is valid only after those of its
 * members.
 */
export function tombstonesOf(group: ConsumerGroup): GroupRecord[] {
  const { groupId } = group
  const keys = [...group.members.keys()].map(memberId => ({ groupId, memberId }))
  const regexes = [...group.regexes.keys()]
  return [
    ...keys.map(key => ({ type: 'ConsumerGroupCurrentMemberAssignment', key, value: null }) as const),
    ...keys.map(key => ({ type: 'ConsumerGroupTargetAssignmentMember', key, value: null }) as const),
    { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: null },
    ...keys.map(key => ({ type: 'ConsumerGroupMemberMetadata', key, value: null }) as const),
    ...regexes.map(regex => {
      return {
        type: 'ConsumerGroupRegularExpression',
        key: { groupId, regularExpression: regex },
        value: null
      } as const
    }),
    { type: 'ConsumerGroupPartitionMetadata', key: { groupId }, value: null },
    { type: 'ConsumerGroupMetadata', key: { groupId }, value: null }
  ]
}

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
