/**
 * The log cleaner: compacts due logs, the dirtiest first, until none is due, then waits for log.cleaner.backoff.ms. It works
 * in slices between requests.
 */

import type { Settings } from '../../config/settings.ts'
import { rows, type ViewOf } from '../../config/view.ts'
import type { Events } from '../../events/event.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { BackgroundLoops } from '../../runtime/background.ts'
import { Pause, type Steps } from '../../runtime/pace.ts'
import type { Clocks } from '../../runtime/time.ts'
import { StorageError } from '../../storage/storage.ts'
import type { PartitionLog } from '../partition-log/partition-log.ts'
import { Cleaning, CleaningAborted } from './cleaning.ts'
import { dirtiest, type LogToClean, logToClean } from './log-to-clean.ts'

const CLEANER_ROWS = rows({
  backoffMs: 'log.cleaner.backoff.ms',
  dedupeBufferSize: 'log.cleaner.dedupe.buffer.size',
  loadFactor: 'log.cleaner.io.buffer.load.factor',
  sliceBytes: 'log.cleaner.io.buffer.size',
  maxBytesPerSecond: 'log.cleaner.io.max.bytes.per.second',
  decompressedLimit: 'minikafka.max.decompressed.bytes'
})

/** Cleaner offset checkpoint: end of the compacted part of each log, by folder. Later processes read it too. */
export interface CleanerOffsets {
  get(folder: string): bigint | undefined
  /** Sets the offset and writes the checkpoint. */
  set(folder: string, offset: bigint): void
}

export interface LogCleanerPorts {
  readonly clocks: Clocks
  readonly events: Events
  readonly offsets: CleanerOffsets
  readonly settings: Settings
  /** All compacted logs. The iteration opens them one by one, because there may be many. */
  logs(): Iterable<PartitionLog>
}

/** Bytes of a step: many small batches, because each yield costs about a microsecond. */
const STEP_BYTES = 16_384

interface Candidate {
  readonly log: PartitionLog
  readonly toClean: LogToClean
}

export class LogCleaner {
  readonly #ports: LogCleanerPorts
  readonly #settings: ViewOf<typeof CLEANER_ROWS>
  /** Logs that cannot be compacted. They are skipped until restart. */
  readonly #uncleanable = new WeakSet<PartitionLog>()
  /** Logs whose compaction failed in this run. The next run tries them again. */
  #postponed = new WeakSet<PartitionLog>()
  #slice = { bytes: 0, beganMs: 0 }
  #stepBytes = 0

  constructor(ports: LogCleanerPorts) {
    this.#ports = ports
    this.#settings = ports.settings.view(CLEANER_ROWS)
  }

  /** Starts the cleaner, first after log.cleaner.backoff.ms. As in Kafka, the delay counts from the end of a run. */
  start(background: BackgroundLoops): void {
    const delayMs = () => this.#settings.backoffMs
    background.start({ name: 'log cleaner', delayMs, delayFrom: 'end', work: () => this.#run() })
  }

  *#run(): Steps {
    this.#postponed = new WeakSet()
    try {
      while (yield* this.#pass()) yield
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#ports.events.emit({ type: 'CleanerFailed', error })
    }
  }

  /** Compacts the dirtiest log, then deletes old segments of all compacted logs. Returns whether a log was due. */
  *#pass(): Steps<boolean> {
    const candidates: Candidate[] = []
    for (const log of this.#logs()) {
      yield* this.#attempt(log, () => this.#findCandidate(log, candidates))
    }
    const chosen = dirtiest(candidates)
    if (chosen) yield* this.#attempt(chosen.log, () => this.#clean(chosen))
    for (const log of this.#logs()) {
      yield* this.#attempt(log, () => deleteOldSegments(log))
      yield
    }
    return chosen !== undefined
  }

  *#logs(): Iterable<PartitionLog> {
    for (const log of this.#ports.logs()) if (!this.#isSkipped(log)) yield log
  }

  #isSkipped(log: PartitionLog): boolean {
    return log.isOffline || this.#uncleanable.has(log) || this.#postponed.has(log)
  }

