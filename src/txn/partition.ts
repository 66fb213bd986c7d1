/**
 * One partition of `__transaction_state`: its transactional ids and their journal. A change is first appended to the journal,
 * then applied in memory; if the append fails, nothing changes.
 */
import { batchesOf } from '../coordinator/batches.ts'
import type { StateJournal } from '../coordinator/journal.ts'
import type { KeyValue } from '../protocol/keyed-record.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import type { Steps } from '../runtime/pace.ts'
import { decodeTxn, encodeTombstone, encodeTxn } from './records.ts'
import type { Txn } from './txn.ts'

export class TxnPartition {
  readonly journal: StateJournal
  readonly #txns = new Map<string, Txn>()

  private constructor(journal: StateJournal) {
    this.journal = journal
  }

  /** Loads a partition. Throws MalformedFrame for an unreadable record: the states of the partition's ids are then unknown. */
  static *load(journal: StateJournal): Steps<TxnPartition> {
    const partition = new TxnPartition(journal)
    yield* journal.replay({ record: record => partition.#restore(record) })
    return partition
  }

  get txns(): ReadonlyMap<string, Txn> {
    return this.#txns
  }

  /** Appends a state and applies it. Throws as StateJournal.append; then nothing has changed. */
  write(txn: Txn, transactionVersion: number): void {
    this.journal.append([encodeTxn(txn, transactionVersion)])
    this.#txns.set(txn.transactionalId, txn)
  }

  /**
   * Writes tombstones, in several batches if necessary. Throws as StateJournal.append; ids of earlier batches are removed then.
   */
  remove(transactionalIds: readonly string[]): void {
    for (const { items, encoded } of batchesOf(transactionalIds, this.journal.maxBatchBytes(), encodeTombstone)) {
      this.journal.append(encoded)
      for (const transactionalId of items) this.#txns.delete(transactionalId)
    }
  }

  /** Removes all ids from memory. Pending operations on them then find that their transaction is not current. */
  forget(): void {
    this.#txns.clear()
  }

  #restore(record: KeyValue): void {
    const decoded = decodeTxn(record)
    if (!decoded) throw new MalformedFrame('__transaction_state holds a record of an unknown type')
    const { transactionalId, txn } = decoded
    if (txn) this.#txns.set(transactionalId, txn)
    else this.#txns.delete(transactionalId)
  }
}
