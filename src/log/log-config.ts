/** The settings that a partition's log goes by. */

/** Named as Kafka's topic settings; times in milliseconds, which may be as large as a double can tell. */
export interface LogConfig {
  /** segment.bytes */
  readonly segmentBytes: number
  /** segment.ms; for a compacted topic no more than its max.compaction.lag.ms */
  readonly segmentMs: number
  /** segment.jitter.ms */
  readonly segmentJitterMs: number
  /** segment.index.bytes */
  readonly segmentIndexBytes: number
  /** index.interval.bytes */
  readonly indexIntervalBytes: number
  /** file.delete.delay.ms */
  readonly fileDeleteDelayMs: number
}

/** Kafka's own defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4096,
  fileDeleteDelayMs: 60_000
}
