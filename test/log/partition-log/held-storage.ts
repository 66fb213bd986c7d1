/** Memory storage whose syncs can be held, as on a busy disk: a test decides when they complete or fail. */

import { type Deferred, deferred } from '../../../src/runtime/deferred.ts'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'

export class HeldStorage extends MemoryStorage {
  /** Files and directories whose sync was requested since `hold`, in order. */
  readonly asked: string[] = []
  /** Whether a held sync has already synced its file: the sync itself may be slow, or only its completion. */
  hasSynced: () => boolean = () => false
  #waiting: Deferred<void>[] = []
  #isHeld: (path: string) => boolean = () => false

  override async sync(path: string): Promise<void> {
    this.asked.push(path)
    if (this.#isHeld(path)) {
      const isDone = this.hasSynced()
      if (isDone) await super.sync(path)
      const waiting = deferred<void>()
      this.#waiting.push(waiting)
      await waiting.promise
      if (isDone) return
    }
    await super.sync(path)
  }

  /** Holds all syncs, or some of them, until `release` or `flow`. */
  hold(isHeld: (path: string) => boolean = () => true): void {
    this.#isHeld = isHeld
    this.asked.length = 0
  }

  /** Completes the held syncs and runs their callbacks. Holds the syncs that these start. */
  async release(): Promise<void> {
    for (const waiting of this.#waiting.splice(0)) waiting.resolve()
    await yieldToEventLoop()
  }

  /** Fails the held syncs. */
  async fail(error: Error): Promise<void> {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
    await yieldToEventLoop()
  }

  /** Holds no sync from now on. */
  async flow(): Promise<void> {
    this.#isHeld = () => false
    await this.release()
  }
}
