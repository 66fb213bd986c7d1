/**
 * How much of a log has reached the disk, and how the rest gets there: when so many messages wait (flush.messages), when
 * one has waited so long (flush.ms), when a segment is full, and when the log is closed. One sync is under way at a time;
 * all that is appended meanwhile goes with the next. One that fails is never tried again: what the system held may be lost.
 */
import { rows, type ViewOf } from '../../config/view.ts'
import type { Alarm, Clocks } from '../../runtime/time.ts'
import type { Storage } from '../../storage/storage.ts'
import { PARTITION_METADATA_FILE } from '../partition-folder.ts'
import type { Segment } from '../segment/segment.ts'
import { segmentPath } from '../segment/segment-names.ts'
import type { Segments } from '../segment/segments.ts'
import type { DiskGuard } from './disk-guard.ts'
import { HighWatermark } from './high-watermark.ts'
import { LEADER_EPOCH_FILE } from './leader-epochs.ts'

/** The log whose files are brought to the disk. */
export interface SyncedLog {
  readonly storage: Storage
  readonly folder: string
  readonly segments: Segments
  readonly guard: DiskGuard
  readonly clocks: Clocks
  /** Called with the bytes that readers may see from now on. */
  readonly arrived: (bytes: number) => void
}

/** When the log is synced. */
export const FLUSH_ROWS = rows({ flushMessages: 'flush.messages', flushMs: 'flush.ms' })

export type FlushConfig = ViewOf<typeof FLUSH_ROWS>

/** As far away as a setting can tell. */
const NEVER_MS = Number.MAX_SAFE_INTEGER
/** The data directory itself, which holds the folder's name. */
const DATA_DIRECTORY = ''

export class LogSync {
  readonly #log: SyncedLog
  readonly #highWatermark: HighWatermark
  readonly #config: FlushConfig
  /** Of the settings, as offsets count. */
  #flushMessages = 0n
  #flushMs = NEVER_MS
  #alarm: Alarm | undefined
  #endOffset: bigint
  #recoveryPoint: bigint
  /** Whether the files differ from what the disk is known to have. */
  #isUnsynced: boolean
  /** What the disk may not have, beside the active segment: a file whose name is not there is lost with all its bytes. */
  readonly #unsynced: Set<string>
  /** What the sync under way brings. */
  #underWay: string[] = []
  #isSyncing = false
  #syncing: Promise<void> = Promise.resolve()
  /** A sync is requested up to this offset, although no response waits for it. */
  #requestedOffset = 0n

