/**
 * Transactions during one round of compaction of a log, by Kafka's rules. Data of aborted transactions is removed. A marker may be
 * removed when no data of its transaction is left; the transaction index of the compacted segment then omits the
 * transaction.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { controlTypeOf } from '../../protocol/records/control.ts'
import { recordsOf } from '../../protocol/records/record.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'
import type { BatchRetention, TransactionRetention } from './filter.ts'

/** An aborted transaction whose marker the round has not reached. */
interface OpenAbort {
  readonly aborted: AbortedTxn
  /** Whether the round has read a batch of the transaction. */
  readonly hasData: boolean
}

export class CleanedTransactionMetadata implements TransactionRetention {
  readonly #retained: (aborted: AbortedTxn) => void
  /** Aborted transactions that the round has not reached, by descending first offset. */
  #expected: AbortedTxn[] = []
  readonly #aborts = new Map<bigint, OpenAbort>()
  /** Producers with data since their last marker in transactions that are not aborted. */
  readonly #withData = new Set<bigint>()

  /** `retained` is called for each aborted transaction whose marker is kept, in the order of the markers. */
  constructor(retained: (aborted: AbortedTxn) => void) {
    this.#retained = retained
  }

  /** Begins a segment. `aborted` are the aborted transactions that may have data in it. */
  enter(aborted: Iterable<AbortedTxn>): void {
    this.#expected = [...aborted].sort((a, b) => (a.firstOffset > b.firstOffset ? -1 : 1))
  }

  retentionOf(batch: RecordBatch): BatchRetention {
    if (batch.isLegacy) return 'retain'
    this.#beginUpTo(batch.lastOffset)
    if (batch.isControl) return this.#retentionOfMarker(batch)
    if (!batch.isTransactional) return 'compact'
    const { producerId } = batch
    const open = this.#aborts.get(producerId)
    if (open) this.#aborts.set(producerId, { ...open, hasData: true })
    else this.#withData.add(producerId)
    return open ? 'delete' : 'compact'
  }

  #beginUpTo(offset: bigint): void {
    for (let next = this.#expected.at(-1); next && next.firstOffset <= offset; next = this.#expected.at(-1)) {
      this.#expected.pop()
      // A transaction is listed again for every segment in which it may have data.
      const isBegun = this.#aborts.get(next.producerId)?.aborted.lastOffset === next.lastOffset
      if (!isBegun) this.#aborts.set(next.producerId, { aborted: next, hasData: false })
    }
  }

  /** Retention of a marker. A control batch without records, left by an earlier round, may be removed. */
  #retentionOfMarker(batch: RecordBatch): BatchRetention {
    const { producerId } = batch
    const [record] = recordsOf(batch)
    if (!record) return 'delete'
    switch (controlTypeOf(record.key)) {
      case 'ABORT':
        return this.#retentionOfAbort(producerId)
      case 'COMMIT':
        return this.#withData.delete(producerId) ? 'retain' : 'delete'
      default:
        return 'retain'
    }
  }

  #retentionOfAbort(producerId: bigint): BatchRetention {
    const open = this.#aborts.get(producerId)
    this.#aborts.delete(producerId)
    if (!open?.hasData) return 'delete'
    this.#retained(open.aborted)
    return 'retain'
  }
}
