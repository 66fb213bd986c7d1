/** Drives a transaction coordinator on an in-memory journal. A test makes markers fail or wait, by partition. */
import type { Settings } from '../../src/config/settings.ts'
import { type ErrorName, KafkaError } from '../../src/protocol/errors.ts'
import type { TxnResult } from '../../src/protocol/records/control.ts'
import { BackgroundLoops } from '../../src/runtime/background.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { type InitRequest, TxnCoordinator, type TxnPorts } from '../../src/txn/coordinator.ts'
import type { Marker, MarkerPort } from '../../src/txn/markers.ts'
import { decodeRecord } from '../../src/txn/records.ts'
import type { Txn, TxnPartitions } from '../../src/txn/txn.ts'
import { type Given, settingsWith } from '../config/settings-with.ts'
import { MemoryStateLog } from '../coordinator/memory-state-log.ts'

/** Transaction markers in memory. */
export class MemoryMarkers implements MarkerPort {
  /** In the order of their appends, as `topic-partition RESULT producer/epoch`. */
  readonly written: string[] = []
  /** The last marker. */
  last: Marker | undefined
  /** Errors by partition; each write to such a partition throws its error. */
  readonly failures = new Map<string, Error>()
  /** Promises by partition; each marker of such a partition waits for its promise. */
  readonly holds = new Map<string, Promise<void>>()
  /** Partitions without an open transaction, as a broker sees them after a restart. */
  readonly closed = new Set<string>()
  /** Called at every attempt to write a marker. */
  attempted: () => void = () => {}

  write(topic: string, partition: number, marker: Marker): Promise<void> | undefined {
    this.attempted()
    const topicPartition = `${topic}-${partition}`
    const failure = this.failures.get(topicPartition)
    if (failure) throw failure
    this.written.push(`${topicPartition} ${marker.result} ${marker.producerId}/${marker.producerEpoch}`)
    this.last = marker
    return this.holds.get(topicPartition)
  }

  hasOpen(topic: string, partition: number): boolean {
    const failure = this.failures.get(`${topic}-${partition}`)
    if (failure) throw failure
    return !this.closed.has(`${topic}-${partition}`)
  }
}

/** Kafka's defaults, except: transactional ids expire after a day. */
const TXN_SETTINGS: Given = { 'transactional.id.expiration.ms': 86_400_000 }

export class TxnCoordinatorDriver {
  readonly clock = new ManualClock(1_700_000_000_000)
  readonly markers = new MemoryMarkers()
  readonly events = new RecordingEvents()
  /** Errors that would fail the broker. */
  readonly failures: unknown[] = []
  journal = new MemoryStateLog()
  partitionCount = 1
  /** Whether this node leads the partitions of the topic. */
  isLeader = true
  transactionVersion = 2
  coordinator: TxnCoordinator
  #background = this.#newLoops()
  readonly #settings: Settings
  #lastProducerId = 99n

  constructor(given: Given = {}) {
    this.#settings = settingsWith({ ...TXN_SETTINGS, ...given })
    this.coordinator = this.#newCoordinator()
  }

  #newLoops(): BackgroundLoops {
    return new BackgroundLoops({ clocks: this.clock, failed: error => this.failures.push(error) })
  }

  #newCoordinator(): TxnCoordinator {
    const ports: TxnPorts = {
      clocks: this.clock,
      events: this.events,
      markers: this.markers,
      settings: this.#settings,
      background: this.#background,
      topic: {
        topic: '__transaction_state',
        partitionCount: () => this.partitionCount,
        leads: () => this.isLeader,
        log: () => this.journal
      },
      newProducerId: () => ++this.#lastProducerId,
      transactionVersion: () => this.transactionVersion,
      failed: error => this.failures.push(error)
    }
    return new TxnCoordinator(ports)
  }

  /** Restarts the coordinator on the same journal. */
  async restart(): Promise<void> {
    await this.stop()
    this.#background = this.#newLoops()
    this.coordinator = this.#newCoordinator()
    await this.coordinator.start()
  }

  /** Stops the background loops, then the coordinator, as a broker does. */
  async stop(): Promise<void> {
    await this.#background.stop()
    this.coordinator.stop()
  }

  init(changes: Partial<InitRequest> = {}) {
    const request = { transactionalId: 'id', timeoutMs: 60_000, expected: undefined, client: 'app at 10.0.0.1:4000' }
    return this.coordinator.initProducer({ ...request, ...changes })
  }

  add(producer: { producerId: bigint; producerEpoch: number }, ...places: string[]) {
    return this.coordinator.addPartitions('id', producer, partitionsOf(places), 2)
  }

  end(producer: { producerId: bigint; producerEpoch: number }, result: TxnResult, clientVersion = 2) {
    const client = 'app at 10.0.0.1:4000'
    return this.coordinator.end({ transactionalId: 'id', producer, result, clientVersion, client })
  }

  /** Opens a transaction of `id` with these partitions. */
  async open(...places: string[]) {
    const { producerId, producerEpoch } = await this.init()
    const producer = { producerId, producerEpoch }
    await this.add(producer, ...places)
    return producer
  }

  find(transactionalId: string): Txn | undefined {
    return [...this.coordinator.txns()].find(txn => txn.transactionalId === transactionalId)
  }

  get state(): string | undefined {
    return this.find('id')?.state
  }

  /** The states and epochs of `id` in the journal. */
  get recorded(): (string | null)[] {
    return this.journal.batches.flat().map(record => {
      const decoded = decodeRecord(record)
      const txn = 'txn' in decoded ? decoded.txn : null
      return txn ? `${txn.state} ${txn.producerEpoch}` : null
    })
  }
}

export function partitionsOf(places: readonly string[]): TxnPartitions {
  const partitions = new Map<string, Set<number>>()
  for (const topicPartition of places) {
    const [topic = '', index] = topicPartition.split('-')
    partitions.set(topic, new Set([...(partitions.get(topic) ?? []), Number(index)]))
  }
  return partitions
}

/** The error code of a rejected promise, or 'NONE'. */
export async function codeOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer
    return 'NONE'
  } catch (error) {
    if (error instanceof KafkaError) return error.code
    throw error
  }
}

export function kafkaError(code: ErrorName): KafkaError {
  return new KafkaError(code, 'set by the test')
}
