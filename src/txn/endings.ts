/**
 * Drives transactions that have been decided to their end: the marker to every partition, then the record that all are
 * there. Where nothing has to wait for the disk all of it happens in the turn that decided, before the client is
 * answered: what was committed can be seen at once.
 */
import { KafkaError } from '../protocol/errors.ts'
import type { Alarm, Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { completed, resultOf } from './machine.ts'
import type { TxnPartition } from './partition.ts'
import type { Txn, TxnResult } from './txn.ts'

/** What a marker says to one partition. */
export interface Marker {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly result: TxnResult
  /** The `transaction.version` by which the producer works. */
  readonly transactionVersion: number
}

/** The logs of other partitions, as far as transactions need them. */
export interface MarkerPort {
  /**
   * Writes a marker. Returns what to wait for before it counts as written, undefined for nothing. Throws a KafkaError;
   * one whose code is in RETRIED has to be tried again.
   */
  write(topic: string, partition: number, marker: Marker): Promise<void> | undefined
  /** Whether the producer has a transaction open in the partition. */
  hasOpen(topic: string, partition: number, producerId: bigint): boolean
}

export interface EndingPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly markers: MarkerPort
  /** The finalized `transaction.version`. */
  transactionVersion(): number
}

/** How long to wait before markers that could not be written are tried again. */
const RETRY_MS = 1000

/** Errors that pass. Any other means that the partition is gone or has gone on without this transaction. */
const RETRIED = new Set(['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'])

interface Place {
  readonly topic: string
  readonly partition: number
}

export class Endings {
  readonly #ports: EndingPorts
  readonly #alarms = new Set<Alarm>()
  #stopped = false

  constructor(ports: EndingPorts) {
    this.#ports = ports
  }

  /** Nothing is tried again from now on: the next start goes on with what is open. */
  stop(): void {
    this.#stopped = true
    for (const alarm of this.#alarms) alarm.cancel()
  }

  /** Ends a transaction that has just been decided. Resolves when it is complete or has to be tried again later. */
  end(partition: TxnPartition, txn: Txn): Promise<void> {
    return this.#end(partition, txn, placesOf(txn))
  }

  /** As `end`, for one that was decided before this process began: some of its markers may be written already. */
  resume(partition: TxnPartition, txn: Txn): Promise<void> {
    const { markers } = this.#ports
    const open = placesOf(txn).filter(place => markers.hasOpen(place.topic, place.partition, txn.producerId))
    return this.#end(partition, txn, open)
  }

  async #end(partition: TxnPartition, txn: Txn, places: readonly Place[]): Promise<void> {
    const decided = partition.journal.settled()
    if (decided) await decided
    const { marked, missed } = this.#mark(partition, txn, places)
    if (marked.length > 0) await Promise.all(marked)
    // Somebody else's business by now: the topic of all transactions was deleted.
    if (this.#stopped || partition.txns.get(txn.transactionalId) !== txn) return
    if (missed.length > 0) return this.#later(partition, txn, missed)
    try {
      partition.write(completed(txn, this.#ports.clock.now()), this.#ports.transactionVersion())
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#later(partition, txn, [], error)
    }
  }

  /** Writes the markers; `missed` are the places where it has to be tried again. */
  #mark(partition: TxnPartition, txn: Txn, places: readonly Place[]): { marked: Promise<void>[]; missed: Place[] } {
    const marker: Marker = {
      producerId: txn.producerId,
      producerEpoch: txn.producerEpoch,
      coordinatorEpoch: partition.journal.coordinatorEpoch,
      result: resultOf(txn),
      transactionVersion: txn.clientVersion
    }
    const marked: Promise<void>[] = []
    const missed: Place[] = []
    for (const place of places) {
      try {
        const waiting = this.#ports.markers.write(place.topic, place.partition, marker)
        if (waiting) marked.push(waiting)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (RETRIED.has(error.code)) missed.push(place)
        else this.#skipped(txn, place, error)
      }
    }
    return { marked, missed }
  }

  #later(partition: TxnPartition, txn: Txn, places: readonly Place[], error?: unknown): void {
    const { clock, logger } = this.#ports
    const bindings = {
      transactionalId: txn.transactionalId,
      missing: places.length,
      ...(error !== undefined && { err: error })
    }
    logger.warn(bindings, 'a transaction cannot be completed yet, trying again')
    const alarm = clock.at(clock.now() + RETRY_MS, () => {
      this.#alarms.delete(alarm)
      void this.#end(partition, txn, places)
    })
    this.#alarms.add(alarm)
  }

  /** A deleted topic is no news; anything else an operator should know of. */
  #skipped({ transactionalId, producerId }: Txn, place: Place, error: KafkaError): void {
    if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return
    this.#ports.logger.warn(
      { transactionalId, producerId, ...place, err: error },
      'a partition does not take the marker of a transaction: it has gone on without it'
    )
  }
}

function placesOf(txn: Txn): Place[] {
  return Array.from(txn.partitions, ([topic, indexes]) =>
    Array.from(indexes, partition => ({ topic, partition }))
  ).flat()
}
