/**
 * Syncs a log to disk: after flush.messages messages, after flush.ms, when a segment is full, and when the log is closed.
 * One sync runs at a time; batches appended meanwhile are part of the next. A failed sync is not retried and takes the log
 * offline, because the operating system may have dropped the data.
 */
import { rows, type ViewOf } from '../../config/view.ts'
import type { Alarm, Clocks } from '../../runtime/time.ts'
import type { Storage } from '../../storage/storage.ts'
import { PARTITION_METADATA_FILE } from '../partition-folder.ts'
import type { Segment } from '../segment/segment.ts'
import { segmentPath } from '../segment/segment-names.ts'
import type { Segments } from '../segment/segments.ts'
import type { BatchObserver } from './batch-observer.ts'
import type { DiskGuard } from './disk-guard.ts'
import { LEADER_EPOCH_FILE } from './leader-epochs.ts'
import { OffsetWaits } from './offset-waits.ts'

/** The log whose files are synced. */
export interface SyncedLog {
  readonly storage: Storage
  readonly folder: string
  readonly segments: Segments
  readonly guard: DiskGuard
  readonly clocks: Clocks
  readonly observer: Pick<BatchObserver, 'flushed'> | undefined
}

/** The configs that decide when the log is synced. */
export const FLUSH_ROWS = rows({ flushMessages: 'flush.messages', flushMs: 'flush.ms' })

export type FlushConfig = ViewOf<typeof FLUSH_ROWS>

/** The largest value of flush.ms: no sync by time. */
const NEVER_MS = Number.MAX_SAFE_INTEGER
/** The data directory itself. It contains the directory entry of the partition's folder. */
const DATA_DIRECTORY = ''

export class LogSync {
  readonly #log: SyncedLog
  readonly #config: FlushConfig
  /** flush.messages, as a bigint to compare with offsets. */
  #flushMessages = 0n
  #flushMs = NEVER_MS
  #alarm: Alarm | undefined
  #endOffset: bigint
  #recoveryPoint: bigint
  #flushLimit: bigint
  /** Whether appends do not move the flush limit until the running sync is done. */
  #isHeld = false
  readonly #waits = new OffsetWaits()
  /** Whether the files may differ from what is on disk. */
  #isUnsynced: boolean
  /**
   * Paths that may not be on disk, in addition to the `.log` of the active segment. Folders are included: a file without a
   * synced directory entry is lost with all its bytes.
   */
  readonly #unsynced: Set<string>
  /** Paths of the running sync. */
  #underWay: string[] = []
  #isSyncing = false
  #syncing: Promise<void> = Promise.resolve()
  /** End offset of a requested sync for which no response waits. */
  #requestedOffset = 0n

