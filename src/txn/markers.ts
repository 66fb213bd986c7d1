/**
 * Completes decided transactions: writes the marker to every partition, then the record of the completed state. Without
 * `flush.messages` all of this runs in the event-loop turn of the decision, or in slices if the partitions are very many; with it
 * each step waits until the step before is on the disk. A failed step is retried, after a restart by the next process.
 */
import { KafkaError } from '../protocol/errors.ts'
import type { EndTxnMarker } from '../protocol/records/control.ts'
import type { Logger } from '../runtime/logger.ts'
import { runYielding, type Steps, waitFor } from '../runtime/pace.ts'
import type { Alarm, Clocks } from '../runtime/time.ts'
import { completed, resultOf } from './machine.ts'
import type { TxnPartition } from './partition.ts'
import type { Txn } from './txn.ts'

/** A transaction marker on its way to partitions, which give it its timestamp. */
export interface Marker extends Omit<EndTxnMarker, 'timestamp'> {
  /** The `transaction.version` by which the producer works. */
  readonly transactionVersion: number
}

/** The logs of other partitions, as far as transactions need them. */
export interface MarkerPort {
  /** Writes a marker. Returns what to wait for before it counts as written, undefined for nothing. Throws a KafkaError. */
  write(topic: string, partition: number, marker: Marker): Promise<void> | undefined
  /** Whether the producer has a transaction open in the partition. Throws a KafkaError where that cannot be said. */
  hasOpen(topic: string, partition: number, producerId: bigint): boolean
}

export interface TransactionMarkerPorts {
  readonly clocks: Clocks
  readonly logger: Logger
  readonly markers: MarkerPort
  /** The finalized `transaction.version`. */
  transactionVersion(): number
  /** Told of what must not happen, where nobody waits for an answer. */
  failed(error: unknown): void
}

/** How long to wait before what could not be written is tried again. */
const RETRY_MS = 1000

/** The partition has heard of a newer producer or coordinator: as in Kafka the transaction stays as it is until the next start. */
const FENCED: ReadonlySet<string> = new Set(['INVALID_PRODUCER_EPOCH', 'TRANSACTION_COORDINATOR_FENCED'])

interface MarkerPartition {
  readonly topic: string
  readonly partition: number
}

interface PendingCompleteTxn {
  readonly partition: TxnPartition
  readonly txn: Txn
  /** Decided by a process before this one: some of the markers may be there. */
  readonly isResumed: boolean
  /** Where the marker is still missing. */
  missing: readonly MarkerPartition[]
  isLogged: boolean
}

export class TransactionMarkers {
  readonly #ports: TransactionMarkerPorts
  readonly #alarms = new Set<Alarm>()

  constructor(ports: TransactionMarkerPorts) {
    this.#ports = ports
  }

  /** Nothing is tried again from now on: the next start goes on with what is open. */
  stop(): void {
    for (const alarm of this.#alarms) alarm.cancel()
    this.#alarms.clear()
  }

  /** Ends a transaction that has just been decided. Resolves when it is complete or has to be tried again later. */
  end(partition: TxnPartition, txn: Txn): Promise<void> {
    return this.#drive({ partition, txn, isResumed: false, missing: partitionsOf(txn), isLogged: false })
  }

  /** As `end`, where nobody waits for it. */
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

  /** Rejects with our own bugs only. */
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
        // A deleted topic has nothing left to end.
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

/** A line of the log must not grow with the transaction. */
const MOST_NAMED = 10

/** Otherwise the topic of all transactions was deleted, or the coordinator has stopped. */
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

/** Whether a marker does not come to the disk. */
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
