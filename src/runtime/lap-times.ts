/** How long the parts of some work took, one after the other: each begins where the one before ended. */
import type { Clock } from './clock.ts'

export class LapTimes {
  readonly #clock: Clock
  readonly #laps: Record<string, number> = {}
  #beganMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#beganMs = clock.now()
  }

  /** The part that was under way ends here. */
  lap(name: string): void {
    const nowMs = this.#clock.now()
    this.#laps[name] = nowMs - this.#beganMs
    this.#beganMs = nowMs
  }

  /** Milliseconds by name, in the order in which the parts ended. */
  get all(): Readonly<Record<string, number>> {
    return this.#laps
  }
}
