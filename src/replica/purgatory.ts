/**
 * Where requests wait: for bytes to arrive in partitions, for a deadline, for their connection to go, for the stop of
 * the broker. A waiting request costs an append one subtraction, and nothing while no record arrives.
 */
import type { Clock } from '../runtime/clock.ts'
import { deferred } from '../runtime/deferred.ts'

/** What a request waits for: its own count of missing bytes, lowered by every arrival it listens to. */
interface Waiter {
  missingBytes: number
  wake(): void
}

/** The requests that wait for one partition. */
export class WaitList {
  readonly #waiters = new Set<Waiter>()

  get isEmpty(): boolean {
    return this.#waiters.size === 0
  }

  /** Bytes that a waiting reader may now see have arrived. */
  arrived(bytes: number): void {
    for (const waiter of this.#waiters) {
      waiter.missingBytes -= bytes
      if (waiter.missingBytes <= 0) waiter.wake()
    }
  }

  /** Something else changed that every waiting request must look at: deletion, truncation, a new leader. */
  wakeAll(): void {
    for (const waiter of this.#waiters) waiter.wake()
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter)
  }

  delete(waiter: Waiter): void {
    this.#waiters.delete(waiter)
  }
}

/** Whether a promise resolves before `deadlineMs`. Rejects as it does. */
export async function resolvesBefore(deadlineMs: number, promise: Promise<void>, clock: Clock): Promise<boolean> {
  const { promise: late, resolve } = deferred<boolean>()
  const alarm = clock.at(deadlineMs, () => resolve(false))
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    alarm.cancel()
  }
}

/** All the requests that wait in one broker. */
export class Parking {
  readonly #clock: Clock
  readonly #waiters = new Set<Waiter>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many requests wait. */
  get size(): number {
    return this.#waiters.size
  }

  /** Resolves once `missingBytes` have arrived in `lists`, or at `deadlineMs`, or when there is no point in waiting. */
  async wait(lists: readonly WaitList[], missingBytes: number, deadlineMs: number, gone: AbortSignal): Promise<void> {
    if (this.#closed || gone.aborted) return
    const { promise, resolve } = deferred<void>()
    const waiter: Waiter = { missingBytes, wake: () => resolve() }
    const alarm = this.#clock.at(deadlineMs, waiter.wake)
    gone.addEventListener('abort', waiter.wake)
    this.#waiters.add(waiter)
    for (const list of lists) list.add(waiter)
    try {
      await promise
    } finally {
      for (const list of lists) list.delete(waiter)
      this.#waiters.delete(waiter)
      gone.removeEventListener('abort', waiter.wake)
      alarm.cancel()
    }
  }

  /** Wakes every request, and lets none wait from now on. */
  close(): void {
    this.#closed = true
    for (const waiter of this.#waiters) waiter.wake()
  }
}
