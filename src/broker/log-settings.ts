/** The broker's settings of its logs, in the form in which the data directory and the metadata log take them. */
import { BrokerSettings } from '../config/values.ts'
import type { CheckpointIntervals } from '../log/directory/directory-checkpoints.ts'
import type { LogConfig } from '../log/partition-log/log-config.ts'
import type { CompactionLimits } from '../metadata/log/compaction.ts'
import { logConfigOf } from '../replica/topic-rules.ts'

/**
 * The metadata log's own size and age of segments, Kafka's defaults in all else: the broker's settings for topics do not
 * count. Snapshots decide what is deleted, not the age and size of the log.
 */
export function metadataLogConfig(settings: BrokerSettings): LogConfig {
  return {
    ...logConfigOf(new BrokerSettings().topic()),
    segmentBytes: settings.get('metadata.log.segment.bytes'),
    segmentMs: settings.get('metadata.log.segment.ms'),
    retentionMs: -1,
    retentionBytes: -1
  }
}

/** Limits of the metadata log's snapshots. */
export function compactionLimits(settings: BrokerSettings): CompactionLimits {
  return {
    maxBytesBetweenSnapshots: settings.get('metadata.log.max.record.bytes.between.snapshots'),
    maxSnapshotIntervalMs: settings.get('metadata.log.max.snapshot.interval.ms'),
    retentionBytes: settings.get('metadata.max.retention.bytes'),
    retentionMs: settings.get('metadata.max.retention.ms')
  }
}

/** How often the checkpoint files of the data directory are written. */
export function checkpointIntervals(settings: BrokerSettings): CheckpointIntervals {
  return {
    recoveryPointMs: atLeastOne(settings.get('log.flush.offset.checkpoint.interval.ms')),
    logStartMs: atLeastOne(settings.get('log.flush.start.offset.checkpoint.interval.ms')),
    highWatermarkMs: atLeastOne(settings.get('replica.high.watermark.checkpoint.interval.ms'))
  }
}

/** Kafka takes 0 and less, which would leave no time for anything else. */
function atLeastOne(intervalMs: number): number {
  return Math.max(1, intervalMs)
}
