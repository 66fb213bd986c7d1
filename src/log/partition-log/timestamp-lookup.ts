/** Which record a time leads to, over the segments of a log (KIP-79, KIP-734). */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { RecordWalker } from '../../protocol/records/record.ts'
import type { Segment } from '../segment/segment.ts'

/** A record's offset and timestamp, and the leader epoch of its batch: -1 when it has none. */
export interface RecordTime {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly leaderEpoch: number
}

/**
 * The first record at or after `startOffset` whose timestamp is `timestamp` or later. As in Kafka only the first segment
 * that reaches the timestamp is looked into.
 */
export function findByTimestamp(
  segments: readonly Segment[],
  timestamp: bigint,
  startOffset: bigint
): RecordTime | undefined {
  const segment = segments.find(({ largestTimestamp }) => largestTimestamp.timestamp >= timestamp)
  if (!segment) return undefined
  for (const { batch } of segment.batchesFromTime(timestamp, startOffset)) {
    if (batch.isLegacy || batch.maxTimestamp < timestamp || batch.lastOffset < startOffset) continue
    const found = firstRecord(batch, record => record.timestamp >= timestamp && record.offset >= startOffset)
    if (found) return found
  }
  return undefined
}

/** The first record that has the largest timestamp of the log. */
export function findMaxTimestamp(segments: readonly Segment[]): RecordTime | undefined {
  const [first, ...others] = segments
  if (!first) return undefined
  const later = (best: Segment, segment: Segment) =>
    segment.largestTimestamp.timestamp > best.largestTimestamp.timestamp ? segment : best
  const segment = others.reduce(later, first)
  const { timestamp, offset } = segment.largestTimestamp
  for (const { batch } of segment.batchesFrom(offset)) {
    if (batch.isLegacy || batch.maxTimestamp !== timestamp) continue
    return firstRecord(batch, record => record.timestamp === timestamp)
  }
  return undefined
}

function firstRecord(batch: RecordBatch, matches: (record: RecordTime) => boolean): RecordTime | undefined {
  const walker = new RecordWalker(batch)
  const { baseOffset, partitionLeaderEpoch } = batch
  while (walker.next()) {
    const offset = baseOffset + BigInt(walker.offsetDelta)
    const record = { offset, timestamp: BigInt(walker.timestamp), leaderEpoch: partitionLeaderEpoch }
    if (matches(record)) return record
  }
  return undefined
}
