/** The topic's settings that a log reads: those that the parts of a log name, and those of its cleaning. */
import { rows, type ViewOf } from '../../config/view.ts'
import { FLUSH_ROWS } from './log-sync.ts'
import { REMOVAL_ROWS } from './log-upkeep.ts'
import { SEGMENT_ROWS } from './log-writer.ts'
import { RETENTION_ROWS } from './retention.ts'

export const LOG_ROWS = rows({
  ...SEGMENT_ROWS,
  ...FLUSH_ROWS,
  ...RETENTION_ROWS,
  ...REMOVAL_ROWS,
  preallocate: 'preallocate',
  minCompactionLagMs: 'min.compaction.lag.ms',
  minCleanableDirtyRatio: 'min.cleanable.dirty.ratio',
  deleteRetentionMs: 'delete.retention.ms'
})

/** A live view of them. Times are in milliseconds; "never" is beyond the largest safe integer, or as the row says. */
export type LogConfig = ViewOf<typeof LOG_ROWS>
