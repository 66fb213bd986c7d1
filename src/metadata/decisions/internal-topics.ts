/** The topics that the broker makes for itself, as requests to create them. */

import { GROUP_METADATA_TOPIC_NAME, TRANSACTION_STATE_TOPIC_NAME } from '../topic-names.ts'
import type { NewTopic } from './create-topics.ts'

/** Size of an internal topic, as `offsets.topic.*` and `transaction.state.log.*` set it. */
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

/** `__transaction_state`, whose writes wait for `minInSync` replicas. */
export function transactionStateTopic(size: InternalTopicSize & { readonly minInSync: number }): NewTopic {
  return {
    name: TRANSACTION_STATE_TOPIC_NAME,
    numPartitions: size.numPartitions,
    replicationFactor: size.replicationFactor,
    assignments: [],
    configs: [
      { name: 'unclean.leader.election.enable', value: 'false' },
      { name: 'compression.type', value: 'uncompressed' },
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'min.insync.replicas', value: String(size.minInSync) },
      { name: 'segment.bytes', value: String(size.segmentBytes) }
    ]
  }
}
