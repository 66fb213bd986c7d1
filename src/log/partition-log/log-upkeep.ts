/**
 * What becomes of the old part of a log: it is offered no more, deleted by retention, or replaced by what compaction
 * leaves of it. Files that are in use no more get the suffix `.deleted` at once and are removed a while later.
 */
import { rows, type ViewOf } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Clocks } from '../../runtime/time.ts'
import type { Storage } from '../../storage/storage.ts'
import { Segment } from '../segment/segment.ts'
import { segmentPath } from '../segment/segment-names.ts'
import type { Segments } from '../segment/segments.ts'
import type { DiskGuard } from './disk-guard.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogSync } from './log-sync.ts'
import type { Removal } from './removal.ts'
import { type AgingLog, oldSegments } from './retention.ts'

/** How long the files of a deleted segment stay. */
export const REMOVAL_ROWS = rows({ fileDeleteDelayMs: 'file.delete.delay.ms' })

/** The log that is looked after. */
export interface KeptLog {
  readonly storage: Storage
  readonly folder: string
  readonly clocks: Clocks
  readonly guard: DiskGuard
  readonly segments: Segments
  readonly epochs: LeaderEpochs
  readonly sync: LogSync
  readonly removal: Removal
  readonly logger: Logger
  /** The settings in force. */
  readonly config: ViewOf<typeof REMOVAL_ROWS>
}

export class LogUpkeep {
  readonly #log: KeptLog
  #offset: bigint

  /** `checkpointOffset`: the start offset from the checkpoint. A log cannot begin before its first segment. */
  constructor(log: KeptLog, checkpointOffset: bigint) {
    const { firstOffset } = log.segments
    this.#log = log
    this.#offset = checkpointOffset > firstOffset ? checkpointOffset : firstOffset
    log.epochs.truncateFromStart(this.#offset)
  }

  /** The first offset that is offered. */
  get startOffset(): bigint {
    return this.#offset
  }

  /** Offers nothing before `offset` any more; it never goes back. Throws OFFSET_OUT_OF_RANGE beyond the high watermark. */
  moveStart(offset: bigint): void {
    const { highWatermark } = this.#log.sync
    if (offset > highWatermark) {
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `the log start cannot move to ${offset}, beyond ${highWatermark}`)
    }
    if (offset <= this.#offset) return
    this.#log.epochs.truncateFromStart(offset)
    this.#offset = offset
  }

  /** What the files are to know of the start goes into them, before they are closed. */
  finish(): void {
    const { guard, sync, epochs } = this.#log
    if (epochs.isWritten) return
    sync.expectEpochChange()
    guard.run(() => epochs.write())
  }

  /**
   * Lets go of the oldest segments that one rule of retention has done with, so few that nobody waits for long, and
   * returns how many. Where this throws, some have gone and the log is whole. `roll` begins a new segment.
   */
  deleteOldSegments(log: Omit<AgingLog, 'nowMs'>, roll: () => void): number {
    const { clocks, segments, folder, logger } = this.#log
    const old = oldSegments({ ...log, nowMs: clocks.wall.now() })
    if (!old) return 0
    const { length } = segments.all
    const { reason } = old
    // There is always a segment. A new one may find no room before the others have gone.
    const count = old.count === length && length > 1 ? length - 1 : old.count
    const going = segments.all.slice(0, count)
    if (count === length) roll()
    this.moveStart(segments.all[count]?.baseOffset ?? log.logEndOffset)
    const bytes = going.reduce((sum, { size }) => sum + size, 0)
    const [first, last] = [going[0]?.baseOffset, going.at(-1)?.baseOffset]
    logger.info({ folder, count, first, last, bytes, logStartOffset: this.#offset, reason }, 'old segments are deleted')
    for (const segment of going) {
      segments.dropOldest()
      this.#setAside(segment)
    }
    return count
  }

  /** A new segment beside the log, for what compaction leaves of those from `baseOffset` on. */
  createCleaned(baseOffset: bigint): Segment {
    const { storage, folder, clocks } = this.#log
    return Segment.create(storage, folder, baseOffset, clocks.wall.now(), '.cleaned')
  }

  /**
   * Puts a cleaned segment, the bytes of which are on the disk, in the place of its sources. False where those are gone.
   * If this rejects half way the log is offline: the next start brings the one or the other into order.
   */
  async replaceSegments(sources: readonly Segment[], cleaned: Segment): Promise<boolean> {
    const { guard } = this.#log
    const ports = {
      ...this.#log,
      setAside: (segment: Segment) => this.#setAside(segment),
      isAlive: () => !guard.isOffline
    }
    try {
      return await swapIn(ports, sources, cleaned)
    } catch (error) {
      throw guard.fail(error)
    }
  }

  /** Takes the files of a segment that is no longer part of the log out of the way. */
  #setAside(segment: Segment): void {
    const { storage, folder, segments, removal, config } = this.#log
    const paths = segment.setAside()
    const snapshot = segmentPath(folder, segment.baseOffset, 'snapshot')
    if (!segments.hasBase(segment.baseOffset) && storage.exists(snapshot)) {
      const aside = segmentPath(folder, segment.baseOffset, 'snapshot', '.deleted')
      storage.rename(snapshot, aside)
      paths.push(aside)
    }
    removal.after(config.fileDeleteDelayMs, paths)
  }
}

// Replacement of segments by a cleaned segment. Readers see the old segments or the new one, and after a crash at any moment recovery
// completes or undoes the replacement: `.cleaned` files are removed, `.swap` files replace the old segments. The folder is synced
// between the steps, since unsynced renames may reach the disk in any order.

/** The log in which segments are swapped. */
export interface SwapPorts {
  readonly storage: Storage
  readonly folder: string
  readonly segments: Segments
  /** Takes the files of a segment that is no longer part of the log out of the way, at once. */
  setAside(segment: Segment): void
  /** Whether the log goes on; a log that has been deleted or taken offline has no files to be changed. */
  isAlive(): boolean
}

/** Replaces `sources` by `cleaned`, whose bytes are on the disk. False, without a trace, where they are gone already. */
async function swapIn(ports: SwapPorts, sources: readonly Segment[], cleaned: Segment): Promise<boolean> {
  const { storage, folder, segments, setAside } = ports
  const canGoOn = () => ports.isAlive() && segments.hasAll(sources)
  await storage.sync(folder)
  if (!canGoOn()) return false
  const swap = cleaned.renamed('.swap')
  await storage.sync(folder)
  if (!canGoOn()) {
    if (!ports.isAlive()) return false
    swap.remove()
    await storage.sync(folder)
    return false
  }
  segments.replace(sources, swap)
  for (const source of sources) setAside(source)
  await storage.sync(folder)
  // Retention may have taken the new segment already.
  if (ports.isAlive() && segments.hasAll([swap])) segments.replace([swap], swap.renamed(''))
  await storage.sync(folder)
  return true
}
