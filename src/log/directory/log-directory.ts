/**
 * A data directory: its identity, the mark of a clean shutdown, its checkpoints, and the log of each partition, which is
 * opened on first use. `open` recovers the metadata log, which defines the partitions of the directory. `load` then prepares
 * their folders.
 */

import type { Settings } from '../../config/settings.ts'
import type { Events } from '../../events/event.ts'
import type { BackgroundLoops } from '../../runtime/background.ts'
import { runYielding } from '../../runtime/pace.ts'
import type { Random } from '../../runtime/random.ts'
import type { Clocks } from '../../runtime/time.ts'
import { replaceFileSynced, type Storage } from '../../storage/storage.ts'
import type { CleanerOffsets } from '../cleaner/cleaner.ts'
import { folderOf, METADATA_FOLDER, parseFolder, type TopicPartition } from '../partition-folder.ts'
import type { BatchObserver } from '../partition-log/batch-observer.ts'
import type { LogConfig } from '../partition-log/log-config.ts'
import { PartitionLog } from '../partition-log/partition-log.ts'
import { Removal } from '../partition-log/removal.ts'
import type { ProgressListener } from '../recovery/recovery-progress.ts'
import { DirectoryCheckpoints } from './directory-checkpoints.ts'
import { DirectoryRecovery } from './directory-recovery.ts'
import { claimDirectory, type Identity, META_PROPERTIES_FILE, type MetaProperties } from './meta-properties.ts'
import { PartitionFolders } from './partition-folders.ts'

/** Kafka's name for the file that marks a clean shutdown. */
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'

/** Number of logs that are closed at the same time. */
const CLOSING_AT_ONCE = 8

/** The ports of a data directory, and the identity of its node. */
export interface LogDirectoryOptions {
  readonly storage: Storage
  readonly clocks: Clocks
  readonly random: Random
  readonly events: Events
  readonly identity: Identity
  /** Configs of the metadata log, which is recovered before any other log. */
  readonly metadataLog: LogConfig
  /** Aborts the opening: `open` rejects, and the next start recovers the directory. */
  readonly signal?: AbortSignal | undefined
}

/** A partition of a topic: the topic id and the configs of its log. */
export interface OwnedPartition {
  readonly topicId: string
  config(): LogConfig
}

/** Options for loading the partitions of a directory. */
export interface LoadOptions {
  /** The partition according to the metadata; undefined if no topic has it. */
  readonly owned: (partition: TopicPartition) => OwnedPartition | undefined
  /** Called for each recovered partition; its steps run before the load is complete. */
  readonly recovered?: (partition: TopicPartition) => Iterable<unknown>
  readonly progress?: ProgressListener
  readonly signal?: AbortSignal | undefined
}

/** Ports that the parts of the directory share. */
interface World extends Pick<LogDirectoryOptions, 'storage' | 'clocks' | 'random' | 'events'> {
  readonly removal: Removal
}

export class LogDirectory {
  readonly meta: MetaProperties
  /** Cleaner offsets of the logs, by folder. */
  readonly cleanerOffsets: CleanerOffsets
  /** Whether the last shutdown was clean. */
  readonly wasClean: boolean
  readonly #world: World
  readonly #checkpoints: DirectoryCheckpoints
  readonly #logs = new Map<string, PartitionLog>()
  readonly #folders: PartitionFolders
  readonly #recovery: DirectoryRecovery

