/**
 * Kafka's retention rules as a pure decision: which of the oldest segments to delete. Segments above the high watermark and
 * an empty active segment are kept.
 */

import { derived, rows, type ViewOf } from '../../config/view.ts'
import type { SegmentDeletionReason } from '../../events/log-events.ts'
import type { TimestampOffset } from '../segment/time-index.ts'

/** Negative limits mean no limit. */
export const RETENTION_ROWS = rows({
  isDeleted: derived(['cleanup.policy'], policy => policy.includes('delete')),
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes'
})

/** The properties of a segment that retention needs. */
export interface AgingSegment {
  readonly baseOffset: bigint
  /** In bytes. */
  readonly size: number
  readonly largestTimestamp: TimestampOffset
  /** Modification time of the `.log`: the age of a segment without timestamps counts from it. */
  readonly modifiedMs: number
}

/** The properties of a log that retention needs. */
export interface AgingLog {
  /** Oldest first; the last is active. */
  readonly segments: readonly AgingSegment[]
  readonly config: ViewOf<typeof RETENTION_ROWS>
  readonly logStartOffset: bigint
  readonly logEndOffset: bigint
  readonly highWatermark: bigint
  readonly nowMs: number
}

/** Number of the oldest segments to delete now, and the reason. The caller asks again after the deletion. */
export interface OldSegments {
  readonly count: number
  readonly reason: SegmentDeletionReason
}

/** Limit of segments per decision: while their files are renamed, all other work waits. */
const MOST_AT_ONCE = 20

type IsOld = (segment: AgingSegment, next: AgingSegment | undefined) => boolean

/** Segments to delete by the first rule that applies: log start offset, retention.bytes, retention.ms. */
export function oldSegments(log: AgingLog): OldSegments | undefined {
  const { config, logStartOffset } = log
  return (
    goingWhile(log, { cause: 'log start offset', limit: logStartOffset }, beforeStart(log)) ??
    (config.isDeleted && config.retentionBytes >= 0
      ? goingWhile(log, { cause: 'retention.bytes', limit: config.retentionBytes }, beyondSize(log))
      : undefined) ??
    (config.isDeleted && config.retentionMs >= 0
      ? goingWhile(log, { cause: 'retention.ms', limit: config.retentionMs }, beyondTime(log))
      : undefined)
  )
}

function goingWhile(log: AgingLog, reason: SegmentDeletionReason, isOld: IsOld): OldSegments | undefined {
  const { segments, highWatermark, logEndOffset } = log
  let count = 0
  for (const segment of segments.slice(0, MOST_AT_ONCE)) {
    const next = segments[count + 1]
    if (!next && segment.size === 0) break
    if (highWatermark < (next?.baseOffset ?? logEndOffset) || !isOld(segment, next)) break
    count++
  }
  return count === 0 ? undefined : { count, reason }
}

function beforeStart({ logStartOffset }: AgingLog): IsOld {
  return (_, next) => next !== undefined && next.baseOffset <= logStartOffset
}

/** As in Kafka, a segment is deleted only if the rest of the log is still at least retention.bytes large. */
function beyondSize({ segments, config }: AgingLog): IsOld {
  let excess = segments.reduce((sum, { size }) => sum + size, -config.retentionBytes)
  return ({ size }) => {
    if (excess < size || excess < 0) return false
    excess -= size
    return true
  }
}

/** A segment whose largest timestamp is in the future does not expire. */
function beyondTime({ config, nowMs }: AgingLog): IsOld {
  return segment => {
    const { timestamp } = segment.largestTimestamp
    return nowMs - (timestamp >= 0n ? Number(timestamp) : segment.modifiedMs) > config.retentionMs
  }
}
