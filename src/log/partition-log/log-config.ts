/** The topic's settings that the log of a partition reads. */
import { derived, rows, type ViewOf } from '../../config/view.ts'

/** Times are in milliseconds; "never" is beyond the largest safe integer, or as the row says. */
export const LOG_ROWS = rows({
  /** A test may set a size below the minimum of `segment.bytes`. */
  segmentBytes: derived(['internal.segment.bytes', 'segment.bytes'], (internalBytes, bytes) => internalBytes ?? bytes),
  segmentMs: 'segment.ms',
  segmentJitterMs: 'segment.jitter.ms',
  segmentIndexBytes: 'segment.index.bytes',
  indexIntervalBytes: 'index.interval.bytes',
  fileDeleteDelayMs: 'file.delete.delay.ms',
  preallocate: 'preallocate',
  /** Old segments are deleted by age and size. */
  isDeleted: derived(['cleanup.policy'], policy => policy.includes('delete')),
  /** Of each key the last record stays. */
  isCompacted: derived(['cleanup.policy'], policy => policy.includes('compact')),
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes',
  flushMessages: 'flush.messages',
  flushMs: 'flush.ms',
  minCompactionLagMs: 'min.compaction.lag.ms',
  maxCompactionLagMs: 'max.compaction.lag.ms',
  minCleanableDirtyRatio: 'min.cleanable.dirty.ratio',
  deleteRetentionMs: 'delete.retention.ms'
})

/** A live view of them. */
export type LogConfig = ViewOf<typeof LOG_ROWS>
