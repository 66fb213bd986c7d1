/**
 * Completes decided transactions: writes the marker to every partition, then the record of the completed state. Without
 * `flush.messages` this happens without yielding, or in slices if the partitions are very many; with `flush.messages` each step
 * waits for the flush of the previous step. A failed step is retried. After a restart, the next process retries it.
 */
import { KafkaError } from '../protocol/errors.ts'
import type { EndTxnMarker } from '../protocol/records/control.ts'
import type { Logger } from '../runtime/logger.ts'
import { runYielding, type Steps, waitFor } from '../runtime/pace.ts'
import type { Alarm, Clocks } from '../runtime/time.ts'
import { completed, resultOf } from './machine.ts'
import type { TxnPartition } from './partition.ts'
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
  readonly logger: Logger
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
  readonly partition: TxnPartition
  readonly txn: Txn
  /** True if an earlier process decided the transaction: some markers may be written already. */
  readonly isResumed: boolean
  /** The partitions without the marker. */
  missing: readonly MarkerPartition[]
  isLogged: boolean
}

export class TransactionMarkers {
  readonly #ports: TransactionMarkerPorts
  readonly #alarms = new Set<Alarm>()

  constructor(ports: TransactionMarkerPorts) {
    this.#ports = ports
  }

  /** Cancels all retries. The next start resumes the transactions. */
  stop(): void {
    for (const alarm of this.#alarms) alarm.cancel()
    this.#alarms.clear()
  }

  /**
   * Completes a transaction that was just decided. Resolves when it is complete, or when its first attempt failed and a retry is
   * set.
   */
  end(partition: TxnPartition, txn: Txn): Promise<void> {
    return this.#drive({ partition, txn, isResumed: false, missing: partitionsOf(txn), isLogged: false })
  }

  /** As `end`, without a promise; unexpected errors go to `failed`. */
  endInBackground(partition: TxnPartition, txn: Txn): void {
    this.#inBackground(this.end(partition, txn))
  }

  /** As `endInBackground`, for a transaction that was decided before this process started. */
  resume(partition: TxnPartition, txn: Txn): void {
    this.#inBackground(this.#drive({ partition, txn, isResumed: true, missing: partitionsOf(txn), isLogged: false }))
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#ports.failed(error))
  }

  /** Rejects only for programming errors. */
  async #drive(pending: PendingCompleteTxn): Promise<void> {
    await runYielding(this.#steps(pending), this.#ports)
  }

  *#steps(pending: PendingCompleteTxn): Steps {
    const { partition, txn } = pending
    try {
      const decided = partition.journal.settled()
      if (decided) yield decided
      if (!isCurrent(pending)) return
      yield* this.#mark(pending)
      if (!isCurrent(pending)) return
      if (pending.missing.length > 0) this.#retryLater(pending)
      else partition.write(completed(txn, this.#ports.clocks.wall.now()), this.#ports.transactionVersion())
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (FENCED.has(error.code)) this.#giveUp(pending, error)
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
        const waiting = this.#write(pending, partition, marker)
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

  #write(
    { isResumed, txn }: PendingCompleteTxn,
    { topic, partition }: MarkerPartition,
    marker: Marker
  ): Promise<void> | undefined {
    const { markers } = this.#ports
    if (isResumed && !markers.hasOpen(topic, partition, txn.producerId)) return undefined
    return markers.write(topic, partition, marker)
  }

  #retryLater(pending: PendingCompleteTxn, error?: KafkaError): void {
    const { clocks } = this.#ports
    if (!isCurrent(pending)) return
    if (!pending.isLogged)
      this.#warn(pending, 'a transaction cannot be completed yet, and is tried again until it can', error)
    pending.isLogged = true
    const alarm = clocks.deadline.at(clocks.deadline.now() + RETRY_MS, () => {
      this.#alarms.delete(alarm)
      this.#inBackground(this.#drive(pending))
    })
    this.#alarms.add(alarm)
  }

  #giveUp(pending: PendingCompleteTxn, error: KafkaError): void {
    this.#warn(
      pending,
      'a transaction is not completed before the next start: a partition knows a newer producer',
      error
    )
  }

  #warn({ txn, missing: partitions }: PendingCompleteTxn, message: string, error?: KafkaError): void {
    const { transactionalId, producerId, producerEpoch, state } = txn
    const missing = partitions.map(({ topic, partition }) => `${topic}-${partition}`).slice(0, MOST_NAMED)
    this.#ports.logger.warn(
      { transactionalId, producerId, producerEpoch, state, missing, ...(error && { err: error }) },
      message
    )
  }
}

/** Maximum number of partitions in a log line. */
const MOST_NAMED = 10

/** False if `__transaction_state` was deleted or the coordinator has stopped. */
function isCurrent({ partition, txn }: PendingCompleteTxn): boolean {
  return partition.txns.get(txn.transactionalId) === txn
}

function markerOf({ partition, txn }: PendingCompleteTxn): Marker {
  return {
    producerId: txn.producerId,
    producerEpoch: txn.producerEpoch,
    coordinatorEpoch: partition.journal.coordinatorEpoch,
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
