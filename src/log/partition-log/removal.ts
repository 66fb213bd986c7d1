/**
 * Removes files of deleted segments and folders of deleted partitions in the background. Their names (`.deleted`, `-delete`)
 * mark them, so that the next start removes the remaining ones.
 */
import type { Events } from '../../events/event.ts'
import type { Alarm, MonotonicClock } from '../../runtime/time.ts'
import type { Storage } from '../../storage/storage.ts'

export class Removal {
  readonly #storage: Storage
  readonly #deadline: MonotonicClock
  readonly #events: Events
  readonly #alarms = new Set<Alarm>()
  /** Settles when no removal is running. */
  #removed: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(storage: Storage, deadline: MonotonicClock, events: Events) {
    this.#storage = storage
    this.#deadline = deadline
    this.#events = events
  }

  /** Removes files or folders after a delay. A path that does not exist by then is ignored. */
  after(delayMs: number, paths: readonly string[]): void {
    if (this.#isStopped || paths.length === 0) return
    const alarm = this.#deadline.at(this.#deadline.now() + delayMs, () => {
      this.#alarms.delete(alarm)
      this.begin(paths)
    })
    this.#alarms.add(alarm)
  }

  /** Starts to remove files or folders, one after the other. The next start retries those that cannot be removed. */
  begin(paths: readonly string[]): void {
    this.#removed = this.#removed.then(async () => {
      for (const path of paths) if (!this.#isStopped) await this.#remove(path)
    })
  }

  /** Cancels scheduled removals and waits for the running one. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const alarm of this.#alarms) alarm.cancel()
    await this.#removed
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#storage.remove(path)
    } catch (error) {
      this.#events.emit({ type: 'FileRemovalFailed', path, error })
    }
  }
}
