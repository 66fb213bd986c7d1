/** Helpers for tests of compaction: a compacted log of keys and values, rounds of cleaning, and the records that are left. */

import { Cleaning, type CleaningOptions, type CleaningResult } from '../../../src/log/cleaner/cleaning.ts'
import { logToClean } from '../../../src/log/cleaner/log-to-clean.ts'
import type { BatchObserver } from '../../../src/log/partition-log/batch-observer.ts'
import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import type { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../../src/protocol/records/builder.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { runYielding } from '../../../src/runtime/pace.ts'
import type { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { FOLDER, type LogChanges, openLog, reopenAfterCrash } from '../log-fixture.ts'

export const NOW = 1_700_000_000_000

/** Settings with small segments that are compacted at any ratio; tombstones stay for a second. */
export const CONFIG: Partial<LogConfig> = {
  isCompacted: true,
  isDeleted: false,
  segmentBytes: 400,
  indexIntervalBytes: 100,
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: 1000
}

export const ROOMY = { memoryBytes: 1 << 20, loadFactor: 0.9 }

/** The last offset of each producer, from the producer state. */
export class LastOffsets {
  readonly #offsets = new Map<bigint, bigint>()

  /** Observes a log that `open` opens. */
  follow(open: (observer: Partial<BatchObserver>) => PartitionLog): PartitionLog {
    const log = open({
      observed: batch => {
        this.#observe(batch)
        return undefined
      },
      isLastOfProducer: ({ producerId, lastOffset }) => this.#offsets.get(producerId) === lastOffset
    })
    for (const batch of log.batches(log.firstSegmentOffset)) this.#observe(batch)
    return log
  }

  get all(): ReadonlyMap<bigint, bigint> {
    return this.#offsets
  }

  #observe(batch: RecordBatch): void {
    if (!batch.isLegacy && batch.producerId >= 0n) this.#offsets.set(batch.producerId, batch.lastOffset)
  }
}

export function openCompacted(
  storage: MemoryStorage,
  config: Partial<LogConfig> = {},
  more: LogChanges = {}
): PartitionLog {
  return new LastOffsets().follow(observer => openLog(storage, { ...CONFIG, ...config }, { ...more, observer }))
}

export function reopenCompacted(storage: MemoryStorage, config: Partial<LogConfig> = {}): PartitionLog {
  return new LastOffsets().follow(observer => reopenAfterCrash(storage, { ...CONFIG, ...config }, { observer }))
}

/** Appends a batch of 'key=value' records; without '=' a tombstone. */
export function put(log: PartitionLog, texts: readonly string[], options: BatchOptions = {}): void {
  const records = texts.map(text => {
    const [key = '', value] = text.split('=')
    return { key: Buffer.from(key), value: value === undefined ? null : Buffer.from(value), timestamp: BigInt(NOW) }
  })
  log.append(buildBatch(records, options), 0)
}

/** Appends until the active segment is a new one, so that all earlier records can be compacted. */
export function roll(log: PartitionLog): void {
  const segmentCount = log.segments.length
  for (let number = 0; log.segments.length === segmentCount; number++) put(log, [`filler=${'x'.repeat(100)}${number}`])
}

/** Runs a round of cleaning from a checkpoint. */
export async function clean(
  log: PartitionLog,
  checkpoint?: bigint,
  changes: Partial<CleaningOptions> = {}
): Promise<CleaningResult> {
  const nowMs = changes.nowMs ?? NOW
  const toClean = logToClean(log, checkpoint, nowMs)
  const cleaning = new Cleaning({
    log,
    toClean,
    mapLimits: ROOMY,
    decompressedLimit: 1 << 20,
    spend: () => undefined,
    ...changes,
    nowMs
  })
  return runYielding(cleaning.run(), { clocks: new ManualClock() })
}

/** All records as 'offset key=value'. */
export function recordsIn(log: PartitionLog, upTo = log.logEndOffset): string[] {
  return [...log.batches(log.logStartOffset, upTo)].flatMap(batch =>
    recordsOf(batch).map(({ offset, key, value }) => `${offset} ${key}${value === null ? '' : `=${value}`}`)
  )
}

/** Same as `recordsIn`, without the records that `roll` appends. */
export function dataIn(log: PartitionLog): string[] {
  return recordsIn(log).filter(text => !text.includes('filler'))
}

/** Names of files with suffixes, which are not part of the log. */
export function stagedFiles(storage: MemoryStorage): string[] {
  return storage.list(FOLDER).flatMap(({ name }) => (/\.(cleaned|swap|deleted)$/.test(name) ? [name] : []))
}
