/**
 * What a server-side assignor (KIP-848) is: a pure function from members, their subscriptions and what each has now to
 * what each shall have. It knows topics by id alone, and no time, epochs or records.
 */

/** Partitions of topics. The order of topics and of partitions is that in which Kafka writes them. */
export type Assignment = ReadonlyMap<string, ReadonlySet<number>>

/** What an assignor may know of a member. Neither of Kafka's assignors looks at racks. */
export interface MemberSpec {
  readonly instanceId: string | null
  /** By names and by regular expression; only topics that exist. */
  readonly subscribedTopicIds: ReadonlySet<string>
  /** The target of now; a static member that comes back has that of its former member id. */
  readonly assigned: Assignment
}

/** The group that wants an assignment. */
export interface GroupSpec {
  /** By member id. They are taken in the order of a hash set; the order here breaks the ties of hashes. */
  readonly members: ReadonlyMap<string, MemberSpec>
  /** True when all members subscribe to the same topics: by the same names, or all by one expression alone. */
  readonly isHomogeneous: boolean
}

/** What an assignor may know of a topic. */
export interface TopicDescriber {
  /** Undefined for a topic that does not exist. */
  partitionCount(topicId: string): number | undefined
}

/** One way to assign, known to members by its name. */
export interface Assignor {
  readonly name: string
  /**
   * What each member shall have, even where that is nothing. The members come in the order in which Kafka writes their
   * records. Throws PartitionAssignorError.
   */
  assign(group: GroupSpec, topics: TopicDescriber): ReadonlyMap<string, Assignment>
}

/** There is no assignment of these topics to these members. */
export class PartitionAssignorError extends Error {
  override readonly name = 'PartitionAssignorError'
}

/** The partitions of a topic; throws where the topic does not exist, for then somebody's subscription is out of date. */
export function partitionCountOf(topics: TopicDescriber, topicId: string): number {
  const count = topics.partitionCount(topicId)
  if (count !== undefined) return count
  throw new PartitionAssignorError(
    `Members are subscribed to topic ${topicId} which doesn't exist in the topic metadata.`
  )
}