  /** `recoveryPoint` is up to where the disk is known to have the log, which ends at `endOffset`. */
  constructor(log: SyncedLog, config: FlushConfig, recoveryPoint: bigint, endOffset: bigint) {
    const { folder, segments, guard, arrived } = log
    this.#log = log
    this.#endOffset = endOffset
    this.#recoveryPoint = recoveryPoint < endOffset ? recoveryPoint : endOffset
    this.#isUnsynced = recoveryPoint < endOffset
    this.#highWatermark = new HighWatermark(endOffset, arrived)
    guard.onOffline(why => {
      this.#alarm?.cancel()
      this.#highWatermark.fail(why)
    })
    // Of these nobody knows whether an earlier process has brought them to the disk.
    const files = [`${folder}/${PARTITION_METADATA_FILE}`, `${folder}/${LEADER_EPOCH_FILE}`]
    this.#unsynced = new Set([...files, folder, DATA_DIRECTORY])
    for (const segment of segments.from(this.#recoveryPoint)) {
      if (segment !== segments.active) this.#expect(filesOf(folder, segment))
    }
    this.#config = config
    this.reconfigured()
    this.#makeUpFor()
  }

  /** Everything before is known to be on the disk. */
  get recoveryPoint(): bigint {
    return this.#recoveryPoint
  }

  /** Consumers see what lies before: the end of the log, or what the disk has while answers wait for a sync. */
  get highWatermark(): bigint {
    return this.#highWatermark.offset
  }

  /** The settings have changed. */
  reconfigured(): void {
    const { flushMessages, flushMs } = this.#config
    this.#flushMessages = BigInt(flushMessages)
    if (flushMs === this.#flushMs) return
    this.#flushMs = flushMs
    this.#alarm?.cancel()
    this.#alarm = undefined
    this.#arm()
  }

  /** Resolves once the high watermark is at `offset`; undefined when it is. Rejects or throws when it never will be. */
  settled(offset: bigint): Promise<void> | undefined {
    return this.#log.guard.run(() => this.#highWatermark.reached(offset))
  }

  /** The files are about to change. */
  expectChange(): void {
    this.#isUnsynced = true
  }

  /** The file of leader epochs is about to change. */
  expectEpochChange(): void {
    this.expectChange()
    this.#expect([`${this.#log.folder}/${LEADER_EPOCH_FILE}`, this.#log.folder])
  }

  /** A segment's list of aborted transactions was made anew: nobody would make it again once the log counts as recovered. */
  expectAborts(segment: Segment): void {
    this.expectChange()
    this.#expect([...filesOf(this.#log.folder, segment), this.#log.folder])
    this.#start()
  }

  /** A batch of `size` bytes has been appended to the active segment. */
  appended(endOffset: bigint, size: number): void {
    this.#endOffset = endOffset
    if (this.#isDue) this.#highWatermark.hold()
    this.#highWatermark.appended(endOffset, size)
    if (this.#isDue) this.#start()
    this.#arm()
  }

  /** A segment is full, and the next begins at `baseOffset`: from now on recovery need not look at it, if the disk has it. */
  rolled(full: Segment, baseOffset: bigint): void {
    const { folder } = this.#log
    // Recovery begins with what is known of producers at the new segment's base.
    this.#expect([...filesOf(folder, full), segmentPath(folder, baseOffset, 'snapshot'), folder])
    this.#requestedOffset = baseOffset
    this.#start()
  }

  /** Resolves when the full segments before `offset` are on the disk. Throws when that fails or the log is offline. */
  async synced(offset: bigint): Promise<void> {
    while (this.#log.guard.run(() => this.#recoveryPoint < offset)) {
      if (offset > this.#requestedOffset) this.#requestedOffset = offset
      this.#start()
      await this.#syncing
    }
  }

  /** The process waits until all batches are on the disk. Index files of the active segment are left to recovery. */
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

  /** Brings everything to the disk, index files exact. Throws when that fails or the log is offline. */
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

  /** Whether so much waits that answers must wait too. */
  get #isDue(): boolean {
    return this.#endOffset - this.#recoveryPoint >= this.#flushMessages
  }

  /** What a dead process has left unsynced, against the settings, is synced before anybody is told of it. */
  #makeUpFor(): void {
    if (this.#endOffset === this.#recoveryPoint || !this.#isDue) return
    try {
      this.syncNow()
    } catch (error) {
      // The guard has been told, and refuses everyone from now on.
      if (!this.#log.guard.isOffline) throw error
    }
  }

  /** No record waits longer than flush.ms. */
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

  /** Syncs as long as there is something to sync. Never rejects: the guard hears of what goes wrong. */
  async #sync(): Promise<void> {
    const { storage, guard } = this.#log
    this.#isSyncing = true
    try {
      while (!guard.isOffline) {
        const upTo = this.#isDue ? this.#endOffset : this.#requestedOffset
        if (upTo <= this.#recoveryPoint && this.#unsynced.size === 0) return
        for (const path of this.#take(upTo)) {
          // Retention and compaction may have taken it meanwhile; a log that is gone has nothing to sync.
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

  /** What a sync up to `upTo` must bring. */
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
    const isDue = this.#isDue
    this.#highWatermark.release(isDue ? this.#recoveryPoint : this.#endOffset, isDue)
  }
}

function filesOf(folder: string, { baseOffset }: Segment): string[] {
  return (['log', 'index', 'timeindex', 'txnindex'] as const).map(suffix => segmentPath(folder, baseOffset, suffix))
}
