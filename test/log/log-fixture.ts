/** Helpers for tests of the log: batches with random records, and a log in memory. */

import type { BatchObserver } from '../../src/log/partition-log/batch-observer.ts'
import type { LogConfig } from '../../src/log/partition-log/log-config.ts'
import { PartitionLog, type PartitionLogOptions } from '../../src/log/partition-log/partition-log.ts'
import { Removal } from '../../src/log/partition-log/removal.ts'
import { recoverPartition } from '../../src/log/recovery/recovery.ts'
import { batchesIn, type RecordBatch } from '../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../src/protocol/records/builder.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { DEFAULT_LOG_CONFIG } from './default-log-config.ts'

export const FOLDER = 't-0'
/** Timestamp of the first records. */
export const T0 = 1_700_000_000_000n

/** A batch whose records have these timestamps, and values of the given size in bytes. */
export function batchOf(timestamps: readonly bigint[], valueBytes = 10, options: BatchOptions = {}): RecordBatch {
  const value = Buffer.alloc(valueBytes, 'v')
  return buildBatch(
    timestamps.map(timestamp => ({ key: null, value, timestamp })),
    options
  )
}

/** Appends batches of the given numbers of records, a millisecond apart. */
export function fill(log: PartitionLog, recordCounts: readonly number[], valueBytes = 10): void {
  for (const count of recordCounts) {
    const first = T0 + log.logEndOffset
    log.append(
      batchOf(
        Array.from({ length: count }, (_, index) => first + BigInt(index)),
        valueBytes
      ),
      0
    )
  }
}

/** Options for a log in the folder FOLDER of `storage`. */
export function logOptions(
  storage: MemoryStorage,
  config: Partial<LogConfig> = {},
  more: Partial<PartitionLogOptions> = {}
): PartitionLogOptions {
  storage.makeDirectory(FOLDER)
  const clocks = more.clocks ?? new ManualClock()
  return {
    storage,
    folder: FOLDER,
    config: { ...DEFAULT_LOG_CONFIG, ...config },
    clocks,
    removal: new Removal(storage, clocks.deadline, new RecordingEvents()),
    random: seededRandom(1),
    events: new RecordingEvents(),
    ...more
  }
}

/** A log in memory, on a new storage or on one that has a log already. Each append moves its high watermark. */
export function openLog(
  storage = new MemoryStorage(),
  config: Partial<LogConfig> = {},
  more: LogChanges = {}
): PartitionLog {
  return withHighWatermark(
    observer => new PartitionLog(logOptions(storage, config, { ...more, observer })),
    more.observer
  )
}

/** Opens a log whose high watermark is its log end offset. `observer` sees the log, too. */
export function withHighWatermark(
  open: (observer: BatchObserver) => PartitionLog,
  observer: Partial<BatchObserver> = {}
): PartitionLog {
  const log: PartitionLog = open({
    firstUnstableOffset: () => undefined,
    isLastOfProducer: () => false,
    flushed: () => {},
    offline: () => {},
    rolled: () => {},
    closing: async () => {},
    ...observer,
    observed: batch => {
      log.advanceHighWatermark(batch.nextOffset)
      return observer.observed?.(batch)
    }
  })
  return log
}

/** Options of a log in a test. An observer may observe a part. */
export type LogChanges = Partial<Omit<PartitionLogOptions, 'observer'>> & { readonly observer?: Partial<BatchObserver> }

/** Changes settings of an open log, as a change of its topic's configs does. */
export function reconfigure(log: PartitionLog, changes: Partial<LogConfig>): void {
  Object.assign(log.config, changes)
  log.reconfigured()
}

/** Opens the log of a process that died. */
export function reopenAfterCrash(
  storage: MemoryStorage,
  config: Partial<LogConfig> = {},
  more: LogChanges = {}
): PartitionLog {
  const { indexIntervalBytes, isCompacted } = { ...DEFAULT_LOG_CONFIG, ...config }
  recoverPartition({
    storage,
    folder: FOLDER,
    recoveryPoint: more.recoveryPoint ?? 0n,
    indexIntervalBytes,
    lossesFrom: isCompacted ? undefined : (more.recoveryPoint ?? 0n),
    nowMs: 0,
    events: more.events ?? new RecordingEvents()
  })
  return openLog(storage, config, more)
}

/** All batches that a consumer can read, as offsets and bytes. */
export function contents(log: PartitionLog): { baseOffset: bigint; bytes: Buffer }[] {
  const found: { baseOffset: bigint; bytes: Buffer }[] = []
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const bytes = log.read(offset, { maxBytes: 1 << 20, upTo: log.logEndOffset, minOneBatch: true })
    if (bytes.length === 0) break
    for (const batch of batchesIn(bytes)) {
      found.push({ baseOffset: batch.baseOffset, bytes: Buffer.from(batch.bytes) })
      offset = batch.nextOffset
    }
  }
  return found
}
