/**
 * When bytes arrive for readers of committed data: with their append where no transaction is open, else all at once
 * with the marker that makes them stable. An open transaction alone wakes nobody, however much is appended beside it.
 */
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import type { Watchers } from './purgatory.ts'

export class StableArrivals {
  readonly #log: PartitionLog
  readonly #waiting: Watchers
  #stableOffset: bigint
  #highWatermark: bigint

  /** The log's observer can tell by now what is stable. */
  constructor(log: PartitionLog, waiting: Watchers) {
    this.#log = log
    this.#waiting = waiting
    this.#stableOffset = log.lastStableOffset
    this.#highWatermark = log.highWatermark
  }

  /** So many bytes more lie before the high watermark. */
  arrived(bytes: number): void {
    const from = this.#stableOffset
    const wasAllStable = from === this.#highWatermark
    const { lastStableOffset: to, highWatermark } = this.#log
    this.#stableOffset = to
    this.#highWatermark = highWatermark
    if (to === from || this.#waiting.isEmpty) return
    // Readers do not wait for more in a segment that is full.
    if (!this.#log.reader.areInOneSegment(from, to)) this.#waiting.completeAll()
    else this.#waiting.arrived(wasAllStable && to === highWatermark ? bytes : this.#log.reader.bytesBetween(from, to))
  }
}
