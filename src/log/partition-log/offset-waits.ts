/** Callers that wait for an offset: for the flush limit of a log, or for the high watermark of a partition. */
import { type Deferred, deferred } from '../../runtime/deferred.ts'

interface Wait {
  readonly offset: bigint
  readonly reached: Deferred<void>
}

export class OffsetWaits {
  readonly #waits = new Set<Wait>()

  /** Resolves at `complete` with this offset or a larger one. Rejects at `fail`. */
  until(offset: bigint): Promise<void> {
    const wait = { offset, reached: deferred<void>() }
    this.#waits.add(wait)
    return wait.reached.promise
  }

  /** Resolves the waits for offsets up to `offset`. */
  complete(offset: bigint): void {
    if (this.#waits.size === 0) return
    for (const wait of this.#waits) {
      if (wait.offset > offset) continue
      this.#waits.delete(wait)
      wait.reached.resolve()
    }
  }

  /** Rejects all waits. */
  fail(why: Error): void {
    for (const { reached } of this.#waits) reached.reject(why)
    this.#waits.clear()
  }
}
