/** Durations of consecutive parts of some work. Each part begins at the end of the previous one. */
import type { MonotonicClock } from './time.ts'

export class LapTimes {
  readonly #loop: MonotonicClock
  readonly #laps: Record<string, number> = {}
  #beganMs: number

  constructor(loop: MonotonicClock) {
    this.#loop = loop
    this.#beganMs = loop.now()
  }

  /** Ends the current part and starts the next one. */
  lap(name: string): void {
    const nowMs = this.#loop.now()
    this.#laps[name] = nowMs - this.#beganMs
    this.#beganMs = nowMs
  }

  /** Duration in milliseconds by name, in the order of the parts. */
  get all(): Readonly<Record<string, number>> {
    return this.#laps
  }
}
