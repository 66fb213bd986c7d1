/** Partition count and settings of auto-created topics and of internal topics. */
import { InvalidConfig } from '../config/define.ts'
import { newTopicOverrides } from '../config/new-topic.ts'
import type { Settings } from '../config/settings.ts'
import type { NewTopic } from '../metadata/decisions/create-topics.ts'
import {
  GROUP_METADATA_TOPIC_NAME,
  SHARE_GROUP_STATE_TOPIC_NAME,
  TRANSACTION_STATE_TOPIC_NAME
} from '../metadata/topic-names.ts'
import { KafkaError } from '../protocol/errors.ts'

/** Internal topics whose coordinator is not implemented. They are not auto-created as ordinary topics. */
export const WITHOUT_COORDINATOR: ReadonlySet<string> = new Set([SHARE_GROUP_STATE_TOPIC_NAME])

/** An auto-created topic: an internal topic with the configs that its coordinator needs, any other topic with the defaults. */
export function missingTopic(name: string, settings: Settings): NewTopic {
  if (name === GROUP_METADATA_TOPIC_NAME) return consumerOffsetsTopic(settings)
  if (name === TRANSACTION_STATE_TOPIC_NAME) return transactionStateTopic(settings)
  return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
}

/** The validated configs of a new topic. Throws the KafkaError of CreateTopics for an invalid config. */
export function topicOverrides(configs: NewTopic['configs'], settings: Settings): ReadonlyMap<string, string> {
  try {
    return newTopicOverrides(configs, settings.inForce)
  } catch (error) {
    if (error instanceof InvalidConfig) throw new KafkaError(error.code, error.message)
    throw error
  }
}

// Internal topics as CreateTopics requests.

/** `__consumer_offsets`: compacted, with small segments, so that the coordinator loads few records. */
export function consumerOffsetsTopic(settings: Settings): NewTopic {
  return {
    name: GROUP_METADATA_TOPIC_NAME,
    numPartitions: settings.get('offsets.topic.num.partitions'),
    replicationFactor: settings.get('offsets.topic.replication.factor'),
    assignments: [],
    configs: [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'compression.type', value: 'producer' },
      { name: 'segment.bytes', value: String(settings.get('offsets.topic.segment.bytes')) }
    ]
  }
}

/** `__transaction_state`. Its writes wait for `transaction.state.log.min.isr` in-sync replicas. */
function transactionStateTopic(settings: Settings): NewTopic {
  return {
    name: TRANSACTION_STATE_TOPIC_NAME,
    numPartitions: settings.get('transaction.state.log.num.partitions'),
    replicationFactor: settings.get('transaction.state.log.replication.factor'),
    assignments: [],
    configs: [
      { name: 'unclean.leader.election.enable', value: 'false' },
      { name: 'compression.type', value: 'uncompressed' },
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'min.insync.replicas', value: String(settings.get('transaction.state.log.min.isr')) },
      { name: 'segment.bytes', value: String(settings.get('transaction.state.log.segment.bytes')) }
    ]
  }
}
