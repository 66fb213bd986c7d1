/**
 * The transactions of one partition, found in its batches from the first to the last. What retention and compaction
 * have left of a transaction is all that is known of it: a marker may come without data.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { readEndTxnMarker, type TxnResult } from '../../protocol/records/control.ts'

/** A transaction as far as it has gone. */
export interface TracedTxn {
  readonly producerId: bigint
  /** That of its data; of its marker where there is no data. */
  readonly producerEpoch: number
  /** Of the first batch with data. */
  readonly firstOffset: bigint | undefined
  /** Of the marker, or of the last data while there is none. */
  readonly lastOffset: bigint
  readonly recordsCount: number
  /** Undefined while it is open. */
  readonly result: TxnResult | undefined
  readonly beganMs: bigint
  readonly lastMs: bigint
}

/** More than these are not open at once in any log that a broker wrote; the oldest are forgotten. */
const MOST_OPEN = 100_000

export class TransactionTrace {
  /** By producer, in the order of their first offsets. */
  readonly #open = new Map<bigint, TracedTxn>()

  /** Those that have not ended, the oldest first. */
  get open(): Iterable<TracedTxn> {
    return this.#open.values()
  }

  openOf(producerId: bigint): TracedTxn | undefined {
    return this.#open.get(producerId)
  }

  /** Takes in the next batch. Returns the transaction that it ends. Throws as `readEndTxnMarker`. */
  add(batch: RecordBatch): TracedTxn | undefined {
    if (batch.isLegacy || !batch.isTransactional) return undefined
    if (batch.isControl) return this.#end(batch)
    const { producerId, lastOffset, maxTimestamp: lastMs } = batch
    const txn = this.#open.get(producerId) ?? begun(batch)
    const recordsCount = txn.recordsCount + batch.recordsCount
    this.#open.set(producerId, { ...txn, lastOffset, recordsCount, lastMs })
    this.#forgetOldest()
    return undefined
  }

  #end(batch: RecordBatch): TracedTxn | undefined {
    const marker = readEndTxnMarker(batch)
    if (!marker) return undefined
    const { producerId, result, timestamp } = marker
    const txn = this.#open.get(producerId) ?? { ...begun(batch), firstOffset: undefined, beganMs: timestamp }
    this.#open.delete(producerId)
    return { ...txn, lastOffset: batch.lastOffset, result, lastMs: timestamp }
  }

  #forgetOldest(): void {
    if (this.#open.size <= MOST_OPEN) return
    for (const oldest of this.#open.keys()) {
      this.#open.delete(oldest)
      return
    }
  }
}

function begun({ producerId, producerEpoch, baseOffset, lastOffset, maxTimestamp }: RecordBatch): TracedTxn {
  const time = { beganMs: maxTimestamp, lastMs: maxTimestamp }
  return { producerId, producerEpoch, firstOffset: baseOffset, lastOffset, recordsCount: 0, result: undefined, ...time }
}
