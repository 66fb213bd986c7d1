/**
 * Compacts logs one after the other, always the dirtiest of those that are due, as long as there is one; then it rests
 * for a while. It works between everyone else's requests: after so many bytes the others go first.
 */
import { deferred } from '../../runtime/deferred.ts'
import type { Logger } from '../../runtime/logger.ts'
import { LONGEST_SLICE_MS, yielding, yieldToEventLoop } from '../../runtime/pace.ts'
import type { Alarm, Clocks } from '../../runtime/time.ts'
import { StorageError } from '../../storage/storage.ts'
import type { PartitionLog } from '../partition-log/partition-log.ts'
import { Cleaning, CleaningAborted } from './cleaning.ts'
import { dirtiest, type LogToClean, logToClean } from './log-to-clean.ts'

/** Kafka's log.cleaner settings. */
export interface CleanerSettings {
  readonly backoffMs: number
  readonly dedupeBufferSize: number
  readonly loadFactor: number
  /** How many bytes are worked on before others have their turn (log.cleaner.io.buffer.size). */
  readonly sliceBytes: number
  readonly maxBytesPerSecond: number
  /** The most bytes that a compressed batch may unpack to. */
  readonly decompressedLimit: number
}

/** Up to where logs have been compacted, by their folders, for later processes too. */
export interface CleanerOffsets {
  get(folder: string): bigint | undefined
  /** Notes it, and writes it down. */
  set(folder: string, offset: bigint): void
}

export interface LogCleanerPorts {
  readonly clocks: Clocks
  readonly logger: Logger
  readonly offsets: CleanerOffsets
  /** In force right now. */
  settings(): CleanerSettings
  /** All logs that are compacted, each opened when it is asked for; there may be many. */
  logs(): Iterable<PartitionLog>
}

interface Candidate {
  readonly log: PartitionLog
  readonly toClean: LogToClean
}

export class LogCleaner {
  readonly #ports: LogCleanerPorts
  /** Logs that cannot be compacted: they are left alone until the next start. */
  readonly #uncleanable = new WeakSet<PartitionLog>()
  /** Logs that could not be compacted just now: others come first. */
  #postponed = new WeakSet<PartitionLog>()
  #alarm: Alarm | undefined
  #working: Promise<void> = Promise.resolve()
  #isStopped = false
  /** Ends a sleep early. */
  #wake: () => void = () => {}
  /** Of the slice under way. */
  #sliceBytes = 0
  #sliceBeganMs = 0

  constructor(ports: LogCleanerPorts) {
    this.#ports = ports
  }

