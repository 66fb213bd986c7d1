/** The port through which a replica follows its log: producer state, high watermark, delayed fetches. */
import type { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'

/** Observer of a log. The observer is created before the log. */
export interface BatchObserver {
  /**
   * Called for each appended batch, with its final offsets. The bytes belong to the caller of `append`. Returns the
   * transaction that the batch aborts, if it is an abort marker of one.
   */
  observed(batch: RecordBatch): AbortedTxn | undefined
  /** First unstable offset below `highWatermark`, which limits the last stable offset; undefined if there is none. */
  firstUnstableOffset(highWatermark: bigint): bigint | undefined
  /** Called when a sync has moved the flush limit. */
  flushed(): void
  /** Called when the disk fails or the partition is deleted. Rejects waits with `why` and completes delayed fetches. */
  offline(why: KafkaError): void
  /** Whether a batch is the last one of its producer. Compaction keeps such a batch even without records. */
  isLastOfProducer(batch: RecordBatch): boolean
  /** Called when a new segment begins at `baseOffset`, before its first batch is observed. */
  rolled(baseOffset: bigint): void
  /** Called when the log is closed and on disk up to `endOffset`. A rejection makes the shutdown unclean. */
  closing(endOffset: bigint): Promise<void>
}
