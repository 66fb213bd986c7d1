/** Drives a data directory with a plain and a compacted log: appends, retention, compaction and checks of the result. */

import { expect } from 'vitest'
import { Cleaning } from '../../src/log/cleaner/cleaning.ts'
import { logToClean } from '../../src/log/cleaner/log-to-clean.ts'
import { LogDirectory } from '../../src/log/directory/log-directory.ts'
import type { LogConfig } from '../../src/log/partition-log/log-config.ts'
import type { PartitionLog } from '../../src/log/partition-log/partition-log.ts'
import { checkSegment } from '../../src/log/recovery/segment-check.ts'
import { Segment } from '../../src/log/segment/segment.ts'
import { segmentPath } from '../../src/log/segment/segment-names.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import { runAtOnce, runYielding } from '../../src/runtime/pace.ts'
import type { Random } from '../../src/runtime/random.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { DIRECTORY_SETTINGS } from '../log/default-log-config.ts'
import { contents, withHighWatermark } from '../log/log-fixture.ts'
import type { Written } from './written.ts'

const TOPIC_IDS: Readonly<Record<string, string>> = {
  plain: 'J5MVhC4LQ4u3oPUZ3z2vyA',
  keyed: 'Zk2yQ1xnSVmyPlYdSWQXdw'
}
const KEYS = 5

export interface LogDirectoryDriverOptions {
  readonly storage: MemoryStorage
  readonly random: Random
  readonly clocks: ManualClock
  readonly config: LogConfig
}

export class LogDirectoryDriver {
  readonly #options: LogDirectoryDriverOptions
  readonly #directory: LogDirectory
  /** Throws if the process is dead and its response therefore counts as lost. */
  readonly #heard: () => void

  private constructor(options: LogDirectoryDriverOptions, directory: LogDirectory, heard: () => void) {
    this.#options = options
    this.#directory = directory
    this.#heard = heard
  }

  static async open(options: LogDirectoryDriverOptions, heard: () => void = () => {}): Promise<LogDirectoryDriver> {
    const directory = await LogDirectory.open({
      ...DIRECTORY_SETTINGS,
      ...options,
      events: new RecordingEvents(),
      identity: { nodeId: 1 }
    })
    const owned = ({ topic }: { topic: string }) => ({
      topicId: TOPIC_IDS[topic] ?? '',
      config: () => configOf(topic, options.config)
    })
    await directory.load({ owned })
    heard()
    return new LogDirectoryDriver(options, directory, heard)
  }

  /** A batch of up to three records. In a compacted log they have few keys, some with tombstones. */
  async append(written: Written, random: Random): Promise<void> {
    const log = this.#log(written)
    const records = Array.from({ length: 1 + random.below(3) }, () => ({
      key: Buffer.from(`key ${random.below(KEYS)}`),
      value: random.below(6) === 0 ? null : random.bytes(random.below(60)),
      timestamp: BigInt(this.#options.clocks.wall.now())
    }))
    const codec = random.below(4) === 0 ? 'gzip' : 'none'
    const batch = buildBatch(records, { codec })
    try {
      log.append(batch, 0)
    } finally {
      written.attempted(batch)
    }
    await log.settled()
    this.#heard()
    written.acknowledged()
  }

  moveStart(written: Written, random: Random): void {
    const log = this.#log(written)
    const offset = log.logStartOffset + BigInt(random.below(Number(log.highWatermark - log.logStartOffset) + 1))
    written.mayStartAt(offset)
    log.moveLogStart(offset)
  }

  retain(written: Written): void {
    const log = this.#log(written)
    written.mayStartAt(log.logEndOffset)
    while (log.deleteOldSegments() > 0);
  }

  async compact(written: Written): Promise<void> {
    const log = this.#log(written)
    const { cleanerOffsets } = this.#directory
    const nowMs = this.#options.clocks.wall.now()
    const toClean = logToClean(log, cleanerOffsets.get(log.folder), nowMs)
    if (toClean.cleanableBytes === 0) return
    const mapLimits = { memoryBytes: 10_000, loadFactor: 0.9 }
    const cleaning = new Cleaning({
      log,
      toClean,
      mapLimits,
      decompressedLimit: 1 << 20,
      nowMs,
      spend: () => undefined
    })
    const { endOffset } = await runYielding(cleaning.run(), this.#options)
    cleanerOffsets.set(log.folder, endOffset)
    this.#heard()
  }

  checkpoint(): void {
    this.#directory.checkpoint()
    this.#heard()
  }

  async close(): Promise<void> {
    await this.#directory.close()
    this.#heard()
  }

  checkList(written: Written, promised: Parameters<Written['checkList']>[3]): void {
    const log = this.#log(written)
    written.checkList(contents(log), log.logStartOffset, log.logEndOffset, promised)
  }

  checkMap(written: Written, promised: Parameters<Written['checkMap']>[2]): void {
    const log = this.#log(written)
    const batches = contents(log).flatMap(({ bytes }) => [...batchesIn(bytes)])
    written.checkMap(batches, log.logEndOffset, promised)
  }

  end(written: Written): bigint {
    return this.#log(written).logEndOffset
  }

  #log({ topic }: Written): PartitionLog {
    const partition = { topic, partition: 0 }
    const config = configOf(topic, this.#options.config)
    const log = withHighWatermark(observer => this.#directory.log(partition, TOPIC_IDS[topic] ?? '', config, observer))
    this.#heard()
    return log
  }
}

function configOf(topic: string, config: LogConfig): LogConfig {
  return topic === 'keyed' ? { ...config, isDeleted: false, isCompacted: true } : config
}

/** The indexes of a folder's segments from an offset equal, byte for byte, those rebuilt from the logs. */
export function checkIndexes(storage: MemoryStorage, folder: string, from: bigint, indexIntervalBytes: number): void {
  const logs = storage.list(folder).filter(({ name }) => /^\d{20}\.log$/.test(name))
  for (const { name } of logs) {
    const baseOffset = BigInt(name.slice(0, 20))
    if (baseOffset < from) continue
    const rebuilt = new MemoryStorage()
    rebuilt.makeDirectory(folder)
    rebuilt.append(`${folder}/${name}`, storage.read(`${folder}/${name}`, 0, storage.size(`${folder}/${name}`)))
    const segment = new Segment(rebuilt, folder, baseOffset, 0)
    runAtOnce(checkSegment(rebuilt, segment, indexIntervalBytes))
    segment.finish()
    for (const suffix of ['index', 'timeindex'] as const) {
      const path = segmentPath(folder, baseOffset, suffix)
      const bytes = (of: MemoryStorage) => of.read(path, 0, of.size(path)).toString('hex')
      expect(bytes(storage), path).toBe(bytes(rebuilt))
    }
  }
}
