/** The port by which others follow what is appended to a log; the log knows nothing of them. */
import type { RecordBatch } from '../protocol/records/batch.ts'

/** Who follows a log's batches: the state of its producers, for one. */
export interface BatchObserver {
  /** A batch was appended and has its final offsets. Its bytes belong to the caller of `append`. */
  observed(batch: RecordBatch): void
  /** A new segment begins at `baseOffset`, of which nothing has been observed yet. */
  rolled(baseOffset: bigint): void
  /** The log is on the disk up to its end and gets no more. Where this rejects, it has not been closed clean. */
  closing(endOffset: bigint): Promise<void>
}
