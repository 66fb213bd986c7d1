/**
 * What one pass over a log knows of the transactions in it, by Kafka's rules: data of aborted ones goes, and a marker
 * may go once nothing is left of the data that it decides about. Then its abort is told to nobody any more.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { controlTypeOf } from '../../protocol/records/control.ts'
import { recordsOf } from '../../protocol/records/record.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'
import type { BatchRetention, TransactionRetention } from './filter.ts'

/** An aborted transaction whose marker has not come yet. */
interface OpenAbort {
  readonly aborted: AbortedTxn
  /** Whether there was a batch of it. */
  readonly hasData: boolean
}

export class CleanedTransactionMetadata implements TransactionRetention {
  readonly #stays: (aborted: AbortedTxn) => void
  /** Those that may begin next, the first one last. */
  #expected: AbortedTxn[] = []
  readonly #aborts = new Map<bigint, OpenAbort>()
  /** Producers that have had data since their last marker, which was not aborted. */
  readonly #withData = new Set<bigint>()

  /** `stays` is told of the aborted transactions whose marker stays, in the order of the markers. */
  constructor(stays: (aborted: AbortedTxn) => void) {
    this.#stays = stays
  }

  /** The next segment comes, into which these aborted transactions reach. */
  enter(aborted: Iterable<AbortedTxn>): void {
    this.#expected = [...aborted].sort((a, b) => (a.firstOffset > b.firstOffset ? -1 : 1))
  }

  retentionOf(batch: RecordBatch): BatchRetention {
    if (batch.isLegacy) return 'stays'
    this.#beginUpTo(batch.lastOffset)
    if (batch.isControl) return this.#retentionOfMarker(batch)
    if (!batch.isTransactional) return 'compacts'
    const { producerId } = batch
    const open = this.#aborts.get(producerId)
    if (open) this.#aborts.set(producerId, { ...open, hasData: true })
    else this.#withData.add(producerId)
    return open ? 'goes' : 'compacts'
  }

  #beginUpTo(offset: bigint): void {
    for (let next = this.#expected.at(-1); next && next.firstOffset <= offset; next = this.#expected.at(-1)) {
      this.#expected.pop()
      // It is told of once more in every segment that it reaches into.
      const isBegun = this.#aborts.get(next.producerId)?.aborted.lastOffset === next.lastOffset
      if (!isBegun) this.#aborts.set(next.producerId, { aborted: next, hasData: false })
    }
  }

  /** A batch of which an earlier round left the header alone decides about nothing. */
  #retentionOfMarker(batch: RecordBatch): BatchRetention {
    const { producerId } = batch
    const [record] = recordsOf(batch)
    if (!record) return 'goes'
    switch (controlTypeOf(record.key)) {
      case 'ABORT':
        return this.#retentionOfAbort(producerId)
      case 'COMMIT':
        return this.#withData.delete(producerId) ? 'stays' : 'goes'
      default:
        return 'stays'
    }
  }

  #retentionOfAbort(producerId: bigint): BatchRetention {
    const open = this.#aborts.get(producerId)
    this.#aborts.delete(producerId)
    if (!open?.hasData) return 'goes'
    this.#stays(open.aborted)
    return 'stays'
  }
}
