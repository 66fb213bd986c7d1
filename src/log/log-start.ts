/**
 * The old end of a log: the first offset that is offered, and how segments leave the log. Whatever goes has the names of
 * its files changed to `.deleted` at once and is removed a while later: readers that are at it may finish.
 */
import type { Logger } from '../runtime/logger.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogSync } from './log-sync.ts'
import type { Removal } from './removal.ts'
import type { Segment } from './segment.ts'
import { segmentPath } from './segment-names.ts'
import type { Segments } from './segments.ts'
import type { Storage } from './storage.ts'

/** The log that begins there. */
export interface StartedLog {
  readonly storage: Storage
  readonly folder: string
  readonly segments: Segments
  readonly epochs: LeaderEpochs
  readonly sync: LogSync
  readonly removal: Removal
  readonly logger: Logger
}

export class LogStart {
  readonly #log: StartedLog
  #offset: bigint

  /** `wantedOffset`: what the checkpoint says. A log cannot begin before its first segment. */
  constructor(log: StartedLog, wantedOffset: bigint) {
    const { firstOffset } = log.segments
    this.#log = log
    this.#offset = wantedOffset > firstOffset ? wantedOffset : firstOffset
  }

  /** The first offset that is offered. */
  get offset(): bigint {
    return this.#offset
  }

  /** Offers nothing before `offset` any more; it never goes back. */
  moveTo(offset: bigint): void {
    if (offset <= this.#offset) return
    const { sync, epochs } = this.#log
    sync.expectEpochChange()
    epochs.truncateFromStart(offset)
    this.#offset = offset
  }

  /** Lets the `count` oldest segments go, but not all there are. Where this throws, some have gone and the log is whole. */
  deleteOldest(count: number, reason: string, delayMs: number): void {
    const { segments, folder, logger } = this.#log
    const going = segments.all.slice(0, count)
    const next = segments.all[count]
    if (!next) return
    this.moveTo(next.baseOffset)
    const bytes = going.reduce((sum, { size }) => sum + size, 0)
    const [first, last] = [going[0]?.baseOffset, going.at(-1)?.baseOffset]
    logger.info({ folder, count, first, last, bytes, logStartOffset: this.#offset, reason }, 'old segments are deleted')
    for (const segment of going) {
      segments.dropOldest()
      this.setAside(segment, delayMs)
    }
  }

  /** Takes the files of a segment that is no longer part of the log out of the way. They go after `delayMs`. */
  setAside(segment: Segment, delayMs: number): void {
    const { storage, folder, segments, removal } = this.#log
    const paths = segment.setAside()
    const snapshot = segmentPath(folder, segment.baseOffset, 'snapshot')
    if (!segments.hasBase(segment.baseOffset) && storage.exists(snapshot)) {
      const aside = segmentPath(folder, segment.baseOffset, 'snapshot', '.deleted')
      storage.rename(snapshot, aside)
      paths.push(aside)
    }
    removal.after(delayMs, paths)
  }
}
