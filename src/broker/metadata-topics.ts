/** The topics of the metadata image as consumer groups read them. */
import { topicHash } from '../group/modern/metadata-hash.ts'
import type { GroupTopics } from '../group/modern/topics.ts'
import type { TopicState } from '../metadata/image/image.ts'
import type { MetadataLog } from '../metadata/log/metadata-log.ts'

export class MetadataTopics implements GroupTopics {
  readonly #metadata: MetadataLog
  /** Racks of the nodes that have one. */
  readonly #racks: ReadonlyMap<number, string>
  /** Caches the hash of each topic. A changed topic is a new object. */
  readonly #hashes = new WeakMap<TopicState, bigint>()
  #versionOfNewTopics: bigint

  constructor(metadata: MetadataLog, racks: ReadonlyMap<number, string>) {
    this.#metadata = metadata
    this.#racks = racks
    this.#versionOfNewTopics = metadata.version
    metadata.subscribe((_, { createdTopics }) => {
      // Regular expressions may match created topics.
      if (createdTopics.length > 0) this.#versionOfNewTopics = metadata.version
    })
  }

  get version(): bigint {
    return this.#metadata.version
  }

  get versionOfNewTopics(): bigint {
    return this.#versionOfNewTopics
  }

  names(): Iterable<string> {
    return this.#metadata.image.topicsByName.keys()
  }

  idOf(name: string): string | undefined {
    return this.#metadata.image.topicsByName.get(name)?.topicId
  }

  nameOf(topicId: string): string | undefined {
    return this.#metadata.image.topicsById.get(topicId)?.name
  }

  partitionCount(topicId: string): number | undefined {
    return this.#metadata.image.topicsById.get(topicId)?.partitions.length
  }

  hashOf(name: string): bigint | undefined {
    const topic = this.#metadata.image.topicsByName.get(name)
    return topic && this.#hashOf(topic)
  }

  #hashOf(topic: TopicState): bigint {
    const cached = this.#hashes.get(topic)
    if (cached !== undefined) return cached
    const partitions = topic.partitions.map(({ replicas }) => ({
      racks: replicas.flatMap(id => this.#racks.get(id) ?? [])
    }))
    const hash = topicHash({ ...topic, partitions })
    this.#hashes.set(topic, hash)
    return hash
  }
}
