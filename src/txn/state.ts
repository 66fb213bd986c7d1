/** The state of one partition of `__transaction_state`: its transactional ids. */
import type { Shard, ShardState } from '../coordinator/shard.ts'
import type { TxnRecord } from './records.ts'
import type { Txn } from './txn.ts'

/** The timer of a transactional id: the next attempt to complete its transaction. */
export type TxnTimer = 'markers'

export type TxnShard = Shard<TxnState, TxnRecord, TxnTimer>

export class TxnState implements ShardState<TxnRecord> {
  readonly #txns = new Map<string, Txn>()

  get txns(): ReadonlyMap<string, Txn> {
    return this.#txns
  }

  apply({ transactionalId, txn }: TxnRecord): void {
    if (txn) this.#txns.set(transactionalId, txn)
    else this.#txns.delete(transactionalId)
  }

  /** Records of this topic are not transactional. */
  endTransaction(): void {}
}