  /** From now on logs are compacted, for the first time after log.cleaner.backoff.ms. */
  start(): void {
    const { clocks, settings } = this.#ports
    this.#alarm = clocks.deadline.at(clocks.deadline.now() + settings().backoffMs, () => {
      this.#working = this.#work()
    })
  }

  /** Resolves when nothing is being compacted any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#alarm?.cancel()
    this.#wake()
    await this.#working
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#postponed = new WeakSet()
    try {
      while (await this.#pass());
    } catch (error) {
      this.#ports.logger.error({ err: error }, 'logs could not be compacted: it is tried again later')
    }
    if (!this.#isStopped) this.start()
  }

  /** Compacts the dirtiest log, then has all of them drop what is past its retention. Whether there was one. */
  async #pass(): Promise<boolean> {
    const candidates: Candidate[] = []
    await this.#forEachLog(log => {
      const toClean = this.#toCleanOf(log)
      if (toClean.isDue) candidates.push({ log, toClean })
    })
    const chosen = dirtiest(candidates)
    if (chosen && !this.#isStopped) await this.#attempt(chosen.log, () => this.#clean(chosen))
    await this.#forEachLog(log => this.#retain(log))
    return chosen !== undefined && !this.#isStopped
  }

  async #retain(log: PartitionLog): Promise<void> {
    while (!this.#isStopped && log.deleteOldSegments() > 0) await yieldToEventLoop()
  }

  async #forEachLog(act: (log: PartitionLog) => void | Promise<void>): Promise<void> {
    const yieldIfDue = yielding(this.#ports.clocks.loop)
    for (const log of this.#ports.logs()) {
      if (!this.#isLeftAlone(log)) await this.#attempt(log, () => act(log))
      const pause = yieldIfDue()
      if (pause) await pause
      if (this.#isStopped) return
    }
  }

  #isLeftAlone(log: PartitionLog): boolean {
    return log.isOffline || this.#uncleanable.has(log) || this.#postponed.has(log)
  }

  /** One log's trouble is not the others'. */
  async #attempt(log: PartitionLog, act: () => void | Promise<void>): Promise<void> {
    const { folder } = log
    const { logger } = this.#ports
    try {
      await act()
    } catch (error) {
      if (error instanceof CleaningAborted || log.isOffline) {
        logger.debug({ folder, reason: String(error) }, 'the compaction of a log was given up')
        this.#postponed.add(log)
      } else if (error instanceof StorageError) {
        logger.warn({ folder, err: error }, 'a log could not be compacted: it is tried again later')
        this.#postponed.add(log)
      } else {
        logger.error({ folder, err: error }, 'a log cannot be compacted, and is left as it is until the next start')
        this.#uncleanable.add(log)
      }
    }
  }

  #toCleanOf(log: PartitionLog): LogToClean {
    const { clocks, logger, offsets } = this.#ports
    const { folder, config } = log
    const checkpoint = offsets.get(folder)
    const toClean = logToClean(log, checkpoint, clocks.wall.now())
    if (toClean.hasBadCheckpoint) {
      // Retention may have passed it, which is nothing to talk about.
      if (!config.isDeleted) {
        logger.warn(
          { folder, checkpoint, firstDirtyOffset: toClean.firstDirtyOffset },
          'a cleaner offset cannot be right'
        )
      }
      offsets.set(folder, toClean.firstDirtyOffset)
    }
    return toClean
  }

  async #clean({ log, toClean }: Candidate): Promise<void> {
    const { clocks, logger, settings, offsets } = this.#ports
    const { dedupeBufferSize, loadFactor, decompressedLimit } = settings()
    const beganMs = clocks.loop.now()
    this.#beginSlice()
    const mapLimits = { memoryBytes: dedupeBufferSize, loadFactor }
    const spend = (bytes: number) => this.#spend(bytes)
    const done = await new Cleaning({
      log,
      toClean,
      mapLimits,
      nowMs: clocks.wall.now(),
      decompressedLimit,
      spend
    }).run()
    if (log.isOffline) return
    offsets.set(log.folder, done.endOffset)
    const { bytesBefore, bytesAfter, recordsBefore, recordsAfter } = done
    const recordsDropped = recordsBefore - recordsAfter
    const tookMs = clocks.loop.now() - beganMs
    logger.info({ folder: log.folder, bytesBefore, bytesAfter, recordsDropped, tookMs }, 'a log was compacted')
  }

  #beginSlice(): void {
    this.#sliceBytes = 0
    this.#sliceBeganMs = this.#ports.clocks.loop.now()
  }

  /** Bytes were read or written. At the end of a slice it is the others' turn, or for as long as the throttle wants. */
  #spend(bytes: number): Promise<void> | undefined {
    const { clocks, settings } = this.#ports
    this.#sliceBytes += bytes
    const isOver =
      this.#sliceBytes >= settings().sliceBytes || clocks.loop.now() - this.#sliceBeganMs >= LONGEST_SLICE_MS
    return isOver ? this.#endSlice() : undefined
  }

  async #endSlice(): Promise<void> {
    const { clocks, settings } = this.#ports
    const leastMs = (this.#sliceBytes / settings().maxBytesPerSecond) * 1000
    const leftMs = leastMs - (clocks.loop.now() - this.#sliceBeganMs)
    if (leftMs >= 1 && !this.#isStopped) await this.#sleep(leftMs)
    else await yieldToEventLoop()
    if (this.#isStopped) throw new CleaningAborted('the broker stops')
    this.#beginSlice()
  }

  async #sleep(forMs: number): Promise<void> {
    const { clocks } = this.#ports
    const { promise, resolve } = deferred<void>()
    const alarm = clocks.loop.at(clocks.loop.now() + forMs, resolve)
    this.#wake = resolve
    await promise
    alarm.cancel()
  }
}
