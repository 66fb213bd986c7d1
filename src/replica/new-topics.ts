/** Partition count and settings of auto-created topics and of internal topics. */
import { InvalidConfig } from '../config/define.ts'
import { newTopicOverrides } from '../config/new-topic.ts'
import type { BrokerSettings } from '../config/values.ts'
import type { NewTopic } from '../metadata/decisions/create-topics.ts'
import {
  GROUP_METADATA_TOPIC_NAME,
  SHARE_GROUP_STATE_TOPIC_NAME,
  TRANSACTION_STATE_TOPIC_NAME
} from '../metadata/topic-names.ts'
import { KafkaError } from '../protocol/errors.ts'

/** Topics of coordinators that are still to come; they are not made as ordinary topics meanwhile. */
export const WITHOUT_COORDINATOR: ReadonlySet<string> = new Set([SHARE_GROUP_STATE_TOPIC_NAME])

/** A topic that appears by itself: an internal one with the settings its coordinator needs, any other by default. */
export function missingTopic(name: string, settings: BrokerSettings): NewTopic {
  if (name === GROUP_METADATA_TOPIC_NAME) {
    return consumerOffsetsTopic({
      numPartitions: settings.get('offsets.topic.num.partitions'),
      replicationFactor: settings.get('offsets.topic.replication.factor'),
      segmentBytes: settings.get('offsets.topic.segment.bytes')
    })
  }
  if (name === TRANSACTION_STATE_TOPIC_NAME) {
    return transactionStateTopic({
      numPartitions: settings.get('transaction.state.log.num.partitions'),
      replicationFactor: settings.get('transaction.state.log.replication.factor'),
      segmentBytes: settings.get('transaction.state.log.segment.bytes'),
      minInSync: settings.get('transaction.state.log.min.isr')
    })
  }
  return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
}

/** The settings that a new topic has of its own. Throws what CreateTopics answers where one is wrong. */
export function topicOverrides(configs: NewTopic['configs'], settings: BrokerSettings): ReadonlyMap<string, string> {
  try {
    return newTopicOverrides(configs, settings)
  } catch (error) {
    if (error instanceof InvalidConfig) throw new KafkaError(error.code, error.message)
    throw error
  }
}

// Internal topics as CreateTopics requests.

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
function transactionStateTopic(size: InternalTopicSize & { readonly minInSync: number }): NewTopic {
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
