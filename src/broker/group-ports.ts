/** What the group coordinator needs of the broker: its settings and its topic, `__consumer_offsets`. */
import { RESOURCE_TYPES } from '../config/resources.ts'
import type { BrokerSettings } from '../config/values.ts'
import type { ConsumerGroupSettings } from '../group/consumer/settings.ts'
import type { GroupTopics } from '../group/consumer/topics.ts'
import type { GroupPorts, GroupSettings } from '../group/coordinator.ts'
import { configsOf } from '../metadata/image/image.ts'
import type { MetadataLog } from '../metadata/log/metadata-log.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Replicas } from '../replica/replicas.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { Clocks } from '../runtime/time.ts'
import type { Parts } from './context.ts'
import { stateTopic } from './state-topic.ts'

/** Where the coordinator lives. */
export interface GroupWorld {
  readonly replicas: Replicas
  readonly metadata: MetadataLog
  readonly topics: GroupTopics
  /** Those in force now. */
  readonly settings: () => BrokerSettings
  readonly clocks: Clocks
  readonly random: Random
  readonly logger: Logger
  /** Told of what must not happen. */
  failed(error: unknown): void
}

const MS_PER_MINUTE = 60_000

/** The short names of assignors that can be given by their class, too. */
const ASSIGNOR_CLASSES: Readonly<Record<string, string>> = {
  'org.apache.kafka.coordinator.group.assignor.UniformAssignor': 'uniform',
  'org.apache.kafka.coordinator.group.assignor.RangeAssignor': 'range'
}

export function groupPorts(world: GroupWorld): GroupPorts {
  const { replicas, metadata, settings, clocks, random, logger } = world
  return {
    clocks,
    random,
    logger,
    settings: groupSettings(settings),
    topics: world.topics,
    failed: error => world.failed(error),
    configOf: groupId => configsOf(metadata.image, RESOURCE_TYPES.GROUP, groupId),
    topic: stateTopic(GROUP_METADATA_TOPIC_NAME, { replicas, clocks, logger })
  }
}

/** Whether consumer groups are served: the setting may take them away, the feature is the way to do so from Kafka 5.0 on. */
export function isConsumerProtocolEnabled({ metadata, settings }: Pick<Parts, 'metadata' | 'settings'>): boolean {
  const isServed = settings.get('group.coordinator.rebalance.protocols').includes('consumer')
  return isServed && metadata.level('group.version') >= 1
}

function groupSettings(inForce: () => BrokerSettings): GroupSettings {
  const settings = inForce()
  return {
    minSessionTimeoutMs: settings.get('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: settings.get('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: settings.get('group.initial.rebalance.delay.ms'),
    maxSize: settings.get('group.max.size'),
    offsetMetadataMaxBytes: settings.get('offset.metadata.max.bytes'),
    offsetsRetentionMs: settings.get('offsets.retention.minutes') * MS_PER_MINUTE,
    offsetsRetentionCheckIntervalMs: settings.get('offsets.retention.check.interval.ms'),
    consumer: consumerGroupSettings(inForce)
  }
}

function consumerGroupSettings(inForce: () => BrokerSettings): ConsumerGroupSettings {
  const settings = inForce()
  return {
    sessionTimeoutMs: settings.get('group.consumer.session.timeout.ms'),
    minSessionTimeoutMs: settings.get('group.consumer.min.session.timeout.ms'),
    maxSessionTimeoutMs: settings.get('group.consumer.max.session.timeout.ms'),
    heartbeatIntervalMs: settings.get('group.consumer.heartbeat.interval.ms'),
    minHeartbeatIntervalMs: settings.get('group.consumer.min.heartbeat.interval.ms'),
    maxHeartbeatIntervalMs: settings.get('group.consumer.max.heartbeat.interval.ms'),
    get assignmentIntervalMs() {
      return inForce().get('group.consumer.assignment.interval.ms')
    },
    minAssignmentIntervalMs: settings.get('group.consumer.min.assignment.interval.ms'),
    maxAssignmentIntervalMs: settings.get('group.consumer.max.assignment.interval.ms'),
    maxSize: settings.get('group.consumer.max.size'),
    assignors: [...new Set(settings.get('group.consumer.assignors').map(name => ASSIGNOR_CLASSES[name] ?? name))],
    migrationPolicy: settings.get('group.consumer.migration.policy'),
    regexRefreshIntervalMs: settings.get('group.consumer.regex.refresh.interval.ms')
  }
}
