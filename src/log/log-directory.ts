/**
 * One data directory: whose it is, whether it was closed clean, its checkpoints, and a log for every partition, opened on
 * first use. After `open` no partition needs recovery any more.
 */
import type { Alarm, Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import { DirectoryCheckpoints } from './directory-checkpoints.ts'
import { FolderRemoval } from './folder-removal.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts'
import { claimDirectory, type Identity, type MetaProperties } from './meta-properties.ts'
import {
  folderOf,
  METADATA_FOLDER,
  parseFolder,
  readTopicId,
  setAsideName,
  type TopicPartition,
  writeTopicId
} from './partition-folder.ts'
import { PartitionLog } from './partition-log.ts'
import { lacksIndexes, recoverPartition } from './recovery.ts'
import { replaceFileSynced, type Storage, StorageError } from './storage.ts'

/** Kafka's name for the mark of a clean stop. */
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'

const CHECKPOINT_INTERVAL_MS = 60_000
/** Logs that are brought to the disk at the same time when the directory is closed. */
const CLOSING_AT_ONCE = 8

/** What a data directory needs from outside, and who its node is to be. */
export interface LogDirectoryOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly identity: Identity
}

export class LogDirectory {
  readonly meta: MetaProperties
  /** Whether the last process closed it. */
  readonly wasClean: boolean
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  readonly #checkpoints: DirectoryCheckpoints
  readonly #logs = new Map<string, PartitionLog>()
  /** Folders that could not be recovered, and why. Their logs stay offline, and the directory unclean. */
  readonly #broken = new Map<string, StorageError>()
  readonly #removal: FolderRemoval
  #checkpointAlarm: Alarm | undefined

  private constructor(options: LogDirectoryOptions, meta: MetaProperties, wasClean: boolean) {
    const { storage, logger } = options
    this.meta = meta
    this.wasClean = wasClean
    this.#storage = storage
    this.#clock = options.clock
    this.#random = options.random
    this.#logger = logger
    this.#removal = new FolderRemoval(storage, options.clock, logger)
    this.#checkpoints = new DirectoryCheckpoints(storage, logger)
  }

  /**
   * Opens a data directory, or makes an empty one Kafka's. Takes the mark of a clean stop away before anything else,
   * and recovers all partitions where there was none. Throws DataDirectoryError for a directory of somebody else.
   */
  static async open(options: LogDirectoryOptions): Promise<LogDirectory> {
    const { storage, random, identity } = options
    const meta = await claimDirectory(storage, random, identity)
    const wasClean = storage.exists(CLEAN_SHUTDOWN_FILE)
    if (wasClean) {
      storage.removeNow(CLEAN_SHUTDOWN_FILE)
      await storage.sync('')
    }
    const directory = new LogDirectory(options, meta, wasClean)
    directory.#load()
    directory.#armCheckpoint()
    return directory
  }

