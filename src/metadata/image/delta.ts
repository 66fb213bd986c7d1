/** The difference between two metadata images, computed once from the records of a change. */
import { type ConfigResource, resourceKey } from '../../config/resources.ts'
import type { MetadataRecord } from '../records.ts'
import type { MetadataImage, TopicState } from './image.ts'

/** Partitions of a topic that existed before the change. */
export interface AddedPartitions {
  readonly topic: TopicState
  readonly partitionIds: readonly number[]
}

export interface MetadataDelta {
  /** The image before the change. */
  readonly previous: MetadataImage
  /** State after the change. */
  readonly createdTopics: readonly TopicState[]
  /** State before the change. The configs of these topics are deleted as well, and are not part of `changedConfigs`. */
  readonly deletedTopics: readonly TopicState[]
  readonly addedPartitions: readonly AddedPartitions[]
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
  const partitionIds = new Map<string, number[]>()
  const configs = new Map<string, ConfigResource>()
  for (const record of records) {
    if (record.type === 'TopicRecord') pushDefined(createdTopics, image.topicsById.get(record.topicId))
    else if (record.type === 'RemoveTopicRecord') pushDefined(deletedTopics, previous.topicsById.get(record.topicId))
    else if (record.type === 'PartitionRecord') {
      if (!previous.topicsById.has(record.topicId)) continue
      const ids = partitionIds.get(record.topicId)
      if (ids) ids.push(record.partitionId)
      else partitionIds.set(record.topicId, [record.partitionId])
    } else if (record.type === 'ConfigRecord') {
      const { resourceType, resourceName } = record
      configs.set(resourceKey(resourceType, resourceName), { resourceType, resourceName })
    }
  }
  const addedPartitions = [...partitionIds].flatMap(([topicId, ids]) => {
    const topic = image.topicsById.get(topicId)
    return topic ? [{ topic, partitionIds: ids }] : []
  })
  return { previous, createdTopics, deletedTopics, addedPartitions, changedConfigs: [...configs.values()] }
}

/** Skips a topic that the change both creates and deletes: neither image has it. */
function pushDefined(topics: TopicState[], topic: TopicState | undefined): void {
  if (topic) topics.push(topic)
}
