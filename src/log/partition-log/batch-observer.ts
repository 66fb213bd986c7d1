/** The port by which others follow what is appended to a log; the log knows nothing of them. */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'

/** Who follows a log: the state of its producers, and those who wait for its records. */
export interface BatchObserver {
  /**
   * A batch was appended and has its final offsets. Its bytes belong to the caller of `append`. Returns the transaction
   * that it aborts, if it does.
   */
  observed(batch: RecordBatch): AbortedTxn | undefined
  /** The first offset that readers of committed data must not pass, when they may see what lies before `highWatermark`. */
  firstUnstableOffset(highWatermark: bigint): bigint | undefined
  /** So many bytes more lie before the high watermark. */
  arrived(bytes: number): void
  /** The disk has failed or the partition is deleted: there is nothing to wait for any more. */
  offline(): void
  /** Whether compaction must leave a trace of a batch: the last that is known of its producer. */
  isLastOfProducer(batch: RecordBatch): boolean
  /** A new segment begins at `baseOffset`, of which nothing has been observed yet. */
  rolled(baseOffset: bigint): void
  /** The log is on the disk up to its end and gets no more. Where this rejects, it has not been closed clean. */
  closing(endOffset: bigint): Promise<void>
}
