/** Time that moves only when a test says so: alarms fire in order of their time while it is being advanced. */
import type { Alarm, Clock } from '../runtime/clock.ts'

interface SetAlarm {
  readonly timeMs: number
  readonly fire: () => void
}

/** A Clock for tests. It begins at a given time, by default in November 2023. */
export class ManualClock implements Clock {
  #nowMs: number
  readonly #alarms = new Set<SetAlarm>()

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  /** An alarm in the past waits for the next `advance`, which may be by 0. */
  at(timeMs: number, fire: () => void): Alarm {
    const alarm = { timeMs, fire }
    this.#alarms.add(alarm)
    return { cancel: () => this.#alarms.delete(alarm) }
  }

  /** Alarms that have been set and neither fired nor been cancelled. */
  get pendingAlarms(): number {
    return this.#alarms.size
  }

  /** The time of the nearest alarm. */
  get nextAlarmMs(): number | undefined {
    return this.#nearest()?.timeMs
  }

  /** Moves time on, firing what becomes due at its own time, alarms set meanwhile included. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs
    for (let alarm = this.#nearest(); alarm !== undefined && alarm.timeMs <= untilMs; alarm = this.#nearest()) {
      this.#alarms.delete(alarm)
      this.#nowMs = Math.max(this.#nowMs, alarm.timeMs)
      alarm.fire()
    }
    this.#nowMs = untilMs
  }

  #nearest(): SetAlarm | undefined {
    let nearest: SetAlarm | undefined
    for (const alarm of this.#alarms) if (nearest === undefined || alarm.timeMs < nearest.timeMs) nearest = alarm
    return nearest
  }
}
