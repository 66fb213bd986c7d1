/** What the group coordinator needs of the broker: its settings and its topic, `__consumer_offsets`. */
import type { BrokerSettings } from '../config/values.ts'
import type { GroupPorts, GroupSettings } from '../group/coordinator.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { Catalog } from './catalog.ts'
import { stateTopic } from './state-topic.ts'

/** Where the coordinator lives. */
export interface GroupWorld {
  readonly catalog: Catalog
  readonly settings: BrokerSettings
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const MS_PER_MINUTE = 60_000

export function groupPorts({ catalog, settings, clock, random, logger }: GroupWorld): GroupPorts {
  return {
    clock,
    random,
    logger,
    settings: groupSettings(settings),
    topic: stateTopic(GROUP_METADATA_TOPIC_NAME, { catalog, clock, logger })
  }
}

function groupSettings(settings: BrokerSettings): GroupSettings {
  return {
    minSessionTimeoutMs: settings.get('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: settings.get('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: settings.get('group.initial.rebalance.delay.ms'),
    maxSize: settings.get('group.max.size'),
    offsetMetadataMaxBytes: settings.get('offset.metadata.max.bytes'),
    offsetsRetentionMs: settings.get('offsets.retention.minutes') * MS_PER_MINUTE,
    offsetsRetentionCheckIntervalMs: settings.get('offsets.retention.check.interval.ms')
  }
}
