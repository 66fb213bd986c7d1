/**
 * Durable producer state of a partition: the newest producer snapshot in the partition's folder, and the log after it.
 * A damaged or missing snapshot makes loading slower but loses no state, because the log is read instead.
 */

import type { Events } from '../events/event.ts'
import type { BatchObserver } from '../log/partition-log/batch-observer.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import type { AbortedTxn } from '../log/segment/transaction-index.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { RecordBatch } from '../protocol/records/batch.ts'
import { readEndTxnMarker } from '../protocol/records/control.ts'
import type { Steps } from '../runtime/pace.ts'
import { ProducerSnapshots, type ProducerSnapshotsOptions } from './producer-snapshots.ts'
import { ProducerStates } from './producer-state.ts'

export class DurableProducers implements Pick<BatchObserver, 'observed' | 'rolled' | 'closing'> {
  readonly #snapshots: ProducerSnapshots
  readonly #events: Events
  #states = new ProducerStates()
  #isLoaded = false

  constructor(options: ProducerSnapshotsOptions) {
    this.#snapshots = new ProducerSnapshots(options)
    this.#events = options.events
  }

  get states(): ProducerStates {
    return this.#states
  }

  /**
   * Loads the newest snapshot and replays the log after it, one batch in each step, before the first append. `expirationMs` is
   * `producer.id.expiration.ms`. Throws StorageError; then it may be called again.
   */
  *loading(log: PartitionLog, now: number, expirationMs: number): Steps {
    this.#states = new ProducerStates()
    const newest = this.#snapshots.newest(log)
    if (newest) this.#states.restore(newest.producers)
    this.#states.expire(now, expirationMs)
    yield* this.#replaying(log, newest?.offset ?? log.firstSegmentOffset)
    this.#isLoaded = true
  }

  observed(batch: RecordBatch): AbortedTxn | undefined {
    if (batch.isLegacy || batch.producerId < 0n) return undefined
    if (!batch.isControl) {
      this.states.record(batch)
      return undefined
    }
    const marker = readEndTxnMarker(batch)
    const completed = marker && this.states.mark(marker, batch.baseOffset)
    if (completed?.result !== 'ABORT') return undefined
    const { producerId, firstOffset, lastOffset, lastStableOffset } = completed
    return { producerId, firstOffset, lastOffset, lastStableOffset }
  }

  rolled(baseOffset: bigint): void {
    this.#snapshots.write(baseOffset, this.states.entries())
  }

  /** Writes no snapshot of state that is not loaded (error, cancelled start), because the next start would rely on it. */
  async closing(endOffset: bigint): Promise<void> {
    if (this.#isLoaded) await this.#snapshots.writeSynced(endOffset, this.states.entries())
  }

  /** Replays the log from `from`. A corrupt batch ends the replay with an event: the batches before it are still served. */
  *#replaying(log: PartitionLog, from: bigint): Steps {
    if (from >= log.logEndOffset) return
    try {
      for (const batch of log.batches(from)) {
        const aborted = this.observed(batch)
        if (aborted) log.noteAborted(aborted)
        this.states.settle(log.highWatermark)
        yield
      }
    } catch (error) {
      if (!(error instanceof KafkaError && error.code === 'CORRUPT_MESSAGE')) throw error
      this.#events.emit({ type: 'ProducerStateIncomplete', topicPartition: log.folder, error })
    }
  }
}
