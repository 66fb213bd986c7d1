/**
 * One data directory: whose it is, whether it was closed clean, its checkpoints, and a log for every partition, opened on
 * first use. `open` gives the metadata log, which tells whose all other folders are; `load` then makes those fit for use.
 */
import type { Settings } from '../../config/settings.ts'
import type { BackgroundLoops } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/logger.ts'
import { runYielding } from '../../runtime/pace.ts'
import type { Random } from '../../runtime/random.ts'
import type { Clocks } from '../../runtime/time.ts'
import { replaceFileSynced, type Storage } from '../../storage/storage.ts'
import type { CleanerOffsets } from '../cleaner/cleaner.ts'
import { folderOf, METADATA_FOLDER, parseFolder, type TopicPartition } from '../partition-folder.ts'
import type { LogConfig } from '../partition-log/log-config.ts'
import { PartitionLog } from '../partition-log/partition-log.ts'
import { Removal } from '../partition-log/removal.ts'
import type { ProgressListener } from '../recovery/recovery-progress.ts'
import { DirectoryCheckpoints } from './directory-checkpoints.ts'
import { DirectoryRecovery } from './directory-recovery.ts'
import { claimDirectory, type Identity, META_PROPERTIES_FILE, type MetaProperties } from './meta-properties.ts'
import { PartitionFolders } from './partition-folders.ts'

/** Kafka's name for the mark of a clean stop. */
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'

/** Logs that are brought to the disk at the same time when the directory is closed. */
const CLOSING_AT_ONCE = 8

/** What a data directory needs from outside, and who its node is to be. */
export interface LogDirectoryOptions {
  readonly storage: Storage
  readonly clocks: Clocks
  readonly random: Random
  readonly logger: Logger
  readonly identity: Identity
  /** The settings of the metadata log, which is recovered before any other. */
  readonly metadataLog: LogConfig
  /** Calls the opening off: it rejects, and the directory stays as unclean as it was. */
  readonly signal?: AbortSignal | undefined
}

/** A partition that belongs to a topic: which, and how its log is kept. */
export interface OwnedPartition {
  readonly topicId: string
  config(): LogConfig
}

/** How the partitions of a directory are loaded. */
export interface LoadOptions {
  /** What the metadata knows of a partition, undefined for one that no topic has. */
  readonly owned: (partition: TopicPartition) => OwnedPartition | undefined
  /** What is to be done with a partition that was recovered, before the load is over. */
  readonly recovered?: (partition: TopicPartition) => Iterable<unknown>
  readonly progress?: ProgressListener
  readonly signal?: AbortSignal | undefined
}

/** What everything in a directory is made with. */
interface World extends Pick<LogDirectoryOptions, 'storage' | 'clocks' | 'random' | 'logger'> {
  readonly removal: Removal
}

export class LogDirectory {
  readonly meta: MetaProperties
  /** Up to where logs have been compacted, by their folders. */
  readonly cleanerOffsets: CleanerOffsets
  /** Whether the last process closed it. */
  readonly wasClean: boolean
  readonly #world: World
  readonly #checkpoints: DirectoryCheckpoints
  readonly #logs = new Map<string, PartitionLog>()
  readonly #folders: PartitionFolders
  readonly #recovery: DirectoryRecovery

