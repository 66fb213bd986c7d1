/**
 * Up to where a log may be spoken of: consumers read what lies before, and answers wait until what they rest on does.
 * With one replica that is the end of the log, except while a sync is due: then it stands at what the disk has.
 */
import { type Deferred, deferred } from '../../runtime/deferred.ts'

/** Whoever waits until the offset is reached. */
interface Waiter {
  readonly offset: bigint
  readonly settled: Deferred<void>
}

/** A batch that may not be seen yet. */
interface HiddenBatch {
  readonly nextOffset: bigint
  readonly size: number
}

export class HighWatermark {
  readonly #arrived: (bytes: number) => void
  readonly #waiters = new Set<Waiter>()
  /** Appended since the disk is waited for, in order. */
  #hidden: HiddenBatch[] = []
  #offset: bigint
  #isHeld = false

  /** `arrived` is called with the bytes that may be seen from now on. */
  constructor(offset: bigint, arrived: (bytes: number) => void) {
    this.#offset = offset
    this.#arrived = arrived
  }

  get offset(): bigint {
    return this.#offset
  }

  /** From now on it stands until `release`. It never goes back. */
  hold(): void {
    this.#isHeld = true
  }

  /** A batch of `size` bytes has been appended. */
  appended(nextOffset: bigint, size: number): void {
    if (this.#isHeld) {
      this.#hidden.push({ nextOffset, size })
      return
    }
    this.#offset = nextOffset
    this.#arrived(size)
  }

  /** What lies before `offset` may be seen; `isHeld`: later batches wait on. */
  release(offset: bigint, isHeld: boolean): void {
    this.#isHeld = isHeld
    if (offset > this.#offset) this.#moveTo(offset)
  }

  /** Resolves once it is at `offset`; undefined when it is. Rejects when it never will be. */
  reached(offset: bigint): Promise<void> | undefined {
    if (offset <= this.#offset) return undefined
    const waiter = { offset, settled: deferred<void>() }
    this.#waiters.add(waiter)
    return waiter.settled.promise
  }

  /** All who wait are told why they wait for nothing. */
  fail(why: Error): void {
    for (const { settled } of this.#waiters) settled.reject(why)
    this.#waiters.clear()
  }

  #moveTo(offset: bigint): void {
    this.#offset = offset
    const count = this.#hidden.findIndex(({ nextOffset }) => nextOffset > offset)
    const seen = this.#hidden.splice(0, count < 0 ? this.#hidden.length : count)
    this.#arrived(seen.reduce((sum, { size }) => sum + size, 0))
    for (const waiter of this.#waiters) {
      if (waiter.offset > offset) continue
      this.#waiters.delete(waiter)
      waiter.settled.resolve()
    }
  }
}
