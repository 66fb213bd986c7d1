/** The settings of the metadata log, in the form in which it goes by them. */
import type { BrokerSettings } from '../../config/values.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../log/partition-log/log-config.ts'
import type { CompactionLimits } from './compaction.ts'

/** How the log is to be opened. What is deleted is for its snapshots to say, not for its own age and size. */
export function metadataLogConfig(settings: BrokerSettings): LogConfig {
  return {
    ...DEFAULT_LOG_CONFIG,
    segmentBytes: settings.get('metadata.log.segment.bytes'),
    segmentMs: settings.get('metadata.log.segment.ms'),
    retentionMs: -1,
    retentionBytes: -1
  }
}

/** When it is compacted. */
export function compactionLimits(settings: BrokerSettings): CompactionLimits {
  return {
    maxBytesBetweenSnapshots: settings.get('metadata.log.max.record.bytes.between.snapshots'),
    maxSnapshotIntervalMs: settings.get('metadata.log.max.snapshot.interval.ms'),
    retentionBytes: settings.get('metadata.max.retention.bytes'),
    retentionMs: settings.get('metadata.max.retention.ms')
  }
}
