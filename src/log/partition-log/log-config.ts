/** The settings that a partition's log goes by. */

/** Named as Kafka's topic settings; times in milliseconds, which may be as large as a double can tell. */
export interface LogConfig {
  /** segment.bytes */
  readonly segmentBytes: number
  /** segment.ms */
  readonly segmentMs: number
  /** segment.jitter.ms */
  readonly segmentJitterMs: number
  /** segment.index.bytes */
  readonly segmentIndexBytes: number
  /** index.interval.bytes */
  readonly indexIntervalBytes: number
  /** file.delete.delay.ms */
  readonly fileDeleteDelayMs: number
  /** preallocate */
  readonly preallocate: boolean
  /** cleanup.policy has 'delete': old segments go by age and size */
  readonly isDeleted: boolean
  /** cleanup.policy has 'compact': of each key the last record stays */
  readonly isCompacted: boolean
  /** retention.ms; -1: no limit */
  readonly retentionMs: number
  /** retention.bytes; below 0: no limit */
  readonly retentionBytes: number
  /** flush.messages */
  readonly flushMessages: number
  /** flush.ms */
  readonly flushMs: number
  /** min.compaction.lag.ms */
  readonly minCompactionLagMs: number
  /** max.compaction.lag.ms */
  readonly maxCompactionLagMs: number
  /** min.cleanable.dirty.ratio */
  readonly minCleanableDirtyRatio: number
  /** delete.retention.ms */
  readonly deleteRetentionMs: number
}

/** Kafka's own defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4096,
  fileDeleteDelayMs: 60_000,
  preallocate: false,
  isDeleted: true,
  isCompacted: false,
  retentionMs: 604_800_000,
  retentionBytes: -1,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  minCleanableDirtyRatio: 0.5,
  deleteRetentionMs: 86_400_000
}