  private constructor(options: LogDirectoryOptions, meta: MetaProperties, wasClean: boolean) {
    const { storage, clocks, random, events } = options
    const removal = new Removal(storage, clocks.deadline, events)
    const checkpoints = new DirectoryCheckpoints(storage, events)
    this.meta = meta
    this.wasClean = wasClean
    this.#world = { storage, clocks, random, events, removal }
    this.#checkpoints = checkpoints
    this.#folders = new PartitionFolders({
      ...this.#world,
      forget: folder => this.#forget(folder),
      // The checkpoints may have entries of an earlier partition of the same name.
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
   * Opens a data directory, or formats an empty one. Removes the mark of a clean shutdown first, then recovers the metadata
   * log. Throws DataDirectoryError for a directory that belongs to another node or cluster, or not to Kafka.
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
   * Renames folders that no topic owns to the suffix -stray, as Kafka does. After an unclean shutdown it recovers all other
   * folders, in slices. After a clean one it does not open them: each is prepared on first use, so the time of a start does
   * not depend on the number of partitions.
   */
  async load({ owned, recovered = () => [], progress, signal }: LoadOptions): Promise<void> {
    const folders = this.#folders.list()
    for (const folder of this.#checkpoints.foldersMissingIn(folders)) {
      const partition = parseFolder(folder)
      if (typeof partition !== 'object' || !owned(partition)) continue
      this.#world.events.emit({ type: 'PartitionFolderMissing', topicPartition: folder })
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
    this.#world.events.emit({ type: 'UncleanShutdownDetected', partitions: kept.length })
    const steps = this.#recovery.all(kept, recovered)
    await runYielding(steps, { clocks: this.#world.clocks, signal, ...(progress && { each: progress }) })
  }

  /** Starts to write the checkpoints at their intervals. */
  writeCheckpoints(background: BackgroundLoops, settings: Settings): void {
    this.#checkpoints.writeRegularly(background, settings, () => this.#logs.values())
  }

  /** The log of a partition. The first use creates the folder if necessary and opens the log with its observer. */
  log(partition: TopicPartition, topicId: string, config: LogConfig, observer?: BatchObserver): PartitionLog {
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
      observer,
      logStartOffset: this.#checkpoints.logStart(folder),
      recoveryPoint
    })
    const { logEndOffset } = log
    if (recoveryPoint !== undefined && logEndOffset < recoveryPoint) {
      this.#world.events.emit({ type: 'RecordsLost', topicPartition: folder, logEndOffset, recoveryPoint })
    }
    this.#logs.set(folder, log)
    return log
  }

  /** Whether a partition has a folder. */
  has(partition: TopicPartition): boolean {
    return this.#world.storage.exists(folderOf(partition))
  }

  /** Deletes a partition: renames its folder at once and removes it after `delayMs` (file.delete.delay.ms). */
  deleteLog(partition: TopicPartition, delayMs: number): void {
    const renamed = this.#folders.setAside(partition, 'delete')
    if (renamed !== undefined) this.#world.removal.after(delayMs, [renamed])
  }

  /** Writes recovery points, log start offsets and high watermarks of all logs to the checkpoints. */
  checkpoint(): void {
    this.#checkpoints.note(this.#logs.values())
    this.#checkpoints.write()
  }

  /**
   * Closes and syncs all logs and checkpoints, and writes the mark of a clean shutdown last. If a log cannot be closed,
   * there is no mark, and the next start recovers. The background loops must be stopped before. The storage stays open. The
   * mark has `brokerEpoch`. A Kafka broker that later uses the directory registers with this epoch, as proof of a clean
   * shutdown (KIP-966).
   */
  async close(brokerEpoch = -1n): Promise<void> {
    await this.#world.removal.stop()
    const metadata = this.#logs.get(METADATA_FOLDER)
    const others = [...this.#logs.values()].filter(log => log !== metadata)
    let isClean = await this.#closeLogs(others)
    this.#checkpoints.note(others)
    isClean = (await this.#closing('checkpoints', () => this.#checkpoints.save())) && isClean
    if (metadata) isClean = (await this.#closeLogs([metadata])) && isClean
    this.#logs.clear()
    if (!isClean || !this.#recovery.isComplete) return
    const mark = Buffer.from(`{"version":0,"brokerEpoch":${brokerEpoch}}`)
    await this.#closing('clean shutdown file', () => replaceFileSynced(this.#world.storage, CLEAN_SHUTDOWN_FILE, mark))
  }

  /** Removes all state of a partition. */
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

  /** Runs a step of the shutdown. An error emits an event, does not stop other steps and makes the shutdown unclean. */
  async #closing(subject: string, step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      this.#world.events.emit({ type: 'CleanShutdownFailed', subject, error })
      return false
    }
  }
}
