/**
 * Completes decided transactions: writes the marker to every partition, then the record of the completed state. Without
 * `flush.messages` this happens without yielding, or in slices if the partitions are very many; with `flush.messages` each step
 * waits for the flush of the previous step. A failed step is retried. After a restart, the next process retries it.
 */
import { NO_MEMBER } from '../coordinator/timers.ts'
import type { Events } from '../events/event.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { EndTxnMarker } from '../protocol/records/control.ts'
import { runYielding, type Steps, waitFor } from '../runtime/pace.ts'
import type { Clocks } from '../runtime/time.ts'
import { completed, resultOf } from './machine.ts'
import type { TxnShard } from './state.ts'
import type { Txn } from './txn.ts'

/** A transaction marker before a partition gives it a timestamp. */
export interface Marker extends Omit<EndTxnMarker, 'timestamp'> {
  /** The `transaction.version` of the producer. */
  readonly transactionVersion: number
}

/** The partitions that transactions write to. */
export interface MarkerPort {
  /** Writes a marker. Returns a promise if the marker waits for a flush, else undefined. Throws a KafkaError. */
  write(topic: string, partition: number, marker: Marker): Promise<void> | undefined
  /** True if the producer has an open transaction in the partition. Throws a KafkaError if the partition is not available. */
  hasOpen(topic: string, partition: number, producerId: bigint): boolean
}

export interface TransactionMarkerPorts {
  readonly clocks: Clocks
  readonly events: Events
  readonly markers: MarkerPort
  /** The finalized `transaction.version`. */
  transactionVersion(): number
  /** Called with errors of background work that are programming errors, not KafkaErrors. */
  failed(error: unknown): void
}

/** Delay before a failed step is retried. */
const RETRY_MS = 1000

/**
 * Errors of a partition with a newer producer epoch or coordinator epoch: as in Kafka, the transaction stays ending until the
 * next start.
 */
const FENCED: ReadonlySet<string> = new Set(['INVALID_PRODUCER_EPOCH', 'TRANSACTION_COORDINATOR_FENCED'])

interface MarkerPartition {
  readonly topic: string
  readonly partition: number
}

interface PendingCompleteTxn {
  readonly shard: TxnShard
  readonly txn: Txn
  /** True if an earlier process decided the transaction: some markers may be written already. */
  readonly isResumed: boolean
  /** The partitions without the marker. */
  missing: readonly MarkerPartition[]
  /** True after the first failure, which is the only one that is reported. */
  hasFailed: boolean
}

/** Appends and applies the state of a transactional id. Throws as Shard.commit. */
export type WriteTxn = (shard: TxnShard, before: Txn, txn: Txn) => void

export class TransactionMarkers {
  readonly #ports: TransactionMarkerPorts
  readonly #write: WriteTxn
  /** Transactions that wait for their timer, by transactional id. */
  readonly #waiting = new Map<string, PendingCompleteTxn>()

  constructor(ports: TransactionMarkerPorts, write: WriteTxn) {
    this.#ports = ports
    this.#write = write
  }

  /** Drops the transactions of a shard that is unloaded. The next start resumes them. */
  unload(shard: TxnShard): void {
    for (const [transactionalId, pending] of this.#waiting)
      if (pending.shard === shard) this.#waiting.delete(transactionalId)
  }

  /**
   * Completes a transaction that was just decided. Resolves when it is complete, or when the first attempt has failed.
   */
  end(shard: TxnShard, txn: Txn): Promise<void> {
    return this.#drive({ shard, txn, isResumed: false, missing: partitionsOf(txn), hasFailed: false })
  }

  /** As `end`, without a promise; unexpected errors go to `failed`. */
  endInBackground(shard: TxnShard, txn: Txn): void {
    this.#inBackground(this.end(shard, txn))
  }

  /** As `endInBackground`, for a transaction that was decided before this process started. */
  resume(shard: TxnShard, txn: Txn): void {
    this.#inBackground(this.#drive({ shard, txn, isResumed: true, missing: partitionsOf(txn), hasFailed: false }))
  }

  /** Makes the next attempt to complete a transaction: its timer is due. */
  retry(transactionalId: string): void {
    const pending = this.#waiting.get(transactionalId)
    this.#waiting.delete(transactionalId)
    if (pending && isCurrent(pending)) this.#inBackground(this.#drive(pending))
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#ports.failed(error))
  }

  /** Rejects only for programming errors. */
  async #drive(pending: PendingCompleteTxn): Promise<void> {
    await runYielding(this.#steps(pending), this.#ports)
  }

  *#steps(pending: PendingCompleteTxn): Steps {
    const { shard, txn } = pending
    try {
      const decided = shard.settled()
      if (decided) yield decided
      if (!isCurrent(pending)) return
      yield* this.#mark(pending)
      if (!isCurrent(pending)) return
      if (pending.missing.length > 0) this.#retryLater(pending)
      else this.#write(shard, txn, completed(txn, this.#ports.clocks.wall.now()))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (FENCED.has(error.code)) this.#emitFailure(pending, { error })
      else this.#retryLater(pending, error)
    }
  }

