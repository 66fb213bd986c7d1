/** The three offset checkpoints of a data directory, and what they take from its logs. */
import type { Logger } from '../runtime/logger.ts'
import { HIGH_WATERMARK_FILE, LOG_START_FILE, OffsetCheckpoint, RECOVERY_POINT_FILE } from './checkpoints.ts'
import { METADATA_FOLDER } from './partition-folder.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Storage } from './storage.ts'

export class DirectoryCheckpoints {
  readonly #recoveryPoints: OffsetCheckpoint
  readonly #logStarts: OffsetCheckpoint
  readonly #highWatermarks: OffsetCheckpoint
  readonly #files: readonly OffsetCheckpoint[]

  constructor(storage: Storage, logger: Logger) {
    this.#recoveryPoints = new OffsetCheckpoint(storage, RECOVERY_POINT_FILE, logger)
    this.#logStarts = new OffsetCheckpoint(storage, LOG_START_FILE, logger)
    this.#highWatermarks = new OffsetCheckpoint(storage, HIGH_WATERMARK_FILE, logger)
    this.#files = [this.#recoveryPoints, this.#logStarts, this.#highWatermarks]
  }

  /** Up to where a partition is known to be on the disk. */
  recoveryPoint(folder: string): bigint | undefined {
    return this.#recoveryPoints.get(folder)
  }

  /** The first offset that a partition offers, where that is not the beginning of its files. */
  logStart(folder: string): bigint | undefined {
    return this.#logStarts.get(folder)
  }

  /** Notes how far logs are known to be on the disk, where they start, and their high watermarks. */
  note(logs: Iterable<PartitionLog>): void {
    for (const log of logs) {
      // The metadata has no entry: it is recovered from its beginning at every start.
      if (log.folder === METADATA_FOLDER) continue
      this.#recoveryPoints.set(log.folder, log.recoveryPoint)
      this.#highWatermarks.set(log.folder, log.highWatermark)
      // A start at the beginning of the files needs no word.
      const startsWithin = log.logStartOffset > log.firstSegmentOffset
      this.#logStarts.set(log.folder, startsWithin ? log.logStartOffset : undefined)
    }
  }

  /** Drops what is known of a partition. */
  forget(folder: string): void {
    for (const file of this.#files) file.set(folder, undefined)
  }

  /** Writes the files that have changed. */
  write(): void {
    for (const file of this.#files) file.write()
  }

  /** Writes all files and brings them to the disk. */
  async save(): Promise<void> {
    for (const file of this.#files) await file.save()
  }
}
