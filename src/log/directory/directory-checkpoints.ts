/** The four offset checkpoints of a data directory. */

import type { Settings } from '../../config/settings.ts'
import { derived, rows } from '../../config/view.ts'
import type { Events } from '../../events/event.ts'
import type { BackgroundLoops } from '../../runtime/background.ts'
import { oneStep } from '../../runtime/pace.ts'
import type { Storage } from '../../storage/storage.ts'
import {
  CLEANER_OFFSET_FILE,
  HIGH_WATERMARK_FILE,
  LOG_START_FILE,
  OffsetCheckpoint,
  RECOVERY_POINT_FILE
} from '../checkpoints.ts'
import { METADATA_FOLDER } from '../partition-folder.ts'
import type { PartitionLog } from '../partition-log/partition-log.ts'

/** Kafka accepts intervals of 0 and less. The minimum of 1 ms leaves time for requests. */
const atLeastOne = (intervalMs: number) => Math.max(1, intervalMs)

/** The intervals at which the files are written. */
const INTERVAL_ROWS = rows({
  recoveryPointMs: derived(['log.flush.offset.checkpoint.interval.ms'], atLeastOne),
  logStartMs: derived(['log.flush.start.offset.checkpoint.interval.ms'], atLeastOne),
  highWatermarkMs: derived(['replica.high.watermark.checkpoint.interval.ms'], atLeastOne)
})

type Logs = Iterable<PartitionLog>

export class DirectoryCheckpoints {
  readonly #events: Events
  readonly #recoveryPoints: OffsetCheckpoint
  readonly #logStarts: OffsetCheckpoint
  readonly #highWatermarks: OffsetCheckpoint
  readonly #cleanerOffsets: OffsetCheckpoint
  readonly #files: readonly OffsetCheckpoint[]

  constructor(storage: Storage, events: Events) {
    this.#events = events
    this.#recoveryPoints = new OffsetCheckpoint(storage, RECOVERY_POINT_FILE, events)
    this.#logStarts = new OffsetCheckpoint(storage, LOG_START_FILE, events)
    this.#highWatermarks = new OffsetCheckpoint(storage, HIGH_WATERMARK_FILE, events)
    this.#cleanerOffsets = new OffsetCheckpoint(storage, CLEANER_OFFSET_FILE, events)
    this.#files = [this.#recoveryPoints, this.#logStarts, this.#highWatermarks, this.#cleanerOffsets]
  }

  /** The offset below which a partition is known to be on disk. */
  recoveryPoint(folder: string): bigint | undefined {
    return this.#recoveryPoints.get(folder)
  }

  /** Partitions that had batches on disk and are not among `folders`. */
  foldersMissingIn(folders: { has(folder: string): boolean }): string[] {
    return Array.from(this.#recoveryPoints.entries).flatMap(([folder, offset]) =>
      offset > 0n && !folders.has(folder) ? [folder] : []
    )
  }

  /**
   * Whether recovery points and cleaner offsets were intact at open. Then a partition without an entry is newer than the
   * checkpoints.
   */
  get hasListedAll(): boolean {
    return this.#recoveryPoints.wasComplete && this.#cleanerOffsets.wasComplete
  }

  /** Writes the checkpoints of a new directory, so that later starts find them intact. */
  async begin(): Promise<void> {
    await this.#recoveryPoints.save()
    await this.#cleanerOffsets.save()
  }

  /** The log start offset of a partition, if it is above the base offset of the first segment. */
  logStart(folder: string): bigint | undefined {
    return this.#logStarts.get(folder)
  }

  /** The offset below which a partition is compacted. */
  cleanerOffset(folder: string): bigint | undefined {
    return this.#cleanerOffsets.get(folder)
  }

  /** Sets the offset below which a partition is compacted, and writes the checkpoint. */
  setCleanerOffset(folder: string, offset: bigint): void {
    this.#cleanerOffsets.set(folder, offset)
    this.#cleanerOffsets.write()
  }

  /** Starts to write the files at their intervals. */
  writeRegularly(background: BackgroundLoops, settings: Settings, logs: () => Logs): void {
    const { recoveryPointMs, logStartMs, highWatermarkMs } = settings.view(INTERVAL_ROWS)
    const start = (name: string, delayMs: number, write: () => void) =>
      background.start({ name: `checkpoint of ${name}`, delayMs: () => delayMs, work: () => oneStep(write) })
    start('recovery points', recoveryPointMs, () => {
      this.#follow(this.#recoveryPoints, () => this.#noteRecoveryPoints(logs()))
    })
    start('log starts', logStartMs, () => {
      this.#follow(this.#logStarts, () => this.#noteLogStarts(logs()))
      // The cleaner writes the offsets of its logs itself; those of deleted logs are removed here.
      this.#follow(this.#cleanerOffsets, () => {})
    })
    start('high watermarks', highWatermarkMs, () => {
      this.#follow(this.#highWatermarks, () => this.#noteHighWatermarks(logs()))
    })
  }

  /** Updates recovery points, log start offsets and high watermarks from the logs. The files change with `write`. */
  note(logs: Logs): void {
    this.#noteRecoveryPoints(logs)
    this.#noteLogStarts(logs)
    this.#noteHighWatermarks(logs)
  }

  /** Removes the entries of all partitions except `folders`. */
  keepOnly(folders: { has(folder: string): boolean }): void {
    for (const file of this.#files) file.keepOnly(folders)
  }

  /** Removes the entries of a partition. */
  forget(folder: string): void {
    for (const file of this.#files) file.set(folder, undefined)
  }

  /** Writes the files that have changed. */
  write(): void {
    for (const file of this.#files) file.write()
  }

  /** Writes and syncs all files. */
  async save(): Promise<void> {
    for (const file of this.#files) await file.save()
  }

  #noteRecoveryPoints(logs: Logs): void {
    for (const { folder, recoveryPoint } of noted(logs)) this.#recoveryPoints.set(folder, recoveryPoint)
  }

  #noteHighWatermarks(logs: Logs): void {
    for (const { folder, highWatermark } of noted(logs)) this.#highWatermarks.set(folder, highWatermark)
  }

  /** A log start offset at the base offset of the first segment has no entry. */
  #noteLogStarts(logs: Logs): void {
    for (const { folder, logStartOffset, firstSegmentOffset } of noted(logs)) {
      this.#logStarts.set(folder, logStartOffset > firstSegmentOffset ? logStartOffset : undefined)
    }
  }

  #follow(file: OffsetCheckpoint, note: () => void): void {
    note()
    try {
      file.write()
    } catch (error) {
      this.#events.emit({ type: 'CheckpointWriteFailed', error })
    }
  }
}

/** The logs with entries. The metadata log has none, because every start recovers it from its beginning. */
function* noted(logs: Logs): Generator<PartitionLog, undefined> {
  for (const log of logs) if (log.folder !== METADATA_FOLDER) yield log
}
