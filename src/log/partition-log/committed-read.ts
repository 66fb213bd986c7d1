/**
 * What a reader of committed data is told beside the records: the aborted transactions that may have records among
 * them, by Kafka's rule, which may name some more.
 */
import type { Segment } from '../segment/segment.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'

/** The read, and the log that was read. */
export interface CommittedRead {
  /** From the one that holds the first record on. */
  readonly segments: readonly Segment[]
  readonly fetchOffset: bigint
  /** Bytes that were read. */
  readonly length: number
  readonly logEndOffset: bigint
}

/** The aborted transactions that reach into what was read, in the order of their markers. */
export function abortedWithin(read: CommittedRead): AbortedTxn[] {
  return [...abortedBetween(read.segments, read.fetchOffset, upperBoundOf(read))]
}

/**
 * The aborted transactions that reach into the offsets from `from` to before `upTo`, in the order of their markers.
 * Their markers may lie later: the segments are all from the one that holds `from` on.
 */
export function* abortedBetween(
  segments: readonly Segment[],
  from: bigint,
  upTo: bigint
): Generator<AbortedTxn, undefined> {
  for (const segment of segments) {
    for (const aborted of segment.abortedFrom(from)) {
      if (aborted.firstOffset < upTo) yield aborted
      if (aborted.lastStableOffset >= upTo) return
    }
  }
}

/** An offset at or after the end of what was read, as near as the index tells. */
function upperBoundOf({ segments: [first, second], fetchOffset, length, logEndOffset }: CommittedRead): bigint {
  const start = first?.find(fetchOffset)?.position ?? 0
  return first?.offsetAtPosition(start + length) ?? second?.baseOffset ?? logEndOffset
}
