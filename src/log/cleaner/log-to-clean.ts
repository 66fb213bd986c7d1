/**
 * Kafka's choice of the log to compact and of its dirty part, as a pure decision. The active segment is never compacted, so
 * records become cleanable after a roll.
 */
import type { LogConfig } from '../partition-log/log-config.ts'

/** The properties of a segment that the choice needs. Timestamps are -1 if there is none. */
export interface SegmentFacts {
  readonly baseOffset: bigint
  readonly size: number
  readonly largestTimestamp: { readonly timestamp: bigint }
  /** Largest timestamp of the first batch. */
  readonly firstTimestamp: bigint
}

/** The properties of a log that the choice needs. */
export interface LogFacts {
  /** Oldest first; the last is active. */
  readonly segments: readonly SegmentFacts[]
  readonly logStartOffset: bigint
  readonly logEndOffset: bigint
  readonly lastStableOffset: bigint
  readonly config: LogConfig
}

/** The dirty part of a log. */
export interface LogToClean {
  /** The log is compacted below this offset. */
  readonly firstDirtyOffset: bigint
  /** Base offset of the first segment that is not compacted in this round. */
  readonly firstUncleanableOffset: bigint
  readonly cleanableBytes: number
  /** Cleanable bytes as a share of clean and cleanable bytes, from 0 to 1. */
  readonly ratio: number
  /** Whether the ratio exceeds min.cleanable.dirty.ratio, or max.compaction.lag.ms has passed. */
  readonly isDue: boolean
  /** Whether the cleaner offset is outside the log. */
  readonly hasBadCheckpoint: boolean
}

/** The dirty part of a log. `checkpoint` is its cleaner offset. */
export function logToClean(log: LogFacts, checkpoint: bigint | undefined, nowMs: number): LogToClean {
  const { logStartOffset, logEndOffset, config } = log
  const hasBadCheckpoint = checkpoint !== undefined && (checkpoint < logStartOffset || checkpoint > logEndOffset)
  const firstDirtyOffset = checkpoint === undefined || hasBadCheckpoint ? logStartOffset : checkpoint
  const firstUncleanableOffset = firstUncleanable(log, firstDirtyOffset, nowMs)
  const cleanBytes = bytesOf(log.segments.filter(segment => segment.baseOffset < firstDirtyOffset))
  const cleanableBytes = bytesOf(segmentsBetween(log.segments, firstDirtyOffset, firstUncleanableOffset))
  const ratio = cleanableBytes === 0 ? 0 : cleanableBytes / (cleanBytes + cleanableBytes)
  const isDue = ratio > config.minCleanableDirtyRatio || (cleanableBytes > 0 && isOverdue(log, firstDirtyOffset, nowMs))
  return { firstDirtyOffset, firstUncleanableOffset, cleanableBytes, ratio, isDue, hasBadCheckpoint }
}

/** The due log with the highest dirty ratio. */
export function dirtiest<T extends { readonly toClean: LogToClean }>(candidates: readonly T[]): T | undefined {
  let found: T | undefined
  for (const candidate of candidates) {
    if (candidate.toClean.isDue && candidate.toClean.ratio > (found?.toClean.ratio ?? -1)) found = candidate
  }
  return found
}

/** Segments from the one whose range contains `from` to the last that begins below `upTo`. */
export function segmentsBetween<T extends { readonly baseOffset: bigint }>(
  segments: readonly T[],
  from: bigint,
  upTo: bigint
): T[] {
  if (from >= upTo) return []
  return segments.filter((segment, index) => {
    const end = segments[index + 1]?.baseOffset
    return segment.baseOffset < upTo && (end === undefined || end > from)
  })
}

/**
 * Base offset of the first segment that must not be compacted: the segment that contains the last stable offset or a record
 * younger than min.compaction.lag.ms, or the active segment.
 */
function firstUncleanable(log: LogFacts, firstDirtyOffset: bigint, nowMs: number): bigint {
  const { segments, config, lastStableOffset } = log
  const active = segments.at(-1)?.baseOffset ?? 0n
  const youngest = BigInt(nowMs - config.minCompactionLagMs)
  const full = segmentsBetween(segments, firstDirtyOffset, active)
  const tooYoung = full.find(segment => segment.largestTimestamp.timestamp > youngest)
  const lowest = least(lastStableOffset, active, config.minCompactionLagMs > 0 ? tooYoung?.baseOffset : undefined)
  const limit = lowest > firstDirtyOffset ? lowest : firstDirtyOffset
  return segmentsBetween(segments, limit, active)[0]?.baseOffset ?? active
}

/** Whether a record of the dirty part may be older than max.compaction.lag.ms. */
function isOverdue({ segments, config }: LogFacts, firstDirtyOffset: bigint, nowMs: number): boolean {
  if (config.maxCompactionLagMs >= nowMs) return false
  const latest = BigInt(nowMs - config.maxCompactionLagMs)
  const active = segments.at(-1)?.baseOffset ?? 0n
  return segmentsBetween(segments, firstDirtyOffset, active).some(
    ({ firstTimestamp }) => firstTimestamp > 0n && firstTimestamp < latest
  )
}

function least(first: bigint, ...others: (bigint | undefined)[]): bigint {
  let found = first
  for (const offset of others) if (offset !== undefined && offset < found) found = offset
  return found
}

function bytesOf(segments: readonly SegmentFacts[]): number {
  return segments.reduce((sum, { size }) => sum + size, 0)
}
