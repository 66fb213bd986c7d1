/** What the coordinator does by itself, again and again: abort what takes too long, forget what is not used. */
import { type Alarm, type Clock, repeat } from '../runtime/clock.ts'

export interface UpkeepSettings {
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms` */
  readonly abortIntervalMs: number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms` */
  readonly removeIntervalMs: number
  /** `transactional.id.expiration.ms` */
  readonly expirationMs: number
}

export interface UpkeepTasks {
  abortTimedOut(): void
  removeExpired(): void
}

export class Upkeep {
  readonly #ports: { readonly clock: Clock; readonly settings: UpkeepSettings }
  readonly #tasks: UpkeepTasks
  #alarms: Alarm[] = []

  constructor(ports: { readonly clock: Clock; readonly settings: UpkeepSettings }, tasks: UpkeepTasks) {
    this.#ports = ports
    this.#tasks = tasks
  }

  start(): void {
    const { clock, settings } = this.#ports
    this.#alarms = [
      repeat(
        clock,
        () => settings.abortIntervalMs,
        () => this.#tasks.abortTimedOut()
      ),
      repeat(
        clock,
        () => settings.removeIntervalMs,
        () => this.#tasks.removeExpired()
      )
    ]
  }

  stop(): void {
    for (const alarm of this.#alarms) alarm.cancel()
  }
}
