/**
 * The purgatory (Kafka: DelayedOperationPurgatory). A delayed fetch completes when enough bytes have arrived in its partitions,
 * at its deadline, when its connection closes, or when the broker stops. An append costs one subtraction for each delayed fetch.
 */
import { deferred } from '../runtime/deferred.ts'
import type { MonotonicClock } from '../runtime/time.ts'

/** A fetch that waits until its count of missing bytes, lowered by every append to its partitions, reaches zero. */
interface DelayedFetch {
  missingBytes: number
  complete(): void
}

/** The delayed fetches of one partition. */
export class Watchers {
  readonly #delayed = new Set<DelayedFetch>()

  get isEmpty(): boolean {
    return this.#delayed.size === 0
  }

  /** Counts bytes that have become visible to readers. */
  arrived(bytes: number): void {
    for (const delayed of this.#delayed) {
      delayed.missingBytes -= bytes
      if (delayed.missingBytes <= 0) delayed.complete()
    }
  }

  /** Completes all delayed fetches, without regard to missing bytes. */
  completeAll(): void {
    for (const delayed of this.#delayed) delayed.complete()
  }

  add(delayed: DelayedFetch): void {
    this.#delayed.add(delayed)
  }

  delete(delayed: DelayedFetch): void {
    this.#delayed.delete(delayed)
  }
}

/**
 * Waits for the high watermark of an acks=all Produce. Returns true if `promise` resolves before `deadlineMs`. Rejects as
 * `promise`.
 */
export async function delayedProduce(
  deadlineMs: number,
  promise: Promise<void>,
  clock: MonotonicClock
): Promise<boolean> {
  const { promise: late, resolve } = deferred<boolean>()
  const alarm = clock.at(deadlineMs, () => resolve(false))
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    alarm.cancel()
  }
}

/** All delayed fetches of one broker. */
export class Purgatory {
  readonly #loop: MonotonicClock
  readonly #delayed = new Set<DelayedFetch>()
  #closed = false

  constructor(loop: MonotonicClock) {
    this.#loop = loop
  }

  /** Number of delayed fetches. */
  get size(): number {
    return this.#delayed.size
  }

  /** Resolves when `missingBytes` have arrived in `watched`, at `deadlineMs`, when `gone` aborts, or at `close`. */
  async wait(watched: readonly Watchers[], missingBytes: number, deadlineMs: number, gone: AbortSignal): Promise<void> {
    if (this.#closed || gone.aborted) return
    const { promise, resolve } = deferred<void>()
    const delayed: DelayedFetch = { missingBytes, complete: () => resolve() }
    const alarm = this.#loop.at(deadlineMs, delayed.complete)
    gone.addEventListener('abort', delayed.complete)
    this.#delayed.add(delayed)
    for (const watchers of watched) watchers.add(delayed)
    try {
      await promise
    } finally {
      for (const watchers of watched) watchers.delete(delayed)
      this.#delayed.delete(delayed)
      gone.removeEventListener('abort', delayed.complete)
      alarm.cancel()
    }
  }

  /** Completes every delayed fetch; later ones complete at once. */
  close(): void {
    this.#closed = true
    for (const delayed of this.#delayed) delayed.complete()
  }
}
