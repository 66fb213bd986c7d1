/**
 * Which partitions of a data directory have to be checked before they are opened, and the checking. After a clean stop
 * none are looked at until they are used; otherwise all are before the broker is ready, or when one is used earlier.
 */
import { KafkaError } from '../../protocol/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { runAtOnce, type Steps } from '../../runtime/pace.ts'
import type { Clocks } from '../../runtime/time.ts'
import { type Storage, StorageError } from '../../storage/storage.ts'
import { METADATA_FOLDER, type TopicPartition } from '../partition-folder.ts'
import type { LogConfig } from '../partition-log/log-config.ts'
import { bytesToCheck, recovering } from '../recovery/recovery.ts'
import type { RecoveryProgress } from '../recovery/recovery-progress.ts'
import type { DirectoryCheckpoints } from './directory-checkpoints.ts'

/** What recovery needs of its directory. */
export interface DirectoryRecoveryOptions {
  readonly storage: Storage
  readonly clocks: Clocks
  readonly logger: Logger
  readonly checkpoints: DirectoryCheckpoints
  /** Removes a file later and beside other work. */
  readonly discard: (path: string) => void
}

/** A folder to recover, whose it is, and how its partition is kept. */
export interface RecoverableFolder {
  readonly folder: string
  readonly partition: TopicPartition
  config(): LogConfig
}

export class DirectoryRecovery {
  readonly #options: DirectoryRecoveryOptions
  /** Folders that nobody has closed. */
  readonly #unclean: Set<string>
  /** Folders that are fit to be opened. */
  readonly #checked = new Set<string>()
  /** Folders that could not be recovered, and why. Their logs stay offline, and the directory unclean. */
  readonly #broken = new Map<string, KafkaError>()

  /** `unclean` are the folders that must not be opened as they are. */
  constructor(options: DirectoryRecoveryOptions, unclean: Iterable<string>) {
    this.#options = options
    this.#unclean = new Set(unclean)
  }

  /** Whether all that had to be recovered is. */
  get isComplete(): boolean {
    return this.#unclean.size === 0 && this.#broken.size === 0
  }

  /** Makes a folder fit to be opened. Throws why it is not. */
  ensure(folder: string, config: LogConfig): void {
    runAtOnce(this.checking(folder, config))
    const broken = this.#broken.get(folder)
    if (broken) throw broken
  }

  /** The same in steps that tell how many bytes they have checked; a folder that is broken ends it as well. */
  *checking(folder: string, config: LogConfig): Steps<void, number> {
    if (this.#checked.has(folder) || this.#broken.has(folder)) return
    try {
      yield* recovering({
        ...this.#options,
        folder,
        recoveryPoint: this.#recoveryPoint(folder),
        indexIntervalBytes: config.indexIntervalBytes,
        lossesFrom: this.#lossesFrom(folder, config),
        mustBeWhole: folder === METADATA_FOLDER,
        nowMs: this.#options.clocks.wall.now()
      })
      this.#checked.add(folder)
      this.#unclean.delete(folder)
    } catch (error) {
      this.#giveUp(folder, error)
    }
  }

  /**
   * Recovers folders, and after each does what `recovered` has to do with it, in steps that tell how far it has come.
   * One that is broken does not spare the others.
   */
  *all(
    folders: readonly RecoverableFolder[],
    recovered: (partition: TopicPartition) => Iterable<unknown>
  ): Steps<void, RecoveryProgress> {
    const progress = { partitions: 0, partitionsTotal: folders.length, bytes: 0, bytesTotal: 0 }
    for (const { folder } of folders) {
      progress.bytesTotal += this.#bytesOf(folder)
      yield progress
    }
    for (const { folder, partition, config } of folders) {
      for (const bytes of this.checking(folder, config())) {
        progress.bytes += bytes
        yield progress
      }
      for (const _ of this.#attempt(folder, () => recovered(partition))) yield progress
      progress.partitions++
      yield progress
    }
  }

  /** The partition stays offline until restart. Throws what is no trouble with its files. */
  #giveUp(folder: string, error: unknown): void {
    if (!(error instanceof KafkaError)) throw error
    this.#options.logger.error(
      { folder, err: error },
      'a partition could not be recovered: it is offline until restart'
    )
    this.#broken.set(folder, error instanceof StorageError ? error : new StorageError('other', error.message))
  }

  /** The folder is not what it was: deleted, or put aside. */
  forget(folder: string): void {
    this.#unclean.delete(folder)
    this.#checked.delete(folder)
    this.#broken.delete(folder)
  }

  *#attempt(folder: string, work: () => Iterable<unknown>): Steps {
    if (this.#broken.has(folder)) return
    try {
      yield* work()
    } catch (error) {
      this.#giveUp(folder, error)
    }
  }

  /**
   * Compaction leaves gaps, which must never be taken for losses: all that follows would go. A log of which it is said
   * that it was compacted has none from the start, whatever its settings are now; and since what is said may be lost,
   * only gaps beyond the recovery point count: the disk had what lies before, gaps and all. Without word of either
   * nothing is certain. What lies before the log start is offered to nobody. The metadata is synced, and is not to be cut
   * short.
   */
  #lossesFrom(folder: string, { isCompacted }: LogConfig): bigint | undefined {
    const { checkpoints } = this.#options
    if (isCompacted || folder === METADATA_FOLDER || !this.#unclean.has(folder)) return undefined
    if (!checkpoints.knewPartitions || checkpoints.cleanerOffset(folder) !== undefined) return undefined
    const [recoveryPoint = 0n, logStart = 0n] = [checkpoints.recoveryPoint(folder), checkpoints.logStart(folder)]
    return logStart < recoveryPoint ? recoveryPoint : logStart
  }

  /** The metadata is recovered from its beginning, as in Kafka. */
  #recoveryPoint(folder: string): bigint | 'end' {
    if (!this.#unclean.has(folder)) return 'end'
    return folder === METADATA_FOLDER ? 0n : (this.#options.checkpoints.recoveryPoint(folder) ?? 0n)
  }

  #bytesOf(folder: string): number {
    const recoveryPoint = this.#recoveryPoint(folder)
    try {
      return recoveryPoint === 'end' ? 0 : bytesToCheck(this.#options.storage, folder, recoveryPoint)
    } catch (error) {
      // Whatever is wrong is found again when it is recovered.
      if (error instanceof KafkaError) return 0
      throw error
    }
  }
}
