/** The difference between two metadata images, computed once from the records of a change. */
import { type ConfigResource, resourceKey } from '../../config/resources.ts'
import type { MetadataRecord } from '../records.ts'
import type { MetadataImage, PartitionState, TopicState } from './image.ts'

/** Partitions of a topic that existed before the change, in their state after it. */
export interface TopicPartitions {
  readonly topic: TopicState
  readonly partitions: readonly PartitionState[]
}

export interface MetadataDelta {
  /** The image before the change. */
  readonly previous: MetadataImage
  /** State after the change. */
  readonly createdTopics: readonly TopicState[]
  /** State before the change. The configs of these topics are deleted as well, and are not part of `changedConfigs`. */
  readonly deletedTopics: readonly TopicState[]
  readonly addedPartitions: readonly TopicPartitions[]
  /** Partitions that existed before the change, whose leader, ISR or replicas may have changed. Each occurs once. */
  readonly changedPartitions: readonly TopicPartitions[]
  /** Each resource occurs once. */
  readonly changedConfigs: readonly ConfigResource[]
}

/** The delta of `records`, which lead from `previous` to `image`. */
export function deltaOf(
  previous: MetadataImage,
  image: MetadataImage,
  records: readonly MetadataRecord[]
): MetadataDelta {
  const createdTopics: TopicState[] = []
  const deletedTopics: TopicState[] = []
  const added = new Map<string, Set<number>>()
  const changed = new Map<string, Set<number>>()
  const configs = new Map<string, ConfigResource>()
  for (const record of records) {
    if (record.type === 'TopicRecord') pushDefined(createdTopics, image.topicsById.get(record.topicId))
    else if (record.type === 'RemoveTopicRecord') pushDefined(deletedTopics, previous.topicsById.get(record.topicId))
    else if (record.type === 'PartitionRecord') {
      if (previous.topicsById.has(record.topicId)) note(added, record)
    } else if (record.type === 'PartitionChangeRecord') {
      if (previous.topicsById.get(record.topicId)?.partitions[record.partitionId]) note(changed, record)
    } else if (record.type === 'ConfigRecord') {
      const { resourceType, resourceName } = record
      configs.set(resourceKey(resourceType, resourceName), { resourceType, resourceName })
    }
  }
  return {
    previous,
    createdTopics,
    deletedTopics,
    addedPartitions: partitionsOf(added, image),
    changedPartitions: partitionsOf(changed, image),
    changedConfigs: [...configs.values()]
  }
}

function note(
  byTopic: Map<string, Set<number>>,
  { topicId, partitionId }: { readonly topicId: string; readonly partitionId: number }
): void {
  const ids = byTopic.get(topicId)
  if (ids) ids.add(partitionId)
  else byTopic.set(topicId, new Set([partitionId]))
}

/** Skips topics that the change deletes. */
function partitionsOf(byTopic: ReadonlyMap<string, ReadonlySet<number>>, image: MetadataImage): TopicPartitions[] {
  return [...byTopic].flatMap(([topicId, ids]) => {
    const topic = image.topicsById.get(topicId)
    return topic ? [{ topic, partitions: [...ids].flatMap(id => topic.partitions[id] ?? []) }] : []
  })
}

/** Skips a topic that the change both creates and deletes: neither image has it. */
function pushDefined(topics: TopicState[], topic: TopicState | undefined): void {
  if (topic) topics.push(topic)
}
