/** The topics that the broker makes for itself, as requests to create them. */
import type { NewTopic } from './create-topics.ts'
import { GROUP_METADATA_TOPIC_NAME } from './topic-names.ts'

/** Size of an internal topic: for groups `offsets.topic.num.partitions`, `.replication.factor` and `.segment.bytes`. */
export interface InternalTopicSize {
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly segmentBytes: number
}

/** `__consumer_offsets`: compacted, in small segments, so that a coordinator has little to read. */
export function consumerOffsetsTopic({ numPartitions, replicationFactor, segmentBytes }: InternalTopicSize): NewTopic {
  return {
    name: GROUP_METADATA_TOPIC_NAME,
    numPartitions,
    replicationFactor,
    assignments: [],
    configs: [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'compression.type', value: 'producer' },
      { name: 'segment.bytes', value: String(segmentBytes) }
    ]
  }
}
