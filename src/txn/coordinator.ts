/**
 * The transaction coordinator: the thin shell around the machine. Every request is decided, recorded and put in force
 * without an await in between; whoever is answered waits only until what the answer rests on is on the disk, where that
 * is wanted. What goes wrong is thrown as the KafkaError to answer with.
 */
import { toldAs } from '../coordination/errors.ts'
import { StatePartitions, type StateTopic } from '../coordination/partitions.ts'
import { KafkaError } from '../protocol/errors.ts'
import { finishFairly } from '../runtime/steps.ts'
import { type EndingPorts, Endings } from './endings.ts'
import {
  addPartitions,
  type EndCommand,
  endTxn,
  fenceAndAbort,
  type InitCommand,
  initProducer,
  isExpired,
  isTimedOut,
  type Producer,
  verifyPartition
} from './machine.ts'
import { TxnPartition } from './partition.ts'
import { isEnding, newTxn, type Txn, type TxnPartitions } from './txn.ts'
import { Upkeep, type UpkeepSettings } from './upkeep.ts'

/** What the broker's settings say. */
export interface TxnSettings extends UpkeepSettings {
  /** `transaction.max.timeout.ms` */
  readonly maxTimeoutMs: number
}

export interface TxnPorts extends EndingPorts {
  /** `__transaction_state` */
  readonly topic: StateTopic
  readonly settings: TxnSettings
  /** An id that nobody ever had. */
  newProducerId(): bigint
}

export interface InitRequest extends Pick<InitCommand, 'timeoutMs' | 'expected'> {
  readonly transactionalId: string
  /** For the operator. */
  readonly client: string
}

export interface EndRequest extends Pick<EndCommand, 'producer' | 'result' | 'clientVersion'> {
  readonly transactionalId: string
  readonly client: string
}

export class TxnCoordinator {
  readonly #ports: TxnPorts
  readonly #partitions: StatePartitions<TxnPartition>
  readonly #endings: Endings
  readonly #upkeep: Upkeep