  /** Runs work on one log. An error emits an event and does not stop the compaction of other logs. */
  *#attempt(log: PartitionLog, work: () => Steps): Steps {
    const topicPartition = log.folder
    const { events } = this.#ports
    try {
      yield* work()
    } catch (error) {
      if (error instanceof CleaningAborted || log.isOffline) {
        events.emit({ type: 'CompactionAborted', topicPartition, error })
        this.#postponed.add(log)
      } else if (error instanceof StorageError) {
        events.emit({ type: 'CompactionFailed', topicPartition, error })
        this.#postponed.add(log)
      } else {
        events.emit({ type: 'LogUncleanable', topicPartition, error })
        this.#uncleanable.add(log)
      }
    }
  }

  *#findCandidate(log: PartitionLog, candidates: Candidate[]): Steps {
    const toClean = this.#toCleanOf(log)
    if (toClean.isDue) candidates.push({ log, toClean })
    yield
  }

  #toCleanOf(log: PartitionLog): LogToClean {
    const { clocks, events, offsets } = this.#ports
    const { folder, config } = log
    const checkpoint = offsets.get(folder)
    const toClean = logToClean(log, checkpoint, clocks.wall.now())
    if (toClean.hasBadCheckpoint) {
      // With cleanup.policy=compact,delete, retention may have deleted the offset, which needs no warning.
      if (!config.isDeleted) {
        const { firstDirtyOffset } = toClean
        events.emit({ type: 'CleanerOffsetInvalid', topicPartition: folder, checkpoint, firstDirtyOffset })
      }
      offsets.set(folder, toClean.firstDirtyOffset)
    }
    return toClean
  }

  *#clean({ log, toClean }: Candidate): Steps {
    const { clocks, events, offsets } = this.#ports
    const { dedupeBufferSize, loadFactor, decompressedLimit } = this.#settings
    const beganMs = clocks.loop.now()
    this.#slice = { bytes: 0, beganMs }
    const mapLimits = { memoryBytes: dedupeBufferSize, loadFactor }
    const spend = (bytes: number) => this.#spend(bytes)
    const done = yield* new Cleaning({
      log,
      toClean,
      mapLimits,
      nowMs: clocks.wall.now(),
      decompressedLimit,
      spend
    }).run()
    if (log.isOffline) return
    offsets.set(log.folder, done.endOffset)
    const { bytesBefore, bytesAfter, recordsBefore, recordsAfter } = done
    const recordsDropped = recordsBefore - recordsAfter
    const tookMs = clocks.loop.now() - beganMs
    const topicPartition = log.folder
    events.emit({ type: 'LogCompacted', topicPartition, bytesBefore, bytesAfter, recordsDropped, tookMs })
  }

  /**
   * Counts bytes that were read or written. A slice ends after log.cleaner.io.buffer.size bytes. The pause after it keeps the
   * rate at log.cleaner.io.max.bytes.per.second.
   */
  #spend(bytes: number): Pause | 'step' | undefined {
    const { clocks } = this.#ports
    const { sliceBytes, maxBytesPerSecond } = this.#settings
    this.#slice.bytes += bytes
    this.#stepBytes += bytes
    if (this.#stepBytes < STEP_BYTES && this.#slice.bytes < sliceBytes) return undefined
    this.#stepBytes = 0
    if (this.#slice.bytes < sliceBytes) return 'step'
    const nowMs = clocks.loop.now()
    const dueMs = this.#slice.beganMs + (this.#slice.bytes / maxBytesPerSecond) * 1000
    this.#slice = { bytes: 0, beganMs: Math.max(nowMs, dueMs) }
    return new Pause(dueMs - nowMs)
  }
}

function* deleteOldSegments(log: PartitionLog): Steps {
  while (log.deleteOldSegments() > 0) yield
}
