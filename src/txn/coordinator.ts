/**
 * The transaction coordinator. Each request is decided (machine.ts), written and applied without an await between these steps;
 * its response then waits for the flush of the records that it depends on, if `flush.messages` requires one. Failures are thrown
 * as the KafkaError of the response.
 */
import type { Settings } from '../config/settings.ts'
import { rows } from '../config/view.ts'
import { CoordinatorRuntime, type RuntimeWorld } from '../coordinator/runtime.ts'
import type { Event } from '../events/event.ts'
import { KafkaError } from '../protocol/errors.ts'
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
import { decodeRecord, encodeRecord, type TxnRecord } from './records.ts'
import { type TxnShard, TxnState, type TxnTimer } from './state.ts'
import { isEnding, newTxn, type Txn, type TxnPartitions } from './txn.ts'

const TIMEOUT_ROWS = rows({ maxTimeoutMs: 'transaction.max.timeout.ms' })

export interface TxnPorts extends RuntimeWorld, TransactionMarkerPorts {
  readonly settings: Settings
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
  readonly #runtime: CoordinatorRuntime<TxnState, TxnRecord, TxnTimer>
  readonly #markers: TransactionMarkers
  readonly #expiration: TransactionExpiration

  constructor(ports: TxnPorts) {
    this.#ports = ports
    this.#markers = new TransactionMarkers(ports, (shard, before, txn) => this.#write(shard, before, txn))
    this.#runtime = new CoordinatorRuntime<TxnState, TxnRecord, TxnTimer>(ports, {
      timersName: 'timers of transactional ids',
      format: { encode: record => encodeRecord(record, ports.transactionVersion()), decode: decodeRecord },
      newState: () => new TxnState(),
      loaded: shard => this.#resume(shard),
      unloading: shard => this.#markers.unload(shard),
      expired: (_, { subject }) => this.#markers.retry(subject)
    })
    this.#expiration = new TransactionExpiration(ports, this.#runtime, (shard, txn) =>
      this.#markers.endInBackground(shard, this.#fence(shard, txn, { cause: 'TransactionTimeout' }))
    )
  }

  /** Loads all transactional ids, resumes decided transactions that are not complete, and starts the expiration loops. */
  async start(signal?: AbortSignal): Promise<void> {
    await this.#runtime.start(signal)
    this.#expiration.start()
  }

  /**
   * Later requests fail with COORDINATOR_NOT_AVAILABLE. Decided transactions that are not complete are resumed by the next start.
   */
  stop(): void {
    this.#runtime.stop()
  }

  /** Removes all transactional ids from memory if `__transaction_state` was deleted. */
  topicsDeleted(topics: readonly { readonly name: string }[]): void {
    if (topics.some(({ name }) => name === this.#ports.topic.topic)) this.#runtime.unload()
  }

  /** All loaded transactional ids. Throws COORDINATOR_NOT_AVAILABLE. A response with these ids waits for `allSettled`. */
  *txns(): Iterable<Txn> {
    this.#runtime.checkActive()
    for (const { state } of this.#runtime) yield* state.txns.values()
  }

  /** Resolves when the records of all transactional ids are flushed, if `flush.messages` requires a flush. */
  allSettled(): Promise<void> {
    return this.#runtime.settled()
  }

  /** DescribeTransactions: the state of a transactional id; undefined if it does not exist. */
  describe(transactionalId: string): Promise<Txn | undefined> {
    return this.#request(transactionalId, ({ state }) => state.txns.get(transactionalId))
  }

  /**
   * InitProducerId: returns the producer id and epoch of the client. Fences earlier producers of the transactional id. An open
   * transaction is aborted first: throws CONCURRENT_TRANSACTIONS, and the client retries.
   */
  initProducer({ transactionalId, timeoutMs, expected, client }: InitRequest): Promise<Producer> {
    const checkTimeout = () => this.#checkTimeout(timeoutMs)
    const initialize = async (shard: TxnShard) => {
      const { clocks, newProducerId } = this.#ports
      const existing = shard.state.txns.get(transactionalId)
      const txn = existing ?? newTxn(transactionalId, newProducerId(), timeoutMs, clocks.wall.now())
      const next = initProducer(txn, { timeoutMs, expected, newProducerId }, clocks.wall.now())
      if (next === 'abort first') {
        await this.#markers.end(shard, this.#fence(shard, txn, { cause: 'InitProducerId', client }))
        throw new KafkaError('CONCURRENT_TRANSACTIONS', `the open transaction of ${transactionalId} must end first`)
      }
      this.#write(shard, txn, next, [initEvent(txn, next, { isNew: !existing, continues: !!expected, client })])
      return next
    }
    return this.#request(transactionalId, initialize, checkTimeout)
  }

  /** AddPartitionsToTxn: adds partitions to the transaction of a producer. */
  addPartitions(transactionalId: string, producer: Producer, added: TxnPartitions, clientVersion: number) {
    return this.#request(transactionalId, shard => {
      const txn = requireTxn(shard, transactionalId)
      const next = addPartitions(txn, producer, added, clientVersion, this.#ports.clocks.wall.now())
      if (next) this.#write(shard, txn, next)
    })
  }

  /** True if the partition is in the open transaction of the producer. Throws the errors of AddPartitionsToTxn. */
  verify(transactionalId: string, producer: Producer, topic: string, index: number): boolean {
    checkId(transactionalId)
    const shard = this.#runtime.shardOf(transactionalId)
    return verifyPartition(requireTxn(shard, transactionalId), producer, topic, index)
  }

  /** Resolves when the records of the transactional id's partition are flushed, if `flush.messages` requires a flush. */
  settled(transactionalId: string): Promise<void> {
    return this.#request(transactionalId, () => {})
  }

  /**
   * EndTxn: ends a transaction and returns the producer id and epoch of the next one. Resolves when all markers and the completed
   * state are written: read_committed consumers see the result, and the next transaction does not meet CONCURRENT_TRANSACTIONS.
   * Markers that a partition refuses are retried later; the promise does not wait for them.
   */
  end({ transactionalId, producer, result, clientVersion, client }: EndRequest): Promise<Producer> {
    return this.#request(transactionalId, async shard => {
      const { clocks, newProducerId } = this.#ports
      const txn = requireTxn(shard, transactionalId)
      const next = endTxn(txn, { producer, result, clientVersion, newProducerId }, clocks.wall.now())
      if (!next) return txn
      const abort = { type: 'TransactionAborted', cause: 'EndTxn', timeoutMs: txn.timeoutMs, client } as const
      this.#write(shard, txn, next, result === 'ABORT' ? [{ ...abort, ...changeOf(txn, next) }] : [])
      await this.#markers.end(shard, next)
      // The client retries, and the retry returns the result.
      if (!shard.isLoaded) throw new KafkaError('NOT_COORDINATOR', `this broker no longer serves ${transactionalId}`)
      return requireTxn(shard, transactionalId)
    })
  }

  /** Rejects with the KafkaError of the response. */
  #request<T>(transactionalId: string, operation: (shard: TxnShard) => T | Promise<T>, check?: () => void): Promise<T> {
    return this.#runtime.request<T>(transactionalId, operation, raise, () => {
      checkId(transactionalId)
      check?.()
    })
  }

  #checkTimeout(timeoutMs: number): void {
    const { maxTimeoutMs } = this.#ports.settings.view(TIMEOUT_ROWS)
    if (timeoutMs > 0 && timeoutMs <= maxTimeoutMs) return
    throw new KafkaError(
      'INVALID_TRANSACTION_TIMEOUT',
      `the transaction timeout is ${timeoutMs} ms, but must be from 1 to ${maxTimeoutMs} ms`
    )
  }

  /** Appends and applies a state. Emits `events`, then the change of the state. */
  #write(shard: TxnShard, before: Txn, txn: Txn, events: readonly Event[] = []): void {
    const { transactionalId, producerId, producerEpoch, state } = txn
    shard.commit({ records: [{ transactionalId, txn }], events })
    if (!this.#ports.events.isObserved('TransactionStateChanged')) return
    const change = { transactionalId, producerId, producerEpoch, from: before.state, to: state }
    this.#ports.events.emit({ type: 'TransactionStateChanged', ...change })
  }

  /** Writes the abort of an open transaction, which fences its producer. */
  #fence(
    shard: TxnShard,
    txn: Txn,
    by: { readonly cause: 'InitProducerId' | 'TransactionTimeout'; readonly client?: string }
  ): Txn {
    const { clocks, newProducerId } = this.#ports
    const next = fenceAndAbort(txn, this.#ports.transactionVersion(), newProducerId, clocks.wall.now())
    const change = { ...by, ...changeOf(txn, next) }
    const { timeoutMs } = txn
    this.#write(shard, txn, next, [
      { type: 'TransactionAborted', timeoutMs, ...change },
      { type: 'ProducerFenced', ...change }
    ])
    return next
  }

  #resume(shard: TxnShard): void {
    for (const txn of [...shard.state.txns.values()]) if (isEnding(txn)) this.#markers.resume(shard, txn)
  }
}

function changeOf({ transactionalId, producerId, producerEpoch: oldEpoch }: Txn, next: Txn) {
  const newProducerId = next.producerId === producerId ? undefined : next.producerId
  return { transactionalId, producerId, oldEpoch, newProducerId, newEpoch: next.producerEpoch }
}

function initEvent(
  before: Txn,
  next: Txn,
  init: { readonly isNew: boolean; readonly continues: boolean; readonly client: string }
): Event {
  const { isNew, continues, client } = init
  const change = { ...changeOf(before, next), client }
  if (isNew) return { type: 'TransactionalIdCreated', ...change }
  if (continues) return { type: 'ProducerEpochBumped', ...change }
  return { type: 'ProducerFenced', cause: 'InitProducerId', ...change }
}

function checkId(transactionalId: string): void {
  if (transactionalId === '') throw new KafkaError('INVALID_REQUEST', 'the transactional id is empty')
}

function raise(error: KafkaError): never {
  throw error
}

function requireTxn({ state }: TxnShard, transactionalId: string): Txn {
  const txn = state.txns.get(transactionalId)
  if (txn) return txn
  throw new KafkaError('INVALID_PRODUCER_ID_MAPPING', `no producer has the transactional id ${transactionalId}`)
}
