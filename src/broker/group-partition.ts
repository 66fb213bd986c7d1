/**
 * The partition of `__consumer_offsets` that stores a group, for transactions. A client may add it to a transaction before the
 * topic exists; the partition then follows from the configured partition count.
 */
import { partitionFor } from '../coordinator/partitioner.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Parts } from './context.ts'

/** The partition index of a group. */
export function groupPartition(groupId: string, { replicas, settings }: Pick<Parts, 'replicas' | 'settings'>): number {
  const partitionCount = replicas.partitionCount(GROUP_METADATA_TOPIC_NAME)
  return partitionFor(groupId, partitionCount || settings.get('offsets.topic.num.partitions'))
}
