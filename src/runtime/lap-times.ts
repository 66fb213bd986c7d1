/** How long the parts of some work took, one after the other: each begins where the one before ended. */
import type { MonotonicClock } from './time.ts'

export class LapTimes {
  readonly #loop: MonotonicClock
  readonly #laps: Record<string, number> = {}
  #beganMs: number

  constructor(loop: MonotonicClock) {
    this.#loop = loop
    this.#beganMs = loop.now()
  }

  /** The part that was under way ends here. */
  lap(name: string): void {
    const nowMs = this.#loop.now()
    this.#laps[name] = nowMs - this.#beganMs
    this.#beganMs = nowMs
  }

  /** Milliseconds by name, in the order in which the parts ended. */
  get all(): Readonly<Record<string, number>> {
    return this.#laps
  }
}
