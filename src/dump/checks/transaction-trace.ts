/**
 * The transactions of one partition, from its batches in log order. Retention and compaction may have removed batches of a
 * transaction, so a marker may come without data.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { readEndTxnMarker, type TxnResult } from '../../protocol/records/control.ts'

/** An open or completed transaction. */
export interface TracedTxn {
  readonly producerId: bigint
  /** Epoch of the data; of the marker if there is no data. */
  readonly producerEpoch: number
  /** First offset of the data; undefined without data. */
  readonly firstOffset: bigint | undefined
  /** Offset of the marker; of the last data while the transaction is open. */
  readonly lastOffset: bigint
  readonly recordsCount: number
  /** Undefined while the transaction is open. */
  readonly result: TxnResult | undefined
  readonly beganMs: bigint
  readonly lastMs: bigint
}

/** The limit of open transactions, above the number in any log of a broker. The oldest transaction above it is dropped. */
const MOST_OPEN = 100_000

export class TransactionTrace {
  /** By producer id, in the order of first offsets. */
  readonly #open = new Map<bigint, TracedTxn>()

  /** The open transactions, oldest first. */
  get open(): Iterable<TracedTxn> {
    return this.#open.values()
  }

  openOf(producerId: bigint): TracedTxn | undefined {
    return this.#open.get(producerId)
  }

  /** Adds the next batch. Returns the transaction that it completes. Throws the errors of `readEndTxnMarker`. */
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
