/** Memory storage whose syncs can be held back, as a busy disk does: what happens meanwhile is the test's to say. */

import { type Deferred, deferred } from '../../../src/runtime/deferred.ts'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'

export class HeldStorage extends MemoryStorage {
  /** Files and directories that were asked to be synced since `hold`, in order. */
  readonly asked: string[] = []
  /** Whether a sync that is held has done its work: it may be the bytes that take their time, or the answer. */
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

  /** From now on syncs, all or some, wait for `release` or `flow`. */
  hold(isHeld: (path: string) => boolean = () => true): void {
    this.#isHeld = isHeld
    this.asked.length = 0
  }

  /** Lets the syncs that wait be done, and what comes of it happen. Those that it brings are held. */
  async release(): Promise<void> {
    for (const waiting of this.#waiting.splice(0)) waiting.resolve()
    await yieldToEventLoop()
  }

  /** Lets the syncs that wait fail. */
  async fail(error: Error): Promise<void> {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
    await yieldToEventLoop()
  }

  /** Nothing is held any more. */
  async flow(): Promise<void> {
    this.#isHeld = () => false
    await this.release()
  }
}
