/**
 * The high watermark: consumers read below it, acks=all waits for it. With one replica it equals the log end offset. While
 * flush.messages requires a sync, only synced batches advance it.
 */
import { type Deferred, deferred } from '../../runtime/deferred.ts'

/** A wait for an offset. */
interface Waiter {
  readonly offset: bigint
  readonly settled: Deferred<void>
}

/** A batch above the high watermark. */
interface HiddenBatch {
  readonly nextOffset: bigint
  readonly size: number
}

export class HighWatermark {
  readonly #arrived: (bytes: number) => void
  readonly #waiters = new Set<Waiter>()
  /** Batches appended since `hold`, in offset order. */
  #hidden: HiddenBatch[] = []
  #offset: bigint
  #isHeld = false

  /** `arrived` is called with the bytes by which the high watermark advances. */
  constructor(offset: bigint, arrived: (bytes: number) => void) {
    this.#offset = offset
    this.#arrived = arrived
  }

  get offset(): bigint {
    return this.#offset
  }

  /** Stops the high watermark until `release`. It never moves backwards. */
  hold(): void {
    this.#isHeld = true
  }

  /** Called for an appended batch of `size` bytes. Moves the high watermark unless it is held. */
  appended(nextOffset: bigint, size: number): void {
    if (this.#isHeld) {
      this.#hidden.push({ nextOffset, size })
      return
    }
    this.#offset = nextOffset
    this.#arrived(size)
  }

  /** Moves the high watermark to `offset`. With `isHeld`, it stays there until the next `release`. */
  release(offset: bigint, isHeld: boolean): void {
    this.#isHeld = isHeld
    if (offset > this.#offset) this.#moveTo(offset)
  }

  /**
   * Resolves when the high watermark reaches `offset`; undefined if it already has. Rejects when the log goes offline or is
   * deleted.
   */
  reached(offset: bigint): Promise<void> | undefined {
    if (offset <= this.#offset) return undefined
    const waiter = { offset, settled: deferred<void>() }
    this.#waiters.add(waiter)
    return waiter.settled.promise
  }

  /** Rejects all waits. */
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
