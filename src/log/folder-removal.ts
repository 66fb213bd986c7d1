/** Removes folders of deleted partitions, later and beside other work. */
import type { Alarm, Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Storage } from './storage.ts'

export class FolderRemoval {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #alarms = new Set<Alarm>()
  /** Settles when no folder is being removed. */
  #removed: Promise<void> = Promise.resolve()

  constructor(storage: Storage, clock: Clock, logger: Logger) {
    this.#storage = storage
    this.#clock = clock
    this.#logger = logger
  }

  /** Removes a folder after a delay. */
  after(delayMs: number, folder: string): void {
    const alarm = this.#clock.at(this.#clock.now() + delayMs, () => {
      this.#alarms.delete(alarm)
      this.begin(folder)
    })
    this.#alarms.add(alarm)
  }

  /** Begins to remove a folder. What cannot be removed is left to the next start. */
  begin(folder: string): void {
    const removal = this.#storage.remove(folder).catch((error: unknown) => {
      this.#logger.warn({ folder, error }, 'a deleted partition could not be removed: the next start tries again')
    })
    this.#removed = Promise.all([this.#removed, removal]).then(() => {})
  }

  /** Calls off what has not begun and waits for what has. */
  async stop(): Promise<void> {
    for (const alarm of this.#alarms) alarm.cancel()
    await this.#removed
  }
}
