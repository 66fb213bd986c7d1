/** Drives the metadata log on memory storage with a manual clock: opens it as a broker does, and creates topics. */

import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { Removal } from '../../../src/log/partition-log/removal.ts'
import { recoverPartition } from '../../../src/log/recovery/recovery.ts'
import { createTopics } from '../../../src/metadata/decisions/create-topics.ts'
import type { MetadataImage } from '../../../src/metadata/image/image.ts'
import { imageRecords } from '../../../src/metadata/image/image-records.ts'
import { MetadataLog } from '../../../src/metadata/log/metadata-log.ts'
import { followSnapshot } from '../../../src/metadata/log/snapshots.ts'
import { encodeMetadataRecord } from '../../../src/metadata/records.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { BackgroundLoops } from '../../../src/runtime/background.ts'
import { randomUuid, seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage, type MemoryStorageOptions } from '../../../src/storage/memory-storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { DEFAULT_LOG_CONFIG } from '../../log/default-log-config.ts'

export const FOLDER = '__cluster_metadata-0'
export const LOG_FILE = `${FOLDER}/00000000000000000000.log`
export const VOTERS_FILE = `${FOLDER}/00000000000000000000-0000000000.checkpoint`
export const DIRECTORY = 'EBESExQVFhcYGRobHB0eHw'

export class MetadataLogDriver {
  /** A test replaces it after a simulated crash. */
  storage: MemoryStorage
  readonly clock = new ManualClock(1_700_000_000_000)
  readonly random = seededRandom(1)
  readonly events = new RecordingEvents()
  readonly background = new BackgroundLoops({
    clocks: this.clock,
    failed: error => {
      throw error
    }
  })
  readonly #config: LogConfig

  constructor(options?: MemoryStorageOptions, config: Partial<LogConfig> = {}) {
    this.storage = new MemoryStorage(options)
    this.#config = { ...DEFAULT_LOG_CONFIG, retentionMs: -1, ...config }
  }

  /** Opens the log as a start after an unclean stop does. */
  open(nodeId = 1, failed: (error: unknown) => void = raise): { log: PartitionLog; metadata: MetadataLog } {
    const { storage, clock, random, events } = this
    storage.makeDirectory(FOLDER)
    recoverPartition({
      storage,
      folder: FOLDER,
      recoveryPoint: 0n,
      indexIntervalBytes: 4096,
      lossesFrom: undefined,
      nowMs: 0,
      events
    })
    followSnapshot({ storage, folder: FOLDER, nowMs: clock.wall.now(), events })
    const removal = new Removal(storage, clock.deadline, events)
    const config = this.#config
    const log = new PartitionLog({ storage, folder: FOLDER, config, clocks: clock, random, events, removal })
    return {
      log,
      metadata: new MetadataLog({ log, storage, clocks: clock, events, nodeId, directoryId: DIRECTORY, failed })
    }
  }

  /** Creates topics with three partitions. */
  createTopics(metadata: MetadataLog, ...names: string[]): void {
    const topics = names.map(name => ({
      name,
      numPartitions: 3,
      replicationFactor: -1,
      assignments: [],
      configs: [{ name: 'cleanup.policy', value: 'compact' }]
    }))
    const { records } = createTopics(metadata.image, topics, {
      brokers: [{ nodeId: 1, directoryId: DIRECTORY }],
      numPartitions: 1,
      defaultReplicationFactor: 1,
      maxPartitions: 100_000,
      newTopicId: () => randomUuid(this.random),
      overrides: configs => new Map(configs.map(({ name, value }) => [name, value ?? '']))
    })
    metadata.append(records)
  }

  /** The names of the files in the folder. */
  files(): string[] {
    return this.storage.list(FOLDER).map(({ name }) => name)
  }

  text(path: string): string {
    return this.storage.read(path, 0, this.storage.size(path)).toString('utf8')
  }

  /** Appends a batch of values that no broker writes. */
  append(values: readonly Buffer[]): void {
    const { log } = this.open()
    const records = values.map(value => ({ timestamp: 0n, key: null, value }))
    log.append(buildBatch(records), 1)
  }
}

function raise(error: unknown): never {
  throw error
}

/** The id of an existing topic. */
export function topicIdOf(metadata: MetadataLog, name: string): string {
  return metadata.image.topicsByName.get(name)?.topicId ?? ''
}

/** The content of an image as text in a fixed order: images with the same text describe the same cluster. */
export function contentOf(image: MetadataImage): string[] {
  return Array.from(
    imageRecords(image),
    record => `${record.type} ${encodeMetadataRecord(record).toString('hex')}`
  ).sort()
}
