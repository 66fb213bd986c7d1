/** Progress of the recovery of a data directory, as events and as a progress bar. */
import type { Events } from '../../events/event.ts'
import type { MonotonicClock } from '../../runtime/time.ts'

export interface RecoveryProgress {
  /** Recovered partitions, and the number of partitions to recover. */
  readonly partitions: number
  readonly partitionsTotal: number
  /** Checked bytes of logs, and the estimate of all bytes to check. */
  readonly bytes: number
  readonly bytesTotal: number
}

/** Called after each step of the recovery. */
export type ProgressListener = (progress: RecoveryProgress) => void

const LINE_INTERVAL_MS = 5000
const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
const BAR_WIDTH = 30

/** A listener that emits an event at most every 5 seconds. A short recovery emits none. */
export function emittedProgress(events: Events, loop: MonotonicClock): ProgressListener {
  let lastMs = loop.now()
  return progress => {
    if (loop.now() - lastMs < LINE_INTERVAL_MS) return
    lastMs = loop.now()
    events.emit({ type: 'RecoveryProgressed', ...progress })
  }
}

/** For instance `40% of 1.2 GiB, 3 of 12 partitions`. */
export function progressText(progress: RecoveryProgress): string {
  const { partitions, partitionsTotal, bytesTotal } = progress
  return `${percentOf(progress)}% of ${sizeText(bytesTotal)}, ${partitions} of ${partitionsTotal} partitions`
}

/** A line for a terminal with `columns` columns. */
export function progressBar(progress: RecoveryProgress, columns: number): string {
  const filled = Math.round((percentOf(progress) / 100) * BAR_WIDTH)
  const bar = `recovering [${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${progressText(progress)}`
  return bar.slice(0, Math.max(0, columns - 1))
}

/**
 * Percentage by bytes, or by partitions if there are no bytes to check. At most 100, even if files have grown since the
 * estimate.
 */
function percentOf({ partitions, partitionsTotal, bytes, bytesTotal }: RecoveryProgress): number {
  const [done, total] = bytesTotal > 0 ? [bytes, bytesTotal] : [partitions, partitionsTotal]
  return total === 0 ? 100 : Math.floor(Math.min(1, done / total) * 100)
}

function sizeText(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const size = bytes / 1024 ** power
  return `${power === 0 ? size : size.toFixed(1)} ${UNITS[power]}`
}
