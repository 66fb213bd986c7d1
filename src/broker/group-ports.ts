/** What the group coordinator needs of the broker: its settings, and the partitions of `__consumer_offsets` as journals. */
import type { BrokerSettings } from '../config/values.ts'
import type { GroupPorts, GroupSettings } from '../group/coordinator.ts'
import type { GroupJournal } from '../group/partition.ts'
import { Journal } from '../log/journal.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import { ZERO_UUID } from '../protocol/bytes.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { Catalog } from './catalog.ts'

/** Where the coordinator lives. */
export interface GroupWorld {
  readonly catalog: Catalog
  readonly settings: BrokerSettings
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const MS_PER_MINUTE = 60_000
const OFFSETS_TOPIC = { name: GROUP_METADATA_TOPIC_NAME, topicId: ZERO_UUID }

export function groupPorts({ catalog, settings, clock, random, logger }: GroupWorld): GroupPorts {
  return {
    clock,
    random,
    logger,
    settings: groupSettings(settings),
    partitionCount: () => catalog.partitionCount(GROUP_METADATA_TOPIC_NAME),
    journal: index => groupJournal(catalog, index, clock)
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

/** A partition that nobody has written to yet has no folder, and gets none by being read. */
function groupJournal(catalog: Catalog, index: number, clock: Clock): GroupJournal {
  return {
    append: records => {
      catalog.checkInSync(GROUP_METADATA_TOPIC_NAME, index)
      catalog.partition(GROUP_METADATA_TOPIC_NAME, index).appendJournal(records, clock)
    },
    maxBatchBytes: () => catalog.rulesOf(GROUP_METADATA_TOPIC_NAME).maxMessageBytes,
    *replay(each) {
      if (!catalog.hasLog(GROUP_METADATA_TOPIC_NAME, index)) return
      const { log, leaderEpoch } = catalog.partition(GROUP_METADATA_TOPIC_NAME, index)
      yield* new Journal(log, clock, leaderEpoch).replay({ record: ({ key, value }) => key && each({ key, value }) })
    },
    settled: () => catalog.find(OFFSETS_TOPIC, index)?.log.settled()
  }
}
