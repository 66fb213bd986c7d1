/** Aborts timed-out transactions and removes expired transactional ids. */
import type { Settings } from '../config/settings.ts'
import { rows, type ViewOf } from '../config/view.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { BackgroundLoops } from '../runtime/background.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Steps } from '../runtime/pace.ts'
import type { Clocks } from '../runtime/time.ts'
import { isExpired, isTimedOut } from './machine.ts'
import type { TxnPartition } from './partition.ts'
import type { Txn } from './txn.ts'

const EXPIRATION_ROWS = rows({
  abortIntervalMs: 'transaction.abort.timed.out.transaction.cleanup.interval.ms',
  removeIntervalMs: 'transaction.remove.expired.transaction.cleanup.interval.ms',
  expirationMs: 'transactional.id.expiration.ms'
})

interface TransactionExpirationPorts {
  readonly clocks: Clocks
  readonly logger: Logger
  readonly settings: Settings
  readonly background: BackgroundLoops
}

/** Aborts an open transaction. Throws a KafkaError if the decision cannot be written. */
export type Abort = (partition: TxnPartition, txn: Txn, cause: string) => void

export class TransactionExpiration {
  readonly #ports: TransactionExpirationPorts
  readonly #settings: ViewOf<typeof EXPIRATION_ROWS>
  readonly #partitions: Iterable<TxnPartition>
  readonly #abort: Abort

  constructor(ports: TransactionExpirationPorts, partitions: Iterable<TxnPartition>, abort: Abort) {
    this.#ports = ports
    this.#settings = ports.settings.view(EXPIRATION_ROWS)
    this.#partitions = partitions
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
    for (const partition of this.#partitions) {
      for (const txn of partition.txns.values()) {
        if (isTimedOut(txn, this.#ports.clocks.wall.now()) && !this.#abortIn(partition, txn)) break
        yield
      }
    }
  }

  /** Returns false if the journal refuses the record; it then refuses records of the partition's other transactions, too. */
  #abortIn(partition: TxnPartition, txn: Txn): boolean {
    const cause = `it was open for more than ${txn.timeoutMs} ms`
    return this.#orLater(() => this.#abort(partition, txn, cause), 'a timed-out transaction stays open', txn)
  }

  *#removeExpired(): Steps {
    const { clocks, logger } = this.#ports
    for (const partition of this.#partitions) {
      const isOld = (txn: Txn) => isExpired(txn, this.#settings.expirationMs, clocks.wall.now())
      const transactionalIds = [...partition.txns.values()].filter(isOld).map(({ transactionalId }) => transactionalId)
      if (transactionalIds.length === 0) continue
      this.#orLater(() => {
        partition.remove(transactionalIds)
        logger.info({ count: transactionalIds.length }, 'transactional ids that were not used for long are forgotten')
      }, 'expired transactional ids cannot be removed')
      yield
    }
  }

  /** Runs `act` and returns true. A KafkaError is logged and returns false: the next run of the background loop tries again. */
  #orLater(act: () => void, failure: string, txn?: Txn): boolean {
    try {
      act()
      return true
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#ports.logger.warn({ err: error, ...(txn && { transactionalId: txn.transactionalId }) }, failure)
      return false
    }
  }
}
