/** The settings of a partition's log. Their defaults are those of the topic's settings in `config/tables/topic.ts`. */

/** Named as Kafka's topic settings. Times are in milliseconds; "never" is beyond the largest safe integer. */
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