  /** The log is known to be on disk up to `recoveryPoint` and ends at `endOffset`. */
  constructor(log: SyncedLog, config: FlushConfig, recoveryPoint: bigint, endOffset: bigint) {
    const { folder, segments, guard } = log
    this.#log = log
    this.#endOffset = endOffset
    this.#recoveryPoint = recoveryPoint < endOffset ? recoveryPoint : endOffset
    this.#isUnsynced = recoveryPoint < endOffset
    this.#flushLimit = endOffset
    guard.onOffline(why => {
      this.#alarm?.cancel()
      this.#waits.fail(why)
    })
    // An earlier process may have written these files without a sync.
    const files = [`${folder}/${PARTITION_METADATA_FILE}`, `${folder}/${LEADER_EPOCH_FILE}`]
    this.#unsynced = new Set([...files, folder, DATA_DIRECTORY])
    for (const segment of segments.from(this.#recoveryPoint)) {
      if (segment !== segments.active) this.#expect(filesOf(folder, segment))
    }
    this.#config = config
    this.reconfigured()
    this.#syncRecovered()
  }

  /** The offset below which the log is known to be on disk. */
  get recoveryPoint(): bigint {
    return this.#recoveryPoint
  }

  /**
   * The flush limit: responses may rely on batches below it. It is the log end offset, but while flush.messages requires a sync,
   * only synced batches advance it. It never moves backwards.
   */
  get flushLimit(): bigint {
    return this.#flushLimit
  }

  /** Applies changed configs. */
  reconfigured(): void {
    const { flushMessages, flushMs } = this.#config
    this.#flushMessages = BigInt(flushMessages)
    if (flushMs === this.#flushMs) return
    this.#flushMs = flushMs
    this.#alarm?.cancel()
    this.#alarm = undefined
    this.#arm()
  }

  /**
   * Resolves when the flush limit reaches `offset`; undefined if it already has. Rejects or throws if the log goes offline.
   */
  settled(offset: bigint): Promise<void> | undefined {
    return this.#log.guard.run(() => (offset <= this.#flushLimit ? undefined : this.#waits.until(offset)))
  }

  /** Marks the files as about to change. */
  expectChange(): void {
    this.#isUnsynced = true
  }

  /** Marks the leader epoch checkpoint as about to change. */
  expectEpochChange(): void {
    this.expectChange()
    this.#expect([`${this.#log.folder}/${LEADER_EPOCH_FILE}`, this.#log.folder])
  }

  /** Syncs a rebuilt transaction index. Once the log counts as recovered, later starts do not rebuild it. */
  expectAborts(segment: Segment): void {
    this.expectChange()
    this.#expect([...filesOf(this.#log.folder, segment), this.#log.folder])
    this.#start()
  }

  /** Called for a batch that was appended to the active segment. The log now ends at `endOffset`. */
  appended(endOffset: bigint): void {
    this.#endOffset = endOffset
    if (this.#isDue) {
      this.#isHeld = true
      this.#start()
    }
    if (!this.#isHeld) this.#flushLimit = endOffset
    this.#arm()
  }

  /**
   * Syncs a full segment after a roll; the next segment begins at `baseOffset`. After the sync, recovery does not need to
   * check the full segment.
   */
  rolled(full: Segment, baseOffset: bigint): void {
    const { folder } = this.#log
    // Recovery starts from the producer snapshot at the base offset of the new segment.
    this.#expect([...filesOf(folder, full), segmentPath(folder, baseOffset, 'snapshot'), folder])
    this.#requestedOffset = baseOffset
    this.#start()
  }

  /** Resolves when the log is on disk at least up to `offset`. Throws if the sync fails or the log is offline. */
  async synced(offset: bigint): Promise<void> {
    while (this.#log.guard.run(() => this.#recoveryPoint < offset)) {
      if (offset > this.#requestedOffset) this.#requestedOffset = offset
      this.#start()
      await this.#syncing
    }
  }

  /** Blocks the process until all batches are on disk. Recovery rebuilds index files of the active segment. */
  syncNow(): void {
    const { storage, guard } = this.#log
    guard.run(() => {
      const paths = [...this.#underWay, ...this.#take(this.#endOffset)]
      try {
        for (const path of paths) if (storage.exists(path)) storage.syncNow(path)
      } catch (error) {
        throw guard.fail(error)
      }
      this.#underWay = []
      this.#noteSynced(this.#endOffset)
    })
  }

  /** Writes and syncs everything, including exact index files. Throws if this fails or the log is offline. */
  async close(): Promise<void> {
    this.#alarm?.cancel()
    while (this.#isSyncing) await this.#syncing
    const { folder, segments, guard } = this.#log
    guard.run(() => segments.active.finish())
    if (!this.#isUnsynced) return
    this.expectEpochChange()
    this.#expect(filesOf(folder, segments.active))
    this.#requestedOffset = this.#endOffset
    this.#start()
    await this.#syncing
    guard.run(() => {
      this.#isUnsynced = false
    })
  }

  /** Whether flush.messages requires a sync before responses are sent. */
  get #isDue(): boolean {
    return this.#endOffset - this.#recoveryPoint >= this.#flushMessages
  }

  /** At open, syncs unsynced batches of the last process if flush.messages requires it, before they can be read. */
  #syncRecovered(): void {
    if (this.#endOffset === this.#recoveryPoint || !this.#isDue) return
    try {
      this.syncNow()
    } catch (error) {
      // The guard has taken the log offline, and every operation throws.
      if (!this.#log.guard.isOffline) throw error
    }
  }

  /** Sets the alarm of flush.ms if unsynced records have none. */
  #arm(): void {
    if (this.#alarm || this.#flushMs >= NEVER_MS || this.#recoveryPoint === this.#endOffset) return
    const { clocks } = this.#log
    this.#alarm = clocks.deadline.at(clocks.deadline.now() + this.#flushMs, () => {
      this.#alarm = undefined
      this.#requestedOffset = this.#endOffset
      this.#start()
    })
  }

  #start(): void {
    if (!this.#isSyncing) this.#syncing = this.#sync()
  }

  /** Syncs until nothing is left to sync. Never rejects: the guard takes the log offline after an error. */
  async #sync(): Promise<void> {
    const { storage, guard } = this.#log
    this.#isSyncing = true
    try {
      while (!guard.isOffline) {
        const upTo = this.#isDue ? this.#endOffset : this.#requestedOffset
        if (upTo <= this.#recoveryPoint && this.#unsynced.size === 0) return
        for (const path of this.#take(upTo)) {
          // Retention or compaction may have removed the file meanwhile. A deleted log needs no sync.
          if (storage.exists(path)) await storage.sync(path)
          if (guard.isOffline) return
        }
        this.#underWay = []
        this.#noteSynced(upTo)
      }
    } catch (error) {
      guard.fail(error)
    } finally {
      this.#isSyncing = false
    }
  }

  #expect(paths: readonly string[]): void {
    for (const path of paths) this.#unsynced.add(path)
  }

  /** Takes the paths that a sync up to `upTo` must cover. */
  #take(upTo: bigint): string[] {
    const { folder, segments } = this.#log
    const { baseOffset } = segments.active
    if (upTo > baseOffset) this.#unsynced.add(segmentPath(folder, baseOffset, 'log'))
    this.#underWay = [...this.#unsynced]
    this.#unsynced.clear()
    return this.#underWay
  }

  #noteSynced(upTo: bigint): void {
    if (upTo > this.#recoveryPoint) this.#recoveryPoint = upTo
    this.#isHeld = this.#isDue
    const limit = this.#isHeld ? this.#recoveryPoint : this.#endOffset
    if (limit <= this.#flushLimit) return
    this.#flushLimit = limit
    this.#log.observer?.flushed()
    this.#waits.complete(limit)
  }
}

function filesOf(folder: string, { baseOffset }: Segment): string[] {
  return (['log', 'index', 'timeindex', 'txnindex'] as const).map(suffix => segmentPath(folder, baseOffset, suffix))
}
