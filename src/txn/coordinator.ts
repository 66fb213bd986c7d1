/**
 * The transaction coordinator. Each request is decided (machine.ts), written and applied without an await between these steps;
 * its response then waits for the flush of the records it depends on, if `flush.messages` asks for flushes. Failures are thrown
 * as the KafkaError of the response.
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
  /** `__transaction_state`. */
  readonly topic: StateTopic
  readonly settings: Settings
  readonly background: BackgroundLoops
  /** Allocates an unused producer id. */
  readonly newProducerId: () => bigint
}

export interface InitRequest extends Pick<InitCommand, 'timeoutMs' | 'expected'> {
  readonly transactionalId: string
  /** The address of the client, for the log line. */
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

  /** Loads all transactional ids, resumes decided transactions that are not complete, and starts the expiration loops. */
  async start(signal?: AbortSignal): Promise<void> {
    await runYielding(this.#partitions.loadAll(), { clocks: this.#ports.clocks, signal })
    this.#expiration.start()
  }

  /**
   * Later requests fail with COORDINATOR_NOT_AVAILABLE. Decided transactions that are not complete are resumed by the next start.
   */
  stop(): void {
    this.#stopped = true
    this.#markers.stop()
    this.#forgetAll()
  }

  /** Removes all transactional ids from memory if `__transaction_state` was deleted. */
  topicsDeleted(topics: readonly { readonly name: string }[]): void {
    if (topics.some(({ name }) => name === this.#ports.topic.topic)) this.#forgetAll()
  }

  /** All loaded transactional ids. */
  *txns(): Iterable<Txn> {
    for (const partition of this.#partitions) yield* partition.txns.values()
  }

  /** The state of a transactional id. Throws NOT_COORDINATOR. */
  find(transactionalId: string): Txn | undefined {
    return this.#partitionOf(transactionalId).txns.get(transactionalId)
  }

  /**
   * InitProducerId: returns the producer id and epoch of the client. Fences earlier producers of the transactional id. An open
   * transaction is aborted first: throws CONCURRENT_TRANSACTIONS, and the client retries.
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

  /** AddPartitionsToTxn: adds partitions to the transaction of a producer. */
  addPartitions(transactionalId: string, producer: Producer, added: TxnPartitions, clientVersion: number) {
    return this.#operation(transactionalId, partition => {
      const txn = requireTxn(partition, transactionalId)
      const next = addPartitions(txn, producer, added, clientVersion, this.#ports.clocks.wall.now())
      if (next) this.#write(partition, next)
    })
  }

  /** True if the partition is in the open transaction of the producer. Throws the errors of AddPartitionsToTxn. */
  verify(transactionalId: string, producer: Producer, topic: string, index: number): boolean {
    const partition = this.#partitionOf(transactionalId)
    return verifyPartition(requireTxn(partition, transactionalId), producer, topic, index)
  }

  /** Resolves when the records of the transactional id's partition are flushed, if `flush.messages` asks for flushes. */
  settled(transactionalId: string): Promise<void> {
    return this.#operation(transactionalId, () => {})
  }

  /**
   * EndTxn: ends a transaction and returns the producer id and epoch of the next one. Resolves when all markers and the completed
   * state are written: read_committed consumers see the result, and the next transaction does not meet CONCURRENT_TRANSACTIONS.
   * Markers that a partition refuses are retried later; the promise does not wait for them.
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
      // If the coordinator stopped meanwhile, the client gets NOT_COORDINATOR and retries; the retry returns the result.
      return requireTxn(partition, transactionalId, 'NOT_COORDINATOR')
    })
  }

  /** One request. Responses and errors wait for the flush: an error may depend on an unflushed change of another request. */
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

  /** Writes the abort of an open transaction and fences its producer. */
  #fence(partition: TxnPartition, txn: Txn, cause: string, client?: string): Txn {
    const { clocks, newProducerId } = this.#ports
    const next = fenceAndAbort(txn, this.#ports.transactionVersion(), newProducerId, clocks.wall.now())
    this.#write(partition, next)
    this.#log(txn, next, `a transaction is aborted and its producer fenced: ${cause}`, client)
    return next
  }

  /** Logs one line for each bump of a producer epoch and each aborted transaction. */
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
