// The topics of a cluster in group tests. Each creation, growth and deletion is a new version of the metadata.
import { topicHash } from '../../../src/group/modern/metadata-hash.ts'
import type { GroupTopics } from '../../../src/group/modern/topics.ts'

interface Topic {
  readonly topicId: string
  readonly partitionCount: number
}

export class ClusterTopics implements GroupTopics {
  version = 0n
  versionOfNewTopics = 0n
  readonly #topics = new Map<string, Topic>()
  #created = 0

  /** Adds topics of one partition with the given ids. */
  constructor(...topics: { readonly name: string; readonly topicId: string }[]) {
    for (const { name, topicId } of topics) this.#topics.set(name, { topicId, partitionCount: 1 })
  }

  create(name: string, partitionCount: number): string {
    const topicId = Buffer.alloc(16, ++this.#created).toString('base64url')
    this.#topics.set(name, { topicId, partitionCount })
    this.versionOfNewTopics = ++this.version
    return topicId
  }

  grow(name: string, partitionCount: number): void {
    const topic = this.#topics.get(name)
    if (!topic) throw new Error(`no topic ${name}`)
    this.#topics.set(name, { ...topic, partitionCount })
    this.version++
  }

  delete(name: string): void {
    this.#topics.delete(name)
    this.version++
  }

  names(): Iterable<string> {
    return this.#topics.keys()
  }

  idOf(name: string): string | undefined {
    return this.#topics.get(name)?.topicId
  }

  nameOf(topicId: string): string | undefined {
    return [...this.#topics].find(([, topic]) => topic.topicId === topicId)?.[0]
  }

  partitionCount(topicId: string): number | undefined {
    return [...this.#topics.values()].find(topic => topic.topicId === topicId)?.partitionCount
  }

  /** The number of partitions of a topic by its name; 0 if it does not exist. */
  partitionCountOf(name: string): number {
    return this.#topics.get(name)?.partitionCount ?? 0
  }

  hashOf(name: string): bigint | undefined {
    const topic = this.#topics.get(name)
    if (!topic) return undefined
    const partitions = Array.from({ length: topic.partitionCount }, () => ({ racks: [] }))
    return topicHash({ name, topicId: topic.topicId, partitions })
  }
}
