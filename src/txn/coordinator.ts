/**
 * The transaction coordinator: the thin shell around the machine. Every request is decided, recorded and put in force
 * without an await in between; whoever is answered waits only until what the answer rests on is on the disk, where that
 * is wanted. What goes wrong is thrown as the KafkaError to answer with.
 */
import type { Settings } from '../config/settings.ts'
import { rows } from '../config/view.ts'
import { coordinatorError } from '../coordinator/errors.ts'
import { StatePartitions, type StateTopic } from '../coordinator/partitions.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { BackgroundLoops } from '../runtime/background.ts'
import { runYielding } from '../runtime/pace.ts'
import { TransactionExpiration } from './expiration.ts'
import {
  addPartitions,
  type EndCommand,
  endTxn,
  fenceAndAbort,
  type InitCommand,
  initProducer,
  type Producer,
  verifyPartition
} from './machine.ts'
import { type TransactionMarkerPorts, TransactionMarkers } from './markers.ts'
import { TxnPartition } from './partition.ts'
import { isEnding, newTxn, type Txn, type TxnPartitions } from './txn.ts'

const TIMEOUT_ROWS = rows({ maxTimeoutMs: 'transaction.max.timeout.ms' })

export interface TxnPorts extends TransactionMarkerPorts {
  /** `__transaction_state` */
  readonly topic: StateTopic
  readonly settings: Settings
  readonly background: BackgroundLoops
  /** An id that nobody ever had. */
  readonly newProducerId: () => bigint
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
  readonly #markers: TransactionMarkers
  readonly #expiration: TransactionExpiration
  #stopped = false

