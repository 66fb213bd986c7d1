/**
 * The aborted transactions in the response to a READ_COMMITTED fetch. As in Kafka, the list may contain transactions without
 * records in the response.
 */
import type { Segment } from '../segment/segment.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'

/** A read and its log. */
export interface CommittedRead {
  /** Segments from the one that holds the first record. */
  readonly segments: readonly Segment[]
  readonly fetchOffset: bigint
  /** Bytes that were read. */
  readonly length: number
  readonly logEndOffset: bigint
}

/** The aborted transactions that may have records in the read, in the order of their markers. */
export function abortedWithin(read: CommittedRead): AbortedTxn[] {
  return [...abortedBetween(read.segments, read.fetchOffset, upperBoundOf(read))]
}

/**
 * The aborted transactions that may have records at offsets from `from` to below `upTo`, in the order of their markers. A
 * marker may lie after `upTo`, so `segments` are all segments from the one that holds `from`.
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

/** An offset at or after the end of the read, as exact as the offset index allows. */
function upperBoundOf({ segments: [first, second], fetchOffset, length, logEndOffset }: CommittedRead): bigint {
  const start = first?.find(fetchOffset)?.position ?? 0
  return first?.offsetAtPosition(start + length) ?? second?.baseOffset ?? logEndOffset
}