  /** The log of a partition, opened, and its folder made, if this is the first use. */
  log(partition: TopicPartition, topicId: string, config: LogConfig): PartitionLog {
    const folder = folderOf(partition)
    const opened = this.#logs.get(folder)
    if (opened) return opened
    this.#prepareFolder(partition, topicId)
    if (!this.#broken.has(folder) && lacksIndexes(this.#storage, folder)) this.#remakeIndexes(folder)
    const broken = this.#broken.get(folder)
    if (broken) throw broken
    const log = new PartitionLog({
      storage: this.#storage,
      folder,
      config,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger,
      logStartOffset: this.#checkpoints.logStart(folder),
      recoveryPoint: this.#checkpoints.recoveryPoint(folder)
    })
    this.#logs.set(folder, log)
    return log
  }

  /** Whether a partition has a folder. */
  has(partition: TopicPartition): boolean {
    return this.#storage.exists(folderOf(partition))
  }

  /**
   * Puts folders aside that no topic owns, as Kafka does: renamed with the suffix -stray and otherwise left alone.
   * `topicIdOf` gives the id of the topic that a partition belongs to.
   */
  setAsideStrays(topicIdOf: (partition: TopicPartition) => string | undefined): void {
    for (const { folder, partition } of this.#folders()) {
      const expected = topicIdOf(partition)
      const found = readTopicId(this.#storage, folder)
      if (expected === undefined || (found !== undefined && found !== expected)) this.#setAside(partition, 'stray')
    }
  }

  /** Deletes a partition: its folder gets another name at once and goes after `delayMs` (file.delete.delay.ms). */
  deleteLog(partition: TopicPartition, delayMs: number): void {
    const renamed = this.#setAside(partition, 'delete')
    if (renamed !== undefined) this.#removal.after(delayMs, renamed)
  }

  /** Writes down how far every log is known to be on the disk, where it starts, and its high watermark. */
  checkpoint(): void {
    this.#checkpoints.note(this.#logs.values())
    this.#checkpoints.write()
  }

  /**
   * Brings everything to the disk and leaves the mark of a clean stop, last of all. Where a log cannot be closed there
   * is no mark, and the next start recovers. The storage stays open, it is the caller's.
   */
  async close(): Promise<void> {
    this.#checkpointAlarm?.cancel()
    await this.#removal.stop()
    const metadata = this.#logs.get(METADATA_FOLDER)
    const others = [...this.#logs.values()].filter(log => log !== metadata)
    let isClean = await this.#closeLogs(others)
    this.#checkpoints.note(others)
    isClean = (await this.#closing('the checkpoints', () => this.#checkpoints.save())) && isClean
    if (metadata) isClean = (await this.#closeLogs([metadata])) && isClean
    this.#logs.clear()
    if (!isClean || this.#broken.size > 0) return
    const mark = Buffer.from('{"version":0,"brokerEpoch":-1}')
    await this.#closing('the mark', () => replaceFileSynced(this.#storage, CLEAN_SHUTDOWN_FILE, mark))
  }

  #load(): void {
    if (!this.wasClean && this.#folders().length > 0) {
      this.#logger.info({}, 'the data directory was not closed by its last process: its partitions are checked')
    }
    for (const { name, kind } of this.#storage.list('')) {
      if (kind !== 'directory') continue
      const parsed = parseFolder(name)
      if (parsed === 'delete') this.#removal.begin(name)
      else if (parsed === undefined || parsed === 'stray' || parsed === 'future') {
        this.#logger.warn({ folder: name }, 'a folder of the data directory is no partition in use: it is left alone')
      } else if (!this.wasClean || name === METADATA_FOLDER) this.#recover(name)
    }
  }

  #recover(folder: string): void {
    try {
      recoverPartition({
        storage: this.#storage,
        folder,
        recoveryPoint: this.#checkpoints.recoveryPoint(folder) ?? 0n,
        indexIntervalBytes: DEFAULT_LOG_CONFIG.indexIntervalBytes,
        nowMs: this.#clock.now(),
        logger: this.#logger
      })
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#logger.error({ folder, error }, 'a partition could not be recovered: it is offline until restart')
      this.#broken.set(folder, error)
    }
  }

  #remakeIndexes(folder: string): void {
    this.#logger.warn({ folder }, 'a partition lacks index files that fit it: it is checked, and they are made again')
    this.#recover(folder)
  }

  #folders(): { folder: string; partition: TopicPartition }[] {
    return this.#storage.list('').flatMap(({ name, kind }) => {
      const parsed = kind === 'directory' && name !== METADATA_FOLDER ? parseFolder(name) : undefined
      return typeof parsed === 'object' ? [{ folder: name, partition: parsed }] : []
    })
  }

  /** Makes the folder of a partition say whose it is. One that an earlier topic of that name has left is set aside. */
  #prepareFolder(partition: TopicPartition, topicId: string): void {
    const folder = folderOf(partition)
    const found = readTopicId(this.#storage, folder)
    if (found === topicId) return
    // There was never another metadata log: such a file is damaged, the log speaks for itself.
    if (found !== undefined && folder !== METADATA_FOLDER) this.#setAside(partition, 'stray')
    if (!this.#storage.exists(folder)) {
      // What the checkpoints say is of an earlier partition of that name.
      this.#checkpoints.forget(folder)
      this.#checkpoints.write()
      this.#storage.makeDirectory(folder)
    }
    writeTopicId(this.#storage, folder, topicId)
  }

  /** Renames a folder and forgets all that is known of it. Returns its new name, or undefined if it was never made. */
  #setAside(partition: TopicPartition, why: 'delete' | 'stray'): string | undefined {
    const folder = folderOf(partition)
    if (!this.#storage.exists(folder)) return undefined
    const renamed = setAsideName(partition, why, this.#random)
    this.#storage.rename(folder, renamed)
    this.#logs.get(folder)?.abandon()
    this.#logs.delete(folder)
    this.#broken.delete(folder)
    this.#checkpoints.forget(folder)
    if (why === 'stray') this.#logger.warn({ folder, renamed }, 'a partition that no topic owns has been put aside')
    return renamed
  }

  #armCheckpoint(): void {
    this.#checkpointAlarm = this.#clock.at(this.#clock.now() + CHECKPOINT_INTERVAL_MS, () => {
      this.#armCheckpoint()
      try {
        this.checkpoint()
      } catch (error) {
        this.#logger.warn({ error }, 'checkpoints could not be written: a restart may take longer')
      }
    })
  }

  async #closeLogs(logs: PartitionLog[]): Promise<boolean> {
    let isClean = true
    const waiting = logs.values()
    const closeNext = async () => {
      for (const log of waiting) isClean = (await this.#closing(log.folder, () => log.close())) && isClean
    }
    await Promise.all(Array.from({ length: CLOSING_AT_ONCE }, closeNext))
    return isClean
  }

  /** Takes one step of a stop. One that fails does not spare the others, but the stop is not clean. */
  async #closing(what: string, step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      this.#logger.error({ error }, `${what} could not be written out: the next start checks what is there`)
      return false
    }
  }
}
