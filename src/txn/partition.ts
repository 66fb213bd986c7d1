/**
 * One partition of `__transaction_state`: the transactional ids it holds, and the journal that they came from and go to.
 * Memory follows the journal: what cannot be written does not happen.
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

  /** Loads a partition. Throws MalformedFrame when a record cannot be understood: nothing can be said of its ids then. */
  static *load(journal: StateJournal): Steps<TxnPartition> {
    const partition = new TxnPartition(journal)
    yield* journal.replay({ record: record => partition.#restore(record) })
    return partition
  }

  get txns(): ReadonlyMap<string, Txn> {
    return this.#txns
  }

  /** Records a state, which holds from now on. Throws as StateJournal.append, and then nothing has changed. */
  write(txn: Txn, transactionVersion: number): void {
    this.journal.append([encodeTxn(txn, transactionVersion)])
    this.#txns.set(txn.transactionalId, txn)
  }

  /** Removes ids, in as many batches as it takes. Throws as StateJournal.append; those of the batches before are gone then. */
  remove(transactionalIds: readonly string[]): void {
    for (const { items, encoded } of batchesOf(transactionalIds, this.journal.maxBatchBytes(), encodeTombstone)) {
      this.journal.append(encoded)
      for (const transactionalId of items) this.#txns.delete(transactionalId)
    }
  }

  /** Lets go of all ids: whoever still works on one of them finds it gone. */
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
