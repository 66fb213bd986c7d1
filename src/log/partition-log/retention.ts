/**
 * Which segments of a log are too old to stay: Kafka's rules of retention, decided without touching anything. They go
 * from the oldest on, never beyond the high watermark, and an empty active segment never goes.
 */

import { derived, rows, type ViewOf } from '../../config/view.ts'
import type { TimestampOffset } from '../segment/time-index.ts'

/** Limits below 0 are none. */
export const RETENTION_ROWS = rows({
  isDeleted: derived(['cleanup.policy'], policy => policy.includes('delete')),
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes'
})

/** What retention looks at in a segment. */
export interface AgingSegment {
  readonly baseOffset: bigint
  /** In bytes. */
  readonly size: number
  readonly largestTimestamp: TimestampOffset
  /** When the `.log` was last written to: the age of a segment without timestamps. */
  readonly modifiedMs: number
}

/** A log as retention sees it. */
export interface AgingLog {
  /** Oldest first; the last one is written to. */
  readonly segments: readonly AgingSegment[]
  readonly config: ViewOf<typeof RETENTION_ROWS>
  readonly logStartOffset: bigint
  readonly logEndOffset: bigint
  readonly highWatermark: bigint
  readonly nowMs: number
}

/** So many of the oldest segments go now, and why. Whoever has seen to it asks again: there may be more. */
export interface OldSegments {
  readonly count: number
  readonly reason: string
}

/** Renaming the files of more of them would keep everyone else waiting. */
const MOST_AT_ONCE = 20

type IsOld = (segment: AgingSegment, next: AgingSegment | undefined) => boolean

/** The first rule that lets segments go: what lies before the log start, then size, then time. */
export function oldSegments(log: AgingLog): OldSegments | undefined {
  const { config, logStartOffset } = log
  return (
    goingWhile(log, `all before the log start ${logStartOffset} is deleted`, beforeStart(log)) ??
    (config.isDeleted && config.retentionBytes >= 0
      ? goingWhile(log, `the log is larger than retention.bytes ${config.retentionBytes}`, beyondSize(log))
      : undefined) ??
    (config.isDeleted && config.retentionMs >= 0
      ? goingWhile(log, `older than retention.ms ${config.retentionMs}`, beyondTime(log))
      : undefined)
  )
}

function goingWhile(log: AgingLog, reason: string, isOld: IsOld): OldSegments | undefined {
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

/** As in Kafka a log keeps the segment by which it comes down to the limit exactly or passes it. */
function beyondSize({ segments, config }: AgingLog): IsOld {
  let excess = segments.reduce((sum, { size }) => sum + size, -config.retentionBytes)
  return ({ size }) => {
    if (excess < size || excess < 0) return false
    excess -= size
    return true
  }
}

/** A timestamp in the future is never old. */
function beyondTime({ config, nowMs }: AgingLog): IsOld {
  return segment => {
    const { timestamp } = segment.largestTimestamp
    return nowMs - (timestamp >= 0n ? Number(timestamp) : segment.modifiedMs) > config.retentionMs
  }
}
