/** When a log goes on in a new segment: Kafka's five reasons, asked before every append. */
import type { RecordBatch } from '../protocol/records/batch.ts'
import type { LogConfig } from './log-config.ts'
import type { Segment } from './segment.ts'

/** Whether `batch`, which has its final offsets, must not go into the active segment any more. */
export function mustRoll(
  active: Segment,
  batch: RecordBatch,
  config: LogConfig,
  jitterMs: number,
  nowMs: number
): boolean {
  // A new segment would have the same name.
  if (active.size === 0 && active.baseOffset === batch.baseOffset) return false
  if (active.size > config.segmentBytes - batch.bytes.length) return true
  if (active.size > 0 && waitedMs(active, batch, nowMs) > rollMs(config) - jitterMs) return true
  return !active.hasRoomFor(batch.lastOffset, config.segmentIndexBytes)
}

/** A compacted log rolls early enough for its records to be compacted in time. */
function rollMs({ segmentMs, isCompacted, maxCompactionLagMs }: LogConfig): number {
  return isCompacted ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs
}

/** The age of a segment, in the time of its records where they have one. */
function waitedMs(active: Segment, batch: RecordBatch, nowMs: number): number {
  const first = active.firstTimestamp
  return first >= 0n ? Number(batch.maxTimestamp - first) : nowMs - active.createdMs
}