  private constructor(options: LogDirectoryOptions, meta: MetaProperties, wasClean: boolean) {
    const { storage, clocks, random, logger } = options
    const removal = new Removal(storage, clocks.deadline, logger)
    const checkpoints = new DirectoryCheckpoints(storage, logger)
    this.meta = meta
    this.wasClean = wasClean
    this.#world = { storage, clocks, random, logger, removal }
    this.#checkpoints = checkpoints
    this.#folders = new PartitionFolders({
      ...this.#world,
      forget: folder => this.#forget(folder),
      // What the checkpoints say of a name may be of an earlier partition.
      making: folder => {
        checkpoints.forget(folder)
        checkpoints.write()
      }
    })
    const discard = (path: string) => removal.begin([path])
    const unclean = wasClean ? [METADATA_FOLDER] : [METADATA_FOLDER, ...this.#folders.list().keys()]
    this.#recovery = new DirectoryRecovery({ ...this.#world, checkpoints, discard }, unclean)
    this.cleanerOffsets = {
      get: folder => this.#checkpoints.cleanerOffset(folder),
      set: (folder, offset) => this.#checkpoints.setCleanerOffset(folder, offset)
    }
  }

  /**
   * Opens a data directory, or makes an empty one Kafka's. Takes the mark of a clean stop away before anything else,
   * and recovers the metadata log. Throws DataDirectoryError for a directory of somebody else.
   */
  static async open(options: LogDirectoryOptions): Promise<LogDirectory> {
    const { storage, clocks, random, identity, signal, metadataLog } = options
    const isNew = !storage.exists(META_PROPERTIES_FILE)
    const meta = await claimDirectory(storage, random, identity)
    const wasClean = storage.exists(CLEAN_SHUTDOWN_FILE)
    if (wasClean) {
      storage.removeNow(CLEAN_SHUTDOWN_FILE)
      await storage.sync('')
    }
    const directory = new LogDirectory(options, meta, wasClean)
    if (isNew) await directory.#checkpoints.begin()
    await runYielding(directory.#recovery.checking(METADATA_FOLDER, metadataLog), { clocks, signal })
    return directory
  }

  /**
   * Puts folders aside that no topic owns, as Kafka does: renamed with the suffix -stray and otherwise left alone. After
   * an unclean stop it then recovers all others, in slices. After a clean one it touches none of them: what else there
   * is to do with a folder is done when it is first used, and a start does not grow with the number of partitions.
   */
  async load({ owned, recovered = () => [], progress, signal }: LoadOptions): Promise<void> {
    const folders = this.#folders.list()
    for (const folder of this.#checkpoints.lacking(folders)) {
      const partition = parseFolder(folder)
      if (typeof partition !== 'object' || !owned(partition)) continue
      this.#world.logger.warn({ folder }, 'the folder of a partition is gone with all that was in it: it begins anew')
    }
    const kept = [...folders].flatMap(([folder, partition]) => {
      const owner = owned(partition)
      const isOwned = owner && (this.wasClean || this.#folders.isOf(folder, owner.topicId))
      if (!isOwned) this.#folders.setAside(partition, 'stray')
      return isOwned ? [{ folder, partition, config: () => owner.config() }] : []
    })
    this.#checkpoints.keepOnly(new Set(kept.map(({ folder }) => folder)))
    this.#folders.clear()
    if (this.wasClean || kept.length === 0) return
    this.#world.logger.info(
      { partitions: kept.length },
      'the data directory was not closed by its last process: its partitions are checked'
    )
    const steps = this.#recovery.all(kept, recovered)
    await runYielding(steps, { clocks: this.#world.clocks, signal, ...(progress && { each: progress }) })
  }

  /** Writes the checkpoints at their intervals from now on. */
  writeCheckpoints(background: BackgroundLoops, settings: Settings): void {
    this.#checkpoints.writeRegularly(background, settings, () => this.#logs.values())
  }

  /** The log of a partition, opened, and its folder made, if this is the first use. */
  log(partition: TopicPartition, topicId: string, config: LogConfig): PartitionLog {
    const folder = folderOf(partition)
    const opened = this.#logs.get(folder)
    if (opened) return opened
    this.#folders.prepare(partition, topicId)
    this.#recovery.ensure(folder, config)
    const recoveryPoint = this.#checkpoints.recoveryPoint(folder)
    const log = new PartitionLog({
      ...this.#world,
      folder,
      config,
      logStartOffset: this.#checkpoints.logStart(folder),
      recoveryPoint
    })
    const { logEndOffset } = log
    if (recoveryPoint !== undefined && logEndOffset < recoveryPoint) {
      const why = 'a log ends before what the disk once had of it: records are lost'
      this.#world.logger.error({ folder, logEndOffset, recoveryPoint }, why)
    }
    this.#logs.set(folder, log)
    return log
  }

  /** Whether a partition has a folder. */
  has(partition: TopicPartition): boolean {
    return this.#world.storage.exists(folderOf(partition))
  }

  /** Deletes a partition: its folder gets another name at once and goes after `delayMs` (file.delete.delay.ms). */
  deleteLog(partition: TopicPartition, delayMs: number): void {
    const renamed = this.#folders.setAside(partition, 'delete')
    if (renamed !== undefined) this.#world.removal.after(delayMs, [renamed])
  }

  /** Writes down how far every log is known to be on the disk, where it starts, and its high watermark. */
  checkpoint(): void {
    this.#checkpoints.note(this.#logs.values())
    this.#checkpoints.write()
  }

  /**
   * Brings everything to the disk and leaves the mark of a clean stop, last of all. Where a log cannot be closed there
   * is no mark, and the next start recovers. The background loops have been stopped. The storage stays open. By `brokerEpoch` a Kafka that goes
   * on here knows that nothing was lost since it was registered in that epoch.
   */
  async close(brokerEpoch = -1n): Promise<void> {
    await this.#world.removal.stop()
    const metadata = this.#logs.get(METADATA_FOLDER)
    const others = [...this.#logs.values()].filter(log => log !== metadata)
    let isClean = await this.#closeLogs(others)
    this.#checkpoints.note(others)
    isClean = (await this.#closing('the checkpoints', () => this.#checkpoints.save())) && isClean
    if (metadata) isClean = (await this.#closeLogs([metadata])) && isClean
    this.#logs.clear()
    if (!isClean || !this.#recovery.isComplete) return
    const mark = Buffer.from(`{"version":0,"brokerEpoch":${brokerEpoch}}`)
    await this.#closing('the mark', () => replaceFileSynced(this.#world.storage, CLEAN_SHUTDOWN_FILE, mark))
  }

  /** Nothing that is known of a partition holds any more. */
  #forget(folder: string): void {
    this.#logs.get(folder)?.abandon()
    this.#logs.delete(folder)
    this.#recovery.forget(folder)
    this.#checkpoints.forget(folder)
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
  async #closing(subject: string, step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      this.#world.logger.error(
        { err: error },
        `${subject} could not be written out: the next start checks what is there`
      )
      return false
    }
  }
}
