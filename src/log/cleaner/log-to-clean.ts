/**
 * Which log is compacted next, and which part of it is new: Kafka's choice, by numbers alone. The active segment is
 * never touched, so records come up for compaction when their segment is full.
 */
import type { LogConfig } from '../partition-log/log-config.ts'

/** What the choice looks at of a segment. Timestamps are -1 where there is none. */
export interface SegmentFacts {
  readonly baseOffset: bigint
  readonly size: number
  readonly largestTimestamp: { readonly timestamp: bigint }
  /** Of the first batch. */
  readonly firstTimestamp: bigint
}

/** What the choice looks at of a log. */
export interface LogFacts {
  /** Oldest first, the active one last. */
  readonly segments: readonly SegmentFacts[]
  readonly logStartOffset: bigint
  readonly logEndOffset: bigint
  readonly lastStableOffset: bigint
  readonly config: LogConfig
}

/** How dirty a log is. */
export interface LogToClean {
  /** What lies before was compacted already. */
  readonly firstDirtyOffset: bigint
  /** Where the first segment begins that is not compacted now. */
  readonly firstUncleanableOffset: bigint
  readonly cleanableBytes: number
  /** The part of cleanable bytes in all that is or can be clean, from 0 to 1. */
  readonly ratio: number
  /** Whether it is worth a round, or has waited for as long as it may. */
  readonly isDue: boolean
  /** Whether what the checkpoint says cannot be. */
  readonly hasBadCheckpoint: boolean
}

/** How dirty a log is, of which `checkpoint` says up to where it was compacted. */
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

/** The dirtiest of those that are due. */
export function dirtiest<T extends { readonly toClean: LogToClean }>(candidates: readonly T[]): T | undefined {
  let found: T | undefined
  for (const candidate of candidates) {
    if (candidate.toClean.isDue && candidate.toClean.ratio > (found?.toClean.ratio ?? -1)) found = candidate
  }
  return found
}

/** Segments from the one that holds `from`, or would, to the last that begins before `upTo`. */
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

/** Whole segments only: where a limit falls into one, that one is not touched. */
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

/** Whether a record that is not compacted yet may have waited for longer than max.compaction.lag.ms. */
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
