/** Clocks for tests. Time passes only when the test advances it. */
import type { Alarm, Clocks, MonotonicClock, WallClock } from '../runtime/time.ts'

/** The origins differ, so that tests detect the use of a wrong clock. */
const DEADLINE_ORIGIN_MS = 1_000_000
const LOOP_ORIGIN_MS = 5_000

interface SetAlarm {
  /** Milliseconds since the beginning of the test. */
  readonly timeMs: number
  readonly fire: () => void
}

/** Kafka's three clocks for tests. The wall clock begins at a given time, by default in November 2023. */
export class ManualClock implements Clocks {
  readonly wall: WallClock = { now: () => this.#wallOriginMs + this.#passedMs }
  readonly deadline: MonotonicClock = this.#monotonic(DEADLINE_ORIGIN_MS)
  readonly loop: MonotonicClock
  /** Milliseconds by which each reading advances the `loop` clock alone, so that work takes time and yields. */
  workMs = 0
  #wallOriginMs: number
  #passedMs = 0
  #workedMs = 0
  readonly #alarms = new Set<SetAlarm>()

  constructor(wallMs = 1_700_000_000_000) {
    this.#wallOriginMs = wallMs
    const { now, at } = this.#monotonic(LOOP_ORIGIN_MS)
    this.loop = {
      now: () => {
        this.#workedMs += this.workMs
        return now() + this.#workedMs
      },
      at: (timeMs, fire) => at(timeMs - this.#workedMs, fire)
    }
  }

  /** Number of alarms of all clocks that are set and have neither fired nor been cancelled. */
  get pendingAlarms(): number {
    return this.#alarms.size
  }

  /** Milliseconds until the next alarm; negative if it is overdue. */
  get nextAlarmInMs(): number | undefined {
    const nearest = this.#nearest()
    return nearest && nearest.timeMs - this.#passedMs
  }

  /** Advances all clocks. Each alarm fires at its own time, also an alarm that is set meanwhile. */
  advance(byMs: number): void {
    const untilMs = this.#passedMs + byMs
    for (let alarm = this.#nearest(); alarm !== undefined && alarm.timeMs <= untilMs; alarm = this.#nearest()) {
      this.#alarms.delete(alarm)
      this.#passedMs = Math.max(this.#passedMs, alarm.timeMs)
      alarm.fire()
    }
    this.#passedMs = untilMs
  }

  /** Moves the wall clock forward or back without advancing the other clocks, as NTP does. */
  stepWall(byMs: number): void {
    this.#wallOriginMs += byMs
  }

  /** An alarm in the past fires at the next `advance`, which may be by 0. */
  #monotonic(originMs: number): MonotonicClock {
    return {
      now: () => originMs + this.#passedMs,
      at: (timeMs: number, fire: () => void): Alarm => {
        const alarm = { timeMs: timeMs - originMs, fire }
        this.#alarms.add(alarm)
        return { cancel: () => this.#alarms.delete(alarm) }
      }
    }
  }

  #nearest(): SetAlarm | undefined {
    let nearest: SetAlarm | undefined
    for (const alarm of this.#alarms) if (nearest === undefined || alarm.timeMs < nearest.timeMs) nearest = alarm
    return nearest
  }
}
