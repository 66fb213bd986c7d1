/** One partition log on disk without a broker: appends, reads, recovery, compaction, syncs. */

import { Cleaning } from '../../src/log/cleaner/cleaning.ts'
import { logToClean } from '../../src/log/cleaner/log-to-clean.ts'
import type { LogConfig } from '../../src/log/partition-log/log-config.ts'
import { PartitionLog } from '../../src/log/partition-log/partition-log.ts'
import { Removal } from '../../src/log/partition-log/removal.ts'
import { recoverPartition } from '../../src/log/recovery/recovery.ts'
import type { RecordBatch } from '../../src/protocol/records/batch.ts'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import { Pause, runYielding } from '../../src/runtime/pace.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { systemClocks } from '../../src/runtime/time.ts'
import { NodeStorage } from '../../src/storage/node-storage.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { DEFAULT_LOG_CONFIG } from '../log/default-log-config.ts'
import { withHighWatermark } from '../log/log-fixture.ts'
import { megabytesPerSecond, secondsOf, show, whole } from './figures.ts'

const FOLDER = 'bench-0'
/** `batch.size` of Kafka's producers by default. */
const BATCH_BYTES = 16_384
const TOTAL_BYTES = 512 * 1024 * 1024
const READ_BYTES = 1024 * 1024
const KEYS = 100_000
const SLICE_BYTES = 524_288
const SYNCS = 300
const AT_ONCE = 16

/** A batch of about BATCH_BYTES, with records of one size. */
function batchOf(recordBytes: number, keyOf: (index: number) => Buffer | null = () => null): RecordBatch {
  const value = seededRandom(1).bytes(recordBytes)
  const count = Math.max(1, Math.floor(BATCH_BYTES / recordBytes))
  const timestamp = BigInt(systemClocks.wall.now())
  return buildBatch(Array.from({ length: count }, (_, index) => ({ key: keyOf(index), value, timestamp })))
}

function open(directory: string, config: Partial<LogConfig> = {}): { log: PartitionLog; storage: NodeStorage } {
  const storage = new NodeStorage(directory)
  storage.makeDirectory(FOLDER)
  const options = {
    storage,
    folder: FOLDER,
    config: { ...DEFAULT_LOG_CONFIG, ...config },
    clocks: systemClocks,
    removal: new Removal(storage, systemClocks.deadline, new RecordingEvents()),
    random: seededRandom(1),
    events: new RecordingEvents()
  }
  const log = withHighWatermark(observer => new PartitionLog({ ...options, observer }))
  return { log, storage }
}

/** Appends the same batch until the log has `totalBytes`. Returns the number of appends. */
function fill(log: PartitionLog, batch: RecordBatch, totalBytes: number): number {
  const times = Math.ceil(totalBytes / batch.sizeInBytes)
  for (let time = 0; time < times; time++) log.append(batch, 0)
  return times
}

/** Append and read of records of three sizes. */
export async function logRates(directory: string): Promise<void> {
  for (const recordBytes of [100, 1000, 10_000]) {
    const { log, storage } = open(`${directory}/${recordBytes}`)
    const batch = batchOf(recordBytes)
    let times = 0
    const appended = await secondsOf(() => {
      times = fill(log, batch, TOTAL_BYTES)
    })
    const read = await secondsOf(() => readAll(log))
    await log.close()
    storage.close()
    const [bytes, records] = [times * batch.sizeInBytes, times * batch.recordsCount]
    show(
      `append, records of ${whole(recordBytes)} B`,
      megabytesPerSecond(bytes, appended),
      `${whole(records / appended)}/s`
    )
    show(`read, records of ${whole(recordBytes)} B`, megabytesPerSecond(bytes, read), `${whole(records / read)}/s`)
  }
}

function readAll(log: PartitionLog): void {
  const limits = { maxBytes: READ_BYTES, upTo: log.logEndOffset, minOneBatch: true }
  const recordsPerByte = Number(log.logEndOffset) / log.sizeInBytes
  for (let offset = 0n; offset < log.logEndOffset; ) {
    const { length } = log.read(offset, limits)
    offset += BigInt(Math.max(1, Math.round(length * recordsPerByte)))
  }
}

/** Recovery of a whole log after an unclean stop. */
export async function recoveryRate(directory: string): Promise<void> {
  const { log, storage } = open(directory)
  fill(log, batchOf(1000), TOTAL_BYTES)
  const { indexIntervalBytes } = DEFAULT_LOG_CONFIG
  const options = { storage, folder: FOLDER, recoveryPoint: 0n, indexIntervalBytes, lossesFrom: 0n, nowMs: 0 }
  const seconds = await secondsOf(() => recoverPartition({ ...options, events: new RecordingEvents() }))
  show('recovery', `${(seconds / (log.sizeInBytes / 1e9)).toFixed(2)} s/GB`)
  storage.close()
}

/** Compaction of 1 KB records with 100,000 keys that repeat. */
export async function compactionRate(directory: string): Promise<void> {
  const config = { isCompacted: true, isDeleted: false, segmentBytes: 64 * 1024 * 1024 }
  const { log, storage } = open(directory, config)
  const random = seededRandom(2)
  const total = TOTAL_BYTES / 2
  while (log.sizeInBytes < total)
    log.append(
      batchOf(1000, () => Buffer.from(`key ${random.below(KEYS)}`)),
      0
    )
  const toClean = logToClean(log, undefined, systemClocks.wall.now())
  const mapLimits = { memoryBytes: 134_217_728, loadFactor: 0.9 }
  let sliceBytes = 0
  const spend = (bytes: number) => {
    sliceBytes += bytes
    if (sliceBytes < SLICE_BYTES) return undefined
    sliceBytes = 0
    return new Pause()
  }
  const cleaning = new Cleaning({
    log,
    toClean,
    mapLimits,
    decompressedLimit: Number.POSITIVE_INFINITY,
    nowMs: systemClocks.wall.now(),
    spend
  })
  const seconds = await secondsOf(() => runYielding(cleaning.run(), { clocks: systemClocks }))
  show(`compaction, ${whole(KEYS)} keys`, megabytesPerSecond(toClean.cleanableBytes, seconds))
  await log.close()
  storage.close()
}

/** Appends with a sync before each response: by one producer, and by several whose batches share syncs. */
export async function syncRates(directory: string): Promise<void> {
  for (const producers of [1, AT_ONCE]) {
    const { log, storage } = open(`${directory}/${producers}`, { flushMessages: 1 })
    const batch = batchOf(1000)
    const produce = async () => {
      for (let time = 0; time < SYNCS; time++) {
        log.append(batch, 0)
        await log.settled()
      }
    }
    const seconds = await secondsOf(() => Promise.all(Array.from({ length: producers }, produce)))
    const batches = SYNCS * producers
    show(
      `flush.messages=1, ${producers} at once`,
      megabytesPerSecond(batches * batch.sizeInBytes, seconds),
      `${whole(batches / seconds)} batches/s`
    )
    await log.close()
    storage.close()
  }
}
