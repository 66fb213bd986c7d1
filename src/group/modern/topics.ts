/** The topics of the cluster as consumer groups read them. The broker implements it over its metadata image. */
import type { TopicDescriber } from './assignors/assignor.ts'

export interface GroupTopics extends TopicDescriber {
  /** The version of the metadata; every change of topics increases it. */
  readonly version: bigint
  /** The version of the metadata at the last creation of a topic, or at the start of the broker. */
  readonly versionOfNewTopics: bigint
  names(): Iterable<string>
  /** The id of a topic; undefined if it does not exist. */
  idOf(name: string): string | undefined
  nameOf(topicId: string): string | undefined
  /** The metadata hash of a topic; undefined if it does not exist. */
  hashOf(name: string): bigint | undefined
}
