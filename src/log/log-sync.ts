/**
 * How much of a log has reached the disk, and how the rest gets there: full segments in the background, so that a later
 * recovery need not look at them, everything else when the log is closed.
 */
import type { DiskGuard } from './disk-guard.ts'
import { LEADER_EPOCH_FILE } from './leader-epochs.ts'
import type { Segment } from './segment.ts'
import type { Segments } from './segments.ts'
import type { Storage } from './storage.ts'

/** The log whose files are brought to the disk. */
export interface SyncedLog {
  readonly storage: Storage
  readonly folder: string
  readonly segments: Segments
  readonly guard: DiskGuard
}

export class LogSync {
  readonly #log: SyncedLog
  #recoveryPoint: bigint
  /** Whether the files differ from what the disk is known to have. */
  #isUnsynced: boolean
  /** Settles when all segments that were full so far are on the disk. */
  #flushed: Promise<void> = Promise.resolve()

  /** `recoveryPoint` is up to where the disk is known to have the log, which ends at `endOffset`. */
  constructor(log: SyncedLog, recoveryPoint: bigint, endOffset: bigint) {
    this.#log = log
    this.#recoveryPoint = recoveryPoint < endOffset ? recoveryPoint : endOffset
    this.#isUnsynced = recoveryPoint < endOffset
  }

  /** Everything before is known to be on the disk. */
  get recoveryPoint(): bigint {
    return this.#recoveryPoint
  }

  /** The files are about to change. */
  expectChange(): void {
    this.#isUnsynced = true
  }

  /** Begins to bring a full segment, the next of which begins at `endOffset`, to the disk. */
  flush(full: Segment, endOffset: bigint): void {
    this.#flushed = this.#flushed.then(async () => {
      if (this.#log.guard.isOffline) return
      try {
        await full.sync()
        if (endOffset > this.#recoveryPoint) this.#recoveryPoint = endOffset
      } catch (error) {
        this.#log.guard.fail(error)
      }
    })
  }

  /** Brings everything to the disk, index files exact. Throws when that fails or the log is offline. */
  async close(endOffset: bigint): Promise<void> {
    const { storage, folder, segments, guard } = this.#log
    await this.#flushed
    guard.run(() => segments.active.finish())
    if (!this.#isUnsynced) return
    for (const segment of segments.from(this.#recoveryPoint)) await segment.sync()
    const epochsPath = `${folder}/${LEADER_EPOCH_FILE}`
    if (storage.exists(epochsPath)) await storage.sync(epochsPath)
    await storage.sync(folder)
    this.#recoveryPoint = endOffset
    this.#isUnsynced = false
  }
}
