/**
 * Recovery of the partitions of a data directory. After a clean shutdown, a partition is checked on first use. Otherwise all
 * partitions are recovered before the broker is ready, or earlier on first use.
 */
import type { Events } from '../../events/event.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { runAtOnce, type Steps } from '../../runtime/pace.ts'
import type { Clocks } from '../../runtime/time.ts'
import { type Storage, StorageError } from '../../storage/storage.ts'
import { METADATA_FOLDER, type TopicPartition } from '../partition-folder.ts'
import type { LogConfig } from '../partition-log/log-config.ts'
import { bytesToCheck, recovering } from '../recovery/recovery.ts'
import type { RecoveryProgress } from '../recovery/recovery-progress.ts'
import type { DirectoryCheckpoints } from './directory-checkpoints.ts'

/** The ports that recovery uses. */
export interface DirectoryRecoveryOptions {
  readonly storage: Storage
  readonly clocks: Clocks
  readonly events: Events
  readonly checkpoints: DirectoryCheckpoints
  /** Removes a file in the background. */
  readonly discard: (path: string) => void
}

/** A folder to recover, with its partition and its log's configs. */
export interface RecoverableFolder {
  readonly folder: string
  readonly partition: TopicPartition
  config(): LogConfig
}

export class DirectoryRecovery {
  readonly #options: DirectoryRecoveryOptions
  /** Folders that the last process did not close. */
  readonly #unclean: Set<string>
  /** Folders that can be opened. */
  readonly #checked = new Set<string>()
  /** Folders whose recovery failed, with the error. Their logs are offline, and the shutdown is unclean. */
  readonly #broken = new Map<string, KafkaError>()

  /** `unclean` are the folders that need recovery before they can be opened. */
  constructor(options: DirectoryRecoveryOptions, unclean: Iterable<string>) {
    this.#options = options
    this.#unclean = new Set(unclean)
  }

  /** Whether all unclean folders are recovered. */
  get isComplete(): boolean {
    return this.#unclean.size === 0 && this.#broken.size === 0
  }

  /** Recovers a folder if necessary, so that it can be opened. Throws the error of a failed recovery. */
  ensure(folder: string, config: LogConfig): void {
    runAtOnce(this.checking(folder, config))
    const broken = this.#broken.get(folder)
    if (broken) throw broken
  }

  /** `ensure` in steps, which yield the number of checked bytes. A failed recovery ends the steps without an error. */
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
      this.#markOffline(folder, error)
    }
  }

  /**
   * Recovers folders in steps, which yield the progress, and runs `recovered` after each. A failed recovery does not affect
   * the other folders.
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

  /** Records a failed recovery; the partition is offline until restart. Rethrows errors that are not KafkaErrors. */
  #markOffline(folder: string, error: unknown): void {
    if (!(error instanceof KafkaError)) throw error
    this.#options.events.emit({ type: 'PartitionOffline', topicPartition: folder, cause: 'recovery', error })
    this.#broken.set(folder, error instanceof StorageError ? error : new StorageError('other', error.message))
  }

  /** Removes the state of a folder that was deleted or renamed. */
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
      this.#markOffline(folder, error)
    }
  }

  /**
   * The offset above which a gap between segments counts as lost batches; undefined if gaps must be kept. Compaction leaves
   * gaps too, and a gap that counts as a loss truncates the log. Therefore:
   * - Folders of a clean shutdown keep their gaps.
   * - Logs that are compacted now or have a cleaner offset keep their gaps.
   * - Gaps at or below the recovery point are kept, because the segments were synced with them. The cleaner offset may be
   *   missing.
   * - Without intact checkpoints, gaps are kept.
   * - Gaps at or below the log start offset do not matter, because consumers cannot read there.
   * - The metadata log is synced on append and must not be truncated at a gap.
   */
  #lossesFrom(folder: string, { isCompacted }: LogConfig): bigint | undefined {
    const { checkpoints } = this.#options
    if (isCompacted || folder === METADATA_FOLDER || !this.#unclean.has(folder)) return undefined
    if (!checkpoints.hasListedAll || checkpoints.cleanerOffset(folder) !== undefined) return undefined
    const [recoveryPoint = 0n, logStart = 0n] = [checkpoints.recoveryPoint(folder), checkpoints.logStart(folder)]
    return logStart < recoveryPoint ? recoveryPoint : logStart
  }

  /** As in Kafka, the metadata log is recovered from its beginning. */
  #recoveryPoint(folder: string): bigint | 'end' {
    if (!this.#unclean.has(folder)) return 'end'
    return folder === METADATA_FOLDER ? 0n : (this.#options.checkpoints.recoveryPoint(folder) ?? 0n)
  }

  #bytesOf(folder: string): number {
    const recoveryPoint = this.#recoveryPoint(folder)
    try {
      return recoveryPoint === 'end' ? 0 : bytesToCheck(this.#options.storage, folder, recoveryPoint)
    } catch (error) {
      // Recovery finds the same error later.
      if (error instanceof KafkaError) return 0
      throw error
    }
  }
}
