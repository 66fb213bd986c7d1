/** The topic configs that a log and its compaction read. */
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

/**
 * A live view of the configs. Times are in milliseconds. A value above the largest safe integer means "never", unless the row
 * defines another value for it.
 */
export type LogConfig = ViewOf<typeof LOG_ROWS>
