/**
 * Time as a port: `now()` and alarms. Deadlines are data elsewhere; a shell keeps one alarm for the nearest.
 * This is the only file that touches the system's clock.
 */

/** An alarm that has been set and may still be called off. */
export interface Alarm {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `fire` once, not before `timeMs`. A time in the past fires as soon as the current turn is over. */
  at(timeMs: number, fire: () => void): Alarm
}

/** Node fires a longer timeout at once, so an alarm further away is set in several steps. */
const LONGEST_TIMEOUT_MS = 2_147_483_647

/** The machine's clock. Alarms do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(timeMs, fire) {
    let timer: NodeJS.Timeout
    const arm = () => {
      const waitMs = Math.max(0, timeMs - Date.now())
      timer = setTimeout(waitMs > LONGEST_TIMEOUT_MS ? arm : fire, Math.min(waitMs, LONGEST_TIMEOUT_MS))
      timer.unref()
    }
    arm()
    return { cancel: () => clearTimeout(timer) }
  }
}

/** Resolves after a while, or at once when it is told to stop. Unlike an alarm it keeps the process alive. */
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

/** Resolves when the event loop has looked after everyone else: sockets that are ready, alarms that are due. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** How long one piece of work may keep everyone else waiting. */
const LONGEST_TURN_MS = 10

/** For long work in small steps: awaited after each step, it lets the others go first once the turn has been long. */
export function fairTurns(clock: Clock): () => Promise<void> | undefined {
  let beganMs = clock.now()
  return () => {
    if (clock.now() - beganMs < LONGEST_TURN_MS) return undefined
    return nextTurn().then(() => {
      beganMs = clock.now()
    })
  }
}

/** Does something again and again, `intervalMs` after each time it is done; the interval is asked for every time. */
export function repeat(clock: Clock, intervalMs: () => number, act: () => void): Alarm {
  let alarm: Alarm
  const arm = () => {
    alarm = clock.at(clock.now() + intervalMs(), () => {
      arm()
      act()
    })
  }
  arm()
  return { cancel: () => alarm.cancel() }
}