  constructor(ports: TxnPorts) {
    this.#ports = ports
    this.#markers = new TransactionMarkers(ports)
    this.#partitions = new StatePartitions(
      ports.topic,
      journal => TxnPartition.load(journal),
      partition => this.#resume(partition)
    )
    this.#expiration = new TransactionExpiration(ports, this.#partitions, (partition, txn, cause) =>
      this.#markers.endInBackground(partition, this.#fence(partition, txn, cause))
    )
  }

  /** Loads all transactional ids, goes on with what was decided and not done, and begins to watch the time. */
  async start(signal?: AbortSignal): Promise<void> {
    await runYielding(this.#partitions.loadAll(), { clocks: this.#ports.clocks, signal })
    this.#expiration.start()
  }

  /** Requests are answered with COORDINATOR_NOT_AVAILABLE from now on. What is decided and not done waits for the next start. */
  stop(): void {
    this.#stopped = true
    this.#markers.stop()
    this.#forgetAll()
  }

  /** Forgets all transactional ids if __transaction_state was deleted. */
  topicsDeleted(topics: readonly { readonly name: string }[]): void {
    if (topics.some(({ name }) => name === this.#ports.topic.topic)) this.#forgetAll()
  }

  /** All transactional ids that are known. */
  *txns(): Iterable<Txn> {
    for (const partition of this.#partitions) yield* partition.txns.values()
  }

  /** Throws NOT_COORDINATOR. */
  find(transactionalId: string): Txn | undefined {
    return this.#partitionOf(transactionalId).txns.get(transactionalId)
  }

  /**
   * The producer id and epoch that a client goes on with. Fences all who had the transactional id before and aborts what
   * they left open: then CONCURRENT_TRANSACTIONS tells the client to ask again.
   */
  initProducer({ transactionalId, timeoutMs, expected, client }: InitRequest): Promise<Producer> {
    return this.#operation(transactionalId, async partition => {
      this.#checkTimeout(timeoutMs)
      const { clocks, newProducerId } = this.#ports
      const existing = partition.txns.get(transactionalId)
      const txn = existing ?? newTxn(transactionalId, newProducerId(), timeoutMs, clocks.wall.now())
      const next = initProducer(txn, { timeoutMs, expected, newProducerId }, clocks.wall.now())
      if (next === 'abort first') {
        await this.#markers.end(partition, this.#fence(partition, txn, ANOTHER_INSTANCE, client))
        throw new KafkaError('CONCURRENT_TRANSACTIONS', `the transaction of ${transactionalId} has to end first`)
      }
      this.#write(partition, next)
      this.#log(txn, next, existing ? (expected ? GOES_ON : FENCED) : NEW_ID, client)
      return next
    })
  }

  /** Takes partitions into the transaction of a producer. */
  addPartitions(transactionalId: string, producer: Producer, added: TxnPartitions, clientVersion: number) {
    return this.#operation(transactionalId, partition => {
      const txn = requireTxn(partition, transactionalId)
      const next = addPartitions(txn, producer, added, clientVersion, this.#ports.clocks.wall.now())
      if (next) this.#write(partition, next)
    })
  }

  /** Whether a partition is in the open transaction of a producer. Throws as AddPartitionsToTxn is answered. */
  verify(transactionalId: string, producer: Producer, topic: string, index: number): boolean {
    const partition = this.#partitionOf(transactionalId)
    return verifyPartition(requireTxn(partition, transactionalId), producer, topic, index)
  }

  /** Resolves when all that is known of a transactional id is on the disk, where that is wanted. */
  settled(transactionalId: string): Promise<void> {
    return this.#operation(transactionalId, () => {})
  }

  /**
   * Ends a transaction, and gives what the next one goes on with. When it resolves all of it is done: readers see how it
   * ended, and the next transaction never meets this one. Only what a partition refuses for now comes later.
   */
  end({ transactionalId, producer, result, clientVersion, client }: EndRequest): Promise<Producer> {
    return this.#operation(transactionalId, async partition => {
      const { clocks, newProducerId } = this.#ports
      const txn = requireTxn(partition, transactionalId)
      const next = endTxn(txn, { producer, result, clientVersion, newProducerId }, clocks.wall.now())
      if (!next) return txn
      this.#write(partition, next)
      if (result === 'ABORT') this.#log(txn, next, 'a transaction is aborted: its producer wants it so', client)
      await this.#markers.end(partition, next)
      // Where the coordinator has stopped meanwhile the client asks again, and is told how far it has come.
      return requireTxn(partition, transactionalId, 'NOT_COORDINATOR')
    })
  }

  /** One request. Its answer waits for the disk, and so does a refusal: it may rest on what another has changed. */
  async #operation<T>(transactionalId: string, act: (partition: TxnPartition) => T | Promise<T>): Promise<T> {
    try {
      const partition = this.#partitionOf(transactionalId)
      try {
        return await act(partition)
      } finally {
        await partition.journal.settled()
      }
    } catch (error) {
      throw coordinatorError(error)
    }
  }

  #forgetAll(): void {
    for (const partition of this.#partitions) partition.forget()
    this.#partitions.clear()
  }

  #partitionOf(transactionalId: string): TxnPartition {
    if (transactionalId === '') throw new KafkaError('INVALID_REQUEST', 'the transactional id is empty')
    if (this.#stopped) throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the broker stops')
    return this.#partitions.of(transactionalId)
  }

  #checkTimeout(timeoutMs: number): void {
    const { maxTimeoutMs } = this.#ports.settings.view(TIMEOUT_ROWS)
    if (timeoutMs > 0 && timeoutMs <= maxTimeoutMs) return
    throw new KafkaError('INVALID_TRANSACTION_TIMEOUT', `${timeoutMs} ms is not between 1 and ${maxTimeoutMs}`)
  }

  #write(partition: TxnPartition, txn: Txn): void {
    partition.write(txn, this.#ports.transactionVersion())
  }

  /** Decides that an open transaction is aborted and its producer fenced. */
  #fence(partition: TxnPartition, txn: Txn, cause: string, client?: string): Txn {
    const { clocks, newProducerId } = this.#ports
    const next = fenceAndAbort(txn, this.#ports.transactionVersion(), newProducerId, clocks.wall.now())
    this.#write(partition, next)
    this.#log(txn, next, `a transaction is aborted and its producer fenced: ${cause}`, client)
    return next
  }

  /** One line for the operator, whatever made a producer's epoch move or ended its transaction against its will. */
  #log(before: Txn, after: Txn, message: string, client?: string): void {
    const { transactionalId, producerId, producerEpoch: oldEpoch } = before
    const { producerEpoch: newEpoch, producerId: newProducerId } = after
    const another = newProducerId === producerId ? {} : { newProducerId }
    this.#ports.logger.info(
      { transactionalId, producerId, ...another, oldEpoch, newEpoch, ...(client && { client }) },
      message
    )
  }

  #resume(partition: TxnPartition): void {
    for (const txn of [...partition.txns.values()]) if (isEnding(txn)) this.#markers.resume(partition, txn)
  }
}

const ANOTHER_INSTANCE = 'another instance asked for its transactional id'
const FENCED = `a producer is fenced: ${ANOTHER_INSTANCE}`
const GOES_ON = 'a producer goes on with a new epoch'
const NEW_ID = 'a transactional id is new'

function requireTxn(
  partition: TxnPartition,
  transactionalId: string,
  otherwise: 'INVALID_PRODUCER_ID_MAPPING' | 'NOT_COORDINATOR' = 'INVALID_PRODUCER_ID_MAPPING'
): Txn {
  const txn = partition.txns.get(transactionalId)
  if (txn) return txn
  throw new KafkaError(otherwise, `no producer has the transactional id ${transactionalId}`)
}