  /** Writes the markers and waits for their flushes. `missing` keeps the partitions whose write or flush has to be retried. */
  *#mark(pending: PendingCompleteTxn): Steps {
    const marker = markerOf(pending)
    const flushes: Promise<MarkerPartition[]>[] = []
    const missed: MarkerPartition[] = []
    let fenced: KafkaError | undefined
    for (const partition of pending.missing) {
      try {
        const waiting = this.#writeMarker(pending, partition, marker)
        if (waiting) flushes.push(isLost(waiting).then(is => (is ? [partition] : [])))
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (FENCED.has(error.code)) fenced = error
        // A deleted topic needs no marker.
        else if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') missed.push(partition)
      }
      if ((yield) && !isCurrent(pending)) return
    }
    pending.missing = missed
    if (fenced) throw fenced
    if (flushes.length === 0) return
    const lost = yield* waitFor(Promise.all(flushes))
    pending.missing = [...missed, ...lost.flat()]
  }

  #writeMarker(
    { isResumed, txn }: PendingCompleteTxn,
    { topic, partition }: MarkerPartition,
    marker: Marker
  ): Promise<void> | undefined {
    const { markers } = this.#ports
    if (isResumed && !markers.hasOpen(topic, partition, txn.producerId)) return undefined
    return markers.write(topic, partition, marker)
  }

  #retryLater(pending: PendingCompleteTxn, error?: KafkaError): void {
    if (!isCurrent(pending)) return
    if (!pending.hasFailed) this.#emitFailure(pending, { error, retryMs: RETRY_MS })
    pending.hasFailed = true
    const { transactionalId } = pending.txn
    this.#waiting.set(transactionalId, pending)
    const deadlineMs = this.#ports.clocks.deadline.now() + RETRY_MS
    pending.shard.timers.set(transactionalId, NO_MEMBER, 'markers', deadlineMs)
  }

  #emitFailure({ txn, missing: partitions }: PendingCompleteTxn, failure: { error?: unknown; retryMs?: number }): void {
    const { transactionalId, producerId, producerEpoch, state } = txn
    const missing = partitions.map(({ topic, partition }) => `${topic}-${partition}`).slice(0, MAX_NAMED_PARTITIONS)
    const transaction = { transactionalId, producerId, producerEpoch, state, missing }
    this.#ports.events.emit({ type: 'TransactionMarkersFailed', ...transaction, ...failure })
  }
}

/** Maximum number of partitions in an event. */
const MAX_NAMED_PARTITIONS = 10

/** False if `__transaction_state` was deleted or the coordinator has stopped. */
function isCurrent({ shard, txn }: PendingCompleteTxn): boolean {
  return shard.isLoaded && shard.state.txns.get(txn.transactionalId) === txn
}

function markerOf({ shard, txn }: PendingCompleteTxn): Marker {
  return {
    producerId: txn.producerId,
    producerEpoch: txn.producerEpoch,
    coordinatorEpoch: shard.coordinatorEpoch,
    result: resultOf(txn),
    transactionVersion: txn.clientVersion
  }
}

/** True if the flush of a marker failed with a KafkaError. */
async function isLost(waiting: Promise<void>): Promise<boolean> {
  try {
    await waiting
    return false
  } catch (error) {
    if (error instanceof KafkaError) return true
    throw error
  }
}

function partitionsOf(txn: Txn): MarkerPartition[] {
  return Array.from(txn.partitions, ([topic, indexes]) =>
    Array.from(indexes, partition => ({ topic, partition }))
  ).flat()
}
