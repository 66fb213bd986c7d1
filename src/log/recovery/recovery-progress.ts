/** How far the recovery of a data directory has come, and how that is told to people. */
import type { Logger } from '../../runtime/logger.ts'
import type { MonotonicClock } from '../../runtime/time.ts'

export interface RecoveryProgress {
  /** Partitions that are done, of so many. */
  readonly partitions: number
  readonly partitionsTotal: number
  /** Bytes of logs that are checked, of so many as could be told beforehand. */
  readonly bytes: number
  readonly bytesTotal: number
}

/** Hears of every step. */
export type ProgressListener = (progress: RecoveryProgress) => void

const LINE_INTERVAL_MS = 5000
const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
const BAR_WIDTH = 30

/** A listener that logs a line every few seconds, hence none of a short recovery. */
export function loggedProgress(logger: Logger, loop: MonotonicClock): ProgressListener {
  let lastMs = loop.now()
  return progress => {
    if (loop.now() - lastMs < LINE_INTERVAL_MS) return
    lastMs = loop.now()
    logger.info({ ...progress }, `recovering: ${progressText(progress)}`)
  }
}

/** For instance `40% of 1.2 GiB, 3 of 12 partitions`. */
export function progressText(progress: RecoveryProgress): string {
  const { partitions, partitionsTotal, bytesTotal } = progress
  return `${percentOf(progress)}% of ${sizeText(bytesTotal)}, ${partitions} of ${partitionsTotal} partitions`
}

/** A line for a terminal of that many columns. */
export function progressBar(progress: RecoveryProgress, columns: number): string {
  const filled = Math.round((percentOf(progress) / 100) * BAR_WIDTH)
  const bar = `recovering [${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${progressText(progress)}`
  return bar.slice(0, Math.max(0, columns - 1))
}

/** By bytes; where there are none to check, by partitions. Files that grew since they were counted are no more than all. */
function percentOf({ partitions, partitionsTotal, bytes, bytesTotal }: RecoveryProgress): number {
  const [done, total] = bytesTotal > 0 ? [bytes, bytesTotal] : [partitions, partitionsTotal]
  return total === 0 ? 100 : Math.floor(Math.min(1, done / total) * 100)
}

function sizeText(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const size = bytes / 1024 ** power
  return `${power === 0 ? size : size.toFixed(1)} ${UNITS[power]}`
}
