/**
 * Kafka's clocks as ports. Only this file reads the clocks of the operating system, except for the start-up time that the command
 * line prints.
 *
 * Each reading and each timer belongs to one of three clocks, as in Kafka:
 * - `wall` (Kafka's `Time.milliseconds`): timestamps, and times that are compared with timestamps: retention, transaction
 *   timeouts, expiration of offsets and ids. A step of the system's time (NTP, a resumed machine) moves it in either direction.
 * - `deadline` (Kafka's `Time.hiResClockMs`): sessions, rebalances and other timeouts that a step of the system's time must not
 *   move.
 * - `loop`: the process itself, for yielding, sockets, the wait of a Fetch, throttling and durations in the log.
 *
 * Users of the fixture may move `wall` and `deadline`. `loop` always follows the machine.
 */
import { performance } from 'node:perf_hooks'
import { clearTimeout as clearTimer, setTimeout as setTimer } from 'node:timers'

/** A timer that can be cancelled. */
export interface Alarm {
  cancel(): void
}

/** The time of day. It has no timers. */
export interface WallClock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/** A clock that never goes back. Its times have no meaning outside this process. */
export interface MonotonicClock {
  /** Milliseconds since an arbitrary origin. */
  now(): number
  /**
   * Calls `fire` once, not before `timeMs`. If that time is in the past, `fire` is called as soon as the running code has
   * returned.
   */
  at(timeMs: number, fire: () => void): Alarm
}

export interface Clocks {
  readonly wall: WallClock
  readonly deadline: MonotonicClock
  readonly loop: MonotonicClock
}

/** A reading of both clocks, for decisions that write timestamps and set deadlines. */
export interface Now {
  readonly wallMs: number
  readonly deadlineMs: number
}

export function readClocks({ wall, deadline }: Pick<Clocks, 'wall' | 'deadline'>): Now {
  return { wallMs: wall.now(), deadlineMs: deadline.now() }
}

/** Longest timeout of Node, which fires a longer one at once. A later alarm is set in several steps. */
const LONGEST_TIMEOUT_MS = 2_147_483_647

// Captured when this module loads: a test that fakes Date, timers or performance in this process must not stop the broker.
const wallNow = Date.now.bind(Date)
const monotonicNow = performance.now.bind(performance)
const [setTimeout, clearTimeout] = [setTimer, clearTimer]

/** The machine's monotonic clock. Alarms do not keep the process alive. */
const monotonic: MonotonicClock = {
  now: () => Math.floor(monotonicNow()),
  at(timeMs, fire) {
    let timer: NodeJS.Timeout
    const arm = () => {
      const waitMs = Math.max(0, timeMs - monotonicNow())
      timer = setTimeout(ring, Math.min(Math.ceil(waitMs), LONGEST_TIMEOUT_MS))
      timer.unref()
    }
    // Node's timers may fire early by a fraction of a millisecond.
    const ring = () => (monotonicNow() < timeMs ? arm() : fire())
    arm()
    return { cancel: () => clearTimeout(timer) }
  }
}

/** The machine's clocks. */
export const systemClocks: Clocks = { wall: { now: () => wallNow() }, deadline: monotonic, loop: monotonic }

/** Resolves after `ms`, or at once when `stopped` is aborted. In contrast to an alarm, it keeps the process alive. */
export function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const over = () => {
      clearTimeout(timer)
      stopped.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, stopped.aborted ? 0 : ms)
    stopped.addEventListener('abort', over)
  })
}

/** Keeps the process alive until `work` ends. Alarms and unreferenced sockets alone do not. */
export async function keepingProcessAlive<T>(work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => {}, LONGEST_TIMEOUT_MS)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}
