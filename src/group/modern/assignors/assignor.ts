/**
 * The interface of server-side assignors (KIP-848): a function without side effects from members, their subscriptions and current
 * targets to their new targets. Topics are identified by id.
 */

/** Partitions by topic. Topics and partitions are in the order in which Kafka writes them. */
export type Assignment = ReadonlyMap<string, ReadonlySet<number>>

/** The input of an assignor for one member. As in Kafka's assignors, racks are not used. */
export interface MemberSpec {
  readonly instanceId: string | null
  /** Subscribed by name or by regular expression; only existing topics. */
  readonly subscribedTopicIds: ReadonlySet<string>
  /** The current target assignment. A rejoined static member has that of its previous member id. */
  readonly assigned: Assignment
}

/** The group that needs an assignment. */
export interface GroupSpec {
  /** By member id. Assignors visit them in hash order; the order of this map breaks ties of hashes. */
  readonly members: ReadonlyMap<string, MemberSpec>
  /** True if all members subscribe to the same topics, by the same names, or all of them by one expression alone. */
  readonly isHomogeneous: boolean
}

/** The topics that an assignor reads. */
export interface TopicDescriber {
  /** Undefined if the topic does not exist. */
  partitionCount(topicId: string): number | undefined
}

/** An assignor, with the name by which members choose it. */
export interface Assignor {
  readonly name: string
  /**
   * The target of each member, also if it is empty. Members are in the order in which Kafka writes their records. Throws
   * PartitionAssignorError.
   */
  assign(group: GroupSpec, topics: TopicDescriber): ReadonlyMap<string, Assignment>
}

/** No assignment is possible. */
export class PartitionAssignorError extends Error {
  override readonly name = 'PartitionAssignorError'
}

/** The number of partitions of a topic. Throws PartitionAssignorError if it does not exist: a subscription is then outdated. */
export function partitionCountOf(topics: TopicDescriber, topicId: string): number {
  const count = topics.partitionCount(topicId)
  if (count !== undefined) return count
  throw new PartitionAssignorError(
    `Members are subscribed to topic ${topicId} which doesn't exist in the topic metadata.`
  )
}