  constructor(ports: TxnPorts) {
    this.#ports = ports
    this.#endings = new Endings(ports)
    this.#partitions = new StatePartitions(
      ports.topic,
      journal => TxnPartition.load(journal),
      partition => this.#resume(partition)
    )
    this.#upkeep = new Upkeep(ports, {
      abortTimedOut: () => this.#abortTimedOut(),
      removeExpired: () => this.#removeExpired()
    })
  }

  /** Loads all transactional ids, goes on with what was decided and not done, and begins to watch the time. */
  async start(signal?: AbortSignal): Promise<void> {
    await finishFairly(this.#partitions.loadAll(), { clock: this.#ports.clock, signal })
    this.#upkeep.start()
  }

  stop(): void {
    this.#upkeep.stop()
    this.#endings.stop()
    this.#partitions.clear()
  }

  /** The topic of all transactions is gone, and they with it. */
  forgetAll(): void {
    this.#partitions.clear()
  }

  /** All transactional ids that are known. */
  *txns(): Iterable<Txn> {
    for (const partition of this.#partitions) yield* partition.txns.values()
  }

  /** Throws NOT_COORDINATOR. */
  find(transactionalId: string): Txn | undefined {
    return this.#partitions.of(transactionalId).txns.get(transactionalId)
  }

  /**
   * The producer id and epoch that a client goes on with. Fences all who had the transactional id before and aborts what
   * they left open: then CONCURRENT_TRANSACTIONS tells the client to ask again.
   */
  async initProducer({ transactionalId, timeoutMs, expected, client }: InitRequest): Promise<Producer> {
    checkId(transactionalId)
    this.#checkTimeout(timeoutMs)
    const { clock } = this.#ports
    const newProducerId = () => this.#ports.newProducerId()
    const partition = this.#partitions.of(transactionalId)
    const known = partition.txns.get(transactionalId)
    const txn = known ?? newTxn(transactionalId, newProducerId(), timeoutMs, clock.now())
    const next = initProducer(txn, { timeoutMs, expected, newProducerId }, clock.now())
    if (next === 'abort first') {
      await this.#fence(partition, txn, 'another instance asked for its transactional id', client)
      throw new KafkaError('CONCURRENT_TRANSACTIONS', `the transaction of ${transactionalId} has to end first`)
    }
    this.#write(partition, next)
    await partition.journal.settled()
    this.#ports.logger.info(
      { transactionalId, producerId: next.producerId, producerEpoch: next.producerEpoch, client },
      known ? 'a transactional id has a new producer, all before it are fenced' : 'a transactional id is new'
    )
    return next
  }

  /** Takes partitions into the transaction of a producer. */
  async addPartitions(
    transactionalId: string,
    producer: Producer,
    added: TxnPartitions,
    clientVersion: number
  ): Promise<void> {
    const { partition, txn } = this.#known(transactionalId)
    const next = addPartitions(txn, producer, added, clientVersion, this.#ports.clock.now())
    if (next) this.#write(partition, next)
    await partition.journal.settled()
  }

  /** Whether a partition is in the open transaction of a producer. Throws as AddPartitionsToTxn is answered. */
  verify(transactionalId: string, producer: Producer, topic: string, index: number): boolean {
    return verifyPartition(this.#known(transactionalId).txn, producer, topic, index)
  }

  /**
   * Ends a transaction, and gives what the next one goes on with. Where nothing waits for the disk all of it is done
   * when this returns; otherwise the rest follows, as in Kafka.
   */
  async end({ transactionalId, producer, result, clientVersion, client }: EndRequest): Promise<Producer> {
    const { partition, txn } = this.#known(transactionalId)
    const newProducerId = () => this.#ports.newProducerId()
    const next = endTxn(txn, { producer, result, clientVersion, newProducerId }, this.#ports.clock.now())
    if (next) {
      this.#write(partition, next)
      if (result === 'ABORT') this.#tell(txn, next, 'its producer aborted it', client)
      await this.#endings.end(partition, next)
    }
    await partition.journal.settled()
    return partition.txns.get(transactionalId) ?? txn
  }

  #known(transactionalId: string): { partition: TxnPartition; txn: Txn } {
    checkId(transactionalId)
    const partition = this.#partitions.of(transactionalId)
    const txn = partition.txns.get(transactionalId)
    if (!txn)
      throw new KafkaError('INVALID_PRODUCER_ID_MAPPING', `no producer has the transactional id ${transactionalId}`)
    return { partition, txn }
  }

  #checkTimeout(timeoutMs: number): void {
    const { maxTimeoutMs } = this.#ports.settings
    if (timeoutMs > 0 && timeoutMs <= maxTimeoutMs) return
    throw new KafkaError('INVALID_TRANSACTION_TIMEOUT', `${timeoutMs} ms is not between 1 and ${maxTimeoutMs}`)
  }

  #write(partition: TxnPartition, txn: Txn): void {
    try {
      partition.write(txn, this.#ports.transactionVersion())
    } catch (error) {
      throw new KafkaError(toldAs(error), `the state of ${txn.transactionalId} cannot be recorded: ${String(error)}`)
    }
  }

  #fence(partition: TxnPartition, txn: Txn, cause: string, client?: string): Promise<void> {
    const { clock } = this.#ports
    const newProducerId = () => this.#ports.newProducerId()
    const next = fenceAndAbort(txn, this.#ports.transactionVersion(), newProducerId, clock.now())
    this.#write(partition, next)
    this.#tell(txn, next, cause, client)
    return this.#endings.end(partition, next)
  }

  #tell(before: Txn, after: Txn, cause: string, client?: string): void {
    const { transactionalId, producerId, producerEpoch: oldEpoch } = before
    const bindings = { transactionalId, producerId, oldEpoch, newEpoch: after.producerEpoch, ...(client && { client }) }
    this.#ports.logger.info(bindings, `a transaction is aborted: ${cause}`)
  }

  #resume(partition: TxnPartition): void {
    for (const txn of [...partition.txns.values()]) if (isEnding(txn)) void this.#endings.resume(partition, txn)
  }

  #abortTimedOut(): void {
    for (const partition of this.#partitions) {
      for (const txn of [...partition.txns.values()]) {
        if (isTimedOut(txn, this.#ports.clock.now())) this.#abort(partition, txn)
      }
    }
  }

  /** What cannot be recorded now is tried again at the next look. */
  #abort(partition: TxnPartition, txn: Txn): void {
    const failed = (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      this.#ports.logger.warn(
        { err: error, transactionalId: txn.transactionalId },
        'a timed-out transaction stays open'
      )
    }
    try {
      void this.#fence(partition, txn, `it was open for more than ${txn.timeoutMs} ms`)
    } catch (error) {
      failed(error)
    }
  }

  #removeExpired(): void {
    const { clock, settings, logger } = this.#ports
    for (const partition of this.#partitions) {
      const isOld = (txn: Txn) => isExpired(txn, settings.expirationMs, clock.now())
      const expired = [...partition.txns.values()].filter(isOld).map(({ transactionalId }) => transactionalId)
      if (expired.length === 0) continue
      try {
        partition.remove(expired)
        logger.info({ transactionalIds: expired.length }, 'transactional ids that were not used for long are forgotten')
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        logger.warn({ err: error }, 'expired transactional ids cannot be removed')
      }
    }
  }
}

function checkId(transactionalId: string): void {
  if (transactionalId === '') throw new KafkaError('INVALID_REQUEST', 'the transactional id is empty')
}
