/** When a log goes on in a new segment: Kafka's five reasons, asked before every append. */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { Random } from '../../runtime/random.ts'
import type { Segment } from '../segment/segment.ts'
import type { LogConfig } from './log-config.ts'

export class RollPolicy {
  readonly #random: Random
  /** So much earlier than segment.ms the active segment is rolled. */
  #jitterMs = 0

  constructor(random: Random, config: LogConfig) {
    this.#random = random
    this.rolled(config)
  }

  /** A new segment begins: it is given a jitter of its own. */
  rolled({ segmentJitterMs, segmentMs }: LogConfig): void {
    this.#jitterMs = segmentJitterMs === 0 ? 0 : this.#random.below(Math.min(segmentJitterMs, segmentMs))
  }

  /** Whether `batch`, which has its final offsets, must not go into the active segment any more. */
  mustRoll(active: Segment, batch: RecordBatch, config: LogConfig, nowMs: number): boolean {
    // A new segment would have the same name.
    if (active.size === 0 && active.baseOffset === batch.baseOffset) return false
    if (active.size > config.segmentBytes - batch.bytes.length) return true
    if (active.size > 0 && waitedMs(active, batch, nowMs) > rollMs(config) - this.#jitterMs) return true
    return !active.hasRoomFor(batch.lastOffset, config.segmentIndexBytes)
  }
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
