/** Aborts timed-out transactions and removes expired transactional ids. */
import type { Settings } from '../config/settings.ts'
import { rows, type ViewOf } from '../config/view.ts'
import type { Event, Events } from '../events/event.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { BackgroundLoops } from '../runtime/background.ts'
import type { Steps } from '../runtime/pace.ts'
import type { Clocks } from '../runtime/time.ts'
import { isExpired, isTimedOut } from './machine.ts'
import { tombstone } from './records.ts'
import type { TxnShard } from './state.ts'
import type { Txn } from './txn.ts'

const EXPIRATION_ROWS = rows({
  abortIntervalMs: 'transaction.abort.timed.out.transaction.cleanup.interval.ms',
  removeIntervalMs: 'transaction.remove.expired.transaction.cleanup.interval.ms',
  expirationMs: 'transactional.id.expiration.ms'
})

interface TransactionExpirationPorts {
  readonly clocks: Clocks
  readonly events: Events
  readonly settings: Settings
  readonly background: BackgroundLoops
}

/** Aborts a timed-out transaction. Throws a KafkaError if the decision cannot be written. */
export type Abort = (shard: TxnShard, txn: Txn) => void

export class TransactionExpiration {
  readonly #ports: TransactionExpirationPorts
  readonly #settings: ViewOf<typeof EXPIRATION_ROWS>
  readonly #shards: Iterable<TxnShard>
  readonly #abort: Abort

  constructor(ports: TransactionExpirationPorts, shards: Iterable<TxnShard>, abort: Abort) {
    this.#ports = ports
    this.#settings = ports.settings.view(EXPIRATION_ROWS)
    this.#shards = shards
    this.#abort = abort
  }

  start(): void {
    const { background } = this.#ports
    background.start({
      name: 'transaction timeouts',
      delayMs: () => this.#settings.abortIntervalMs,
      work: () => this.#abortTimedOut()
    })
    background.start({
      name: 'expiration of transactional ids',
      delayMs: () => this.#settings.removeIntervalMs,
      work: () => this.#removeExpired()
    })
  }

  *#abortTimedOut(): Steps {
    for (const shard of [...this.#shards]) {
      for (const txn of shard.state.txns.values()) {
        if (!shard.isLoaded) break
        if (isTimedOut(txn, this.#ports.clocks.wall.now()) && !this.#abortIn(shard, txn)) break
        yield
      }
    }
  }

  /** Returns false if the log refuses the record. The log then also refuses records of the shard's other transactions. */
  #abortIn(shard: TxnShard, txn: Txn): boolean {
    const { transactionalId } = txn
    return this.#orLater(
      () => this.#abort(shard, txn),
      error => ({ type: 'TransactionAbortFailed', transactionalId, error })
    )
  }

  *#removeExpired(): Steps {
    const { clocks, events } = this.#ports
    for (const shard of [...this.#shards]) {
      if (!shard.isLoaded) continue
      const isOld = (txn: Txn) => isExpired(txn, this.#settings.expirationMs, clocks.wall.now())
      const expired = [...shard.state.txns.values()].filter(isOld)
      this.#orLater(
        () => shard.commitInParts(expired.map(({ transactionalId }) => tombstone(transactionalId))),
        error => ({ type: 'TransactionalIdExpirationFailed', error })
      )
      for (const { transactionalId, producerId } of expired) {
        if (shard.state.txns.has(transactionalId)) continue
        events.emit({ type: 'TransactionalIdExpired', transactionalId, producerId })
      }
      yield
    }
  }

  /** Runs `act` and returns true. A KafkaError emits an event and returns false: the next run of the loop tries again. */
  #orLater(act: () => void, failure: (error: KafkaError) => Event): boolean {
    try {
      act()
      return true
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#ports.events.emit(failure(error))
      return false
    }
  }
}
