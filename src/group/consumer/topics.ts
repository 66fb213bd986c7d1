/** What a consumer group must know of the cluster's topics. The broker gives it a view on its metadata. */
import type { TopicDescriber } from './assignors/assignor.ts'

export interface GroupTopics extends TopicDescriber {
  /** Of the metadata: every change of topics makes a higher one. */
  readonly version: bigint
  /** Of the metadata when a topic last came into being, or when it was first looked at. */
  readonly versionOfNewTopics: bigint
  names(): Iterable<string>
  /** Undefined for a topic that does not exist. */
  idOf(name: string): string | undefined
  nameOf(topicId: string): string | undefined
  /** The metadata hash of a topic; undefined for one that does not exist. */
  hashOf(name: string): bigint | undefined
}
