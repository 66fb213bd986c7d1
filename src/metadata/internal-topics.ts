/** The topics that the broker makes for itself, as requests to create them: what their settings say is compacted state. */
import type { NewTopic } from './create-topics.ts'
import { GROUP_METADATA_TOPIC_NAME, TRANSACTION_STATE_TOPIC_NAME } from './topic-names.ts'

/** Size of an internal topic, from `offsets.topic.*` or `transaction.state.log.*`. */
export interface InternalTopicSize {
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly segmentBytes: number
}

/** `__consumer_offsets`. */
export function consumerOffsetsTopic(size: InternalTopicSize): NewTopic {
  return internalTopic(GROUP_METADATA_TOPIC_NAME, size, { 'cleanup.policy': 'compact', 'compression.type': 'producer' })
}

/** `__transaction_state`, with `transaction.state.log.min.isr`. Its records are never compressed. */
export function transactionStateTopic(size: InternalTopicSize, minInsyncReplicas: number): NewTopic {
  return internalTopic(TRANSACTION_STATE_TOPIC_NAME, size, {
    'cleanup.policy': 'compact',
    'compression.type': 'uncompressed',
    'min.insync.replicas': String(minInsyncReplicas),
    'unclean.leader.election.enable': 'false'
  })
}

function internalTopic(name: string, size: InternalTopicSize, configs: Readonly<Record<string, string>>): NewTopic {
  const { numPartitions, replicationFactor, segmentBytes } = size
  const all = { ...configs, 'segment.bytes': String(segmentBytes) }
  return {
    name,
    numPartitions,
    replicationFactor,
    assignments: [],
    configs: Object.entries(all).map(([key, value]) => ({ name: key, value }))
  }
}
