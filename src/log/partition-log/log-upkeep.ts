/**
 * Removal of old records from a log: log start offset, retention, and replacement of segments by compacted ones. Unused
 * files are renamed to `.deleted` at once and removed after file.delete.delay.ms.
 */

import { rows, type ViewOf } from '../../config/view.ts'
import type { Events } from '../../events/event.ts'
import { KafkaError } from '../../protocol/errors.ts'
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

/** The config for the delay of file removal. */
export const REMOVAL_ROWS = rows({ fileDeleteDelayMs: 'file.delete.delay.ms' })

/** The log and its parts. */
export interface KeptLog {
  readonly storage: Storage
  readonly folder: string
  readonly clocks: Clocks
  readonly guard: DiskGuard
  readonly segments: Segments
  readonly epochs: LeaderEpochs
  readonly sync: LogSync
  readonly removal: Removal
  readonly events: Events
  /** The configs in force. */
  readonly config: ViewOf<typeof REMOVAL_ROWS>
}

export class LogUpkeep {
  readonly #log: KeptLog
  #offset: bigint

  /**
   * `checkpointOffset` is the log start offset from the checkpoint. The log cannot start before its first segment, so the
   * larger of both counts.
   */
  constructor(log: KeptLog, checkpointOffset: bigint) {
    const { firstOffset } = log.segments
    this.#log = log
    this.#offset = checkpointOffset > firstOffset ? checkpointOffset : firstOffset
    log.epochs.truncateFromStart(this.#offset)
  }

  /** The log start offset. */
  get startOffset(): bigint {
    return this.#offset
  }

  /**
   * Moves the log start offset to `offset`, never backwards. Throws OFFSET_OUT_OF_RANGE for an offset above the high
   * watermark.
   */
  moveStart(offset: bigint, highWatermark: bigint): void {
    if (offset > highWatermark) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `the log start offset cannot be ${offset}, above the high watermark ${highWatermark}`
      )
    }
    if (offset <= this.#offset) return
    this.#log.epochs.truncateFromStart(offset)
    this.#offset = offset
  }

  /** Writes a leader epoch checkpoint that is not up to date, before the files are closed. */
  finish(): void {
    const { guard, sync, epochs } = this.#log
    if (epochs.isWritten) return
    sync.expectEpochChange()
    guard.run(() => epochs.write())
  }

  /**
   * Deletes the oldest segments by one rule of retention and returns their number, which is limited so that other work does
   * not wait long. `roll` creates a segment if all are deleted. After an error the log is valid, but may lack some of
   * these segments.
   */
  deleteOldSegments(log: Omit<AgingLog, 'nowMs'>, roll: () => void): number {
    const { clocks, segments, folder, events } = this.#log
    const old = oldSegments({ ...log, nowMs: clocks.wall.now() })
    if (!old) return 0
    const { length } = segments.all
    const { reason } = old
    // A log needs a segment. On a full disk, the deletion of the others first makes room for the new one.
    const count = old.count === length && length > 1 ? length - 1 : old.count
    const removed = segments.all.slice(0, count)
    if (count === length) roll()
    this.moveStart(segments.all[count]?.baseOffset ?? log.logEndOffset, log.highWatermark)
    const bytes = removed.reduce((sum, { size }) => sum + size, 0)
    events.emit({
      type: 'SegmentsDeleted',
      topicPartition: folder,
      count,
      firstBaseOffset: removed[0]?.baseOffset,
      lastBaseOffset: removed.at(-1)?.baseOffset,
      bytes,
      logStartOffset: this.#offset,
      reason
    })
    for (const segment of removed) {
      segments.dropOldest()
      this.#setAside(segment)
    }
    return count
  }

  /** Creates a `.cleaned` segment for the records that compaction keeps of the segments from `baseOffset`. */
  createCleaned(baseOffset: bigint): Segment {
    const { storage, folder, clocks } = this.#log
    return Segment.create(storage, folder, baseOffset, clocks.wall.now(), '.cleaned')
  }

  /**
   * Replaces `sources` by a cleaned segment, whose bytes are on disk. Returns false if the log has lost one of the sources. A
   * rejection takes the log offline; the next start completes or undoes the replacement.
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

  /** Renames the files of a segment that is not part of the log any more, and schedules their removal. */
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

// Replacement of segments by a cleaned segment. Readers see the old segments or the new one. After a crash at any moment,
// recovery completes or undoes the replacement: it removes `.cleaned` files, and replaces old segments by `.swap` files. The
// folder is synced between the steps, since unsynced renames may reach the disk in any order.

/** The log in which segments are replaced. */
export interface SwapPorts {
  readonly storage: Storage
  readonly folder: string
  readonly segments: Segments
  /** Renames the files of a segment that is not part of the log any more, and schedules their removal. */
  setAside(segment: Segment): void
  /** Whether the log is online. The files of a deleted or offline log must not be changed. */
  isAlive(): boolean
}

/**
 * Replaces `sources` by `cleaned`, whose bytes are on disk. Returns false, without a change to the log, if it has lost one of them.
 */
async function swapIn(ports: SwapPorts, sources: readonly Segment[], cleaned: Segment): Promise<boolean> {
  const { storage, folder, segments, setAside } = ports
  const canContinue = () => ports.isAlive() && segments.hasAll(sources)
  await storage.sync(folder)
  if (!canContinue()) return false
  const swap = cleaned.renamed('.swap')
  await storage.sync(folder)
  if (!canContinue()) {
    if (!ports.isAlive()) return false
    swap.remove()
    await storage.sync(folder)
    return false
  }
  segments.replace(sources, swap)
  for (const source of sources) setAside(source)
  await storage.sync(folder)
  // Retention may have deleted the new segment meanwhile.
  if (ports.isAlive() && segments.hasAll([swap])) segments.replace([swap], swap.renamed(''))
  await storage.sync(folder)
  return true
}
