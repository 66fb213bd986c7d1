/**
 * Removes what is no longer used, later and beside other work: files of old segments and folders of deleted partitions.
 * Their names say already that they go (`.deleted`, `-delete`), so that the next start can finish what was left undone.
 */
import type { Logger } from '../../runtime/logger.ts'
import type { Alarm, MonotonicClock } from '../../runtime/time.ts'
import type { Storage } from '../../storage/storage.ts'

export class Removal {
  readonly #storage: Storage
  readonly #deadline: MonotonicClock
  readonly #logger: Logger
  readonly #alarms = new Set<Alarm>()
  /** Settles when nothing is being removed. */
  #removed: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(storage: Storage, deadline: MonotonicClock, logger: Logger) {
    this.#storage = storage
    this.#deadline = deadline
    this.#logger = logger
  }

  /** Removes files or folders after a delay. What is not there any more by then is no matter. */
  after(delayMs: number, paths: readonly string[]): void {
    if (this.#isStopped || paths.length === 0) return
    const alarm = this.#deadline.at(this.#deadline.now() + delayMs, () => {
      this.#alarms.delete(alarm)
      this.begin(paths)
    })
    this.#alarms.add(alarm)
  }

  /** Begins to remove files or folders, one after the other. What cannot be removed is left to the next start. */
  begin(paths: readonly string[]): void {
    this.#removed = this.#removed.then(async () => {
      for (const path of paths) if (!this.#isStopped) await this.#remove(path)
    })
  }

  /** Calls off what has not begun and waits for what has. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const alarm of this.#alarms) alarm.cancel()
    await this.#removed
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#storage.remove(path)
    } catch (error) {
      this.#logger.warn({ path, err: error }, 'what was deleted could not be removed: the next start tries again')
    }
  }
}
