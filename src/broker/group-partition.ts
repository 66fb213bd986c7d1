/**
 * The partition of `__consumer_offsets` that holds a group, for transactions that take it in. A client may add it before
 * anybody has looked for the group's coordinator, and so before the topic is there: it will be where the settings put it.
 */
import { partitionFor } from '../coordinator/partitioner.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Parts } from './context.ts'

/** Its number. */
export function groupPartition(groupId: string, { replicas, settings }: Pick<Parts, 'replicas' | 'settings'>): number {
  const partitionCount = replicas.partitionCount(GROUP_METADATA_TOPIC_NAME)
  return partitionFor(groupId, partitionCount || settings.get('offsets.topic.num.partitions'))
}
