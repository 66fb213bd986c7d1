/**
 * Yielding: long work runs in slices. Between two slices the event loop serves sockets and timers. Only this file decides when to
 * yield. The `loop` clock paces it, which users cannot move: a broker whose Kafka time is frozen still yields.
 *
 * Work is a generator of steps. Each `yield` ends a step, after which other code may run and change state. Therefore a step
 * finishes an item, and the next step reads state again.
 */
import { setImmediate as setImmediateTask } from 'node:timers'
import { assert } from './assert.ts'
import type { Clocks, MonotonicClock } from './time.ts'

// Captured when this module loads, as in time.ts.
const setImmediate = setImmediateTask

/** Longest time that a slice blocks the event loop. */
const LONGEST_SLICE_MS = 10

/** Resolves after the event loop has served the ready sockets and the due timers. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise(resolve => setImmediate(() => resolve()))
}

/**
 * Work in steps with the result `T`. A step yields a promise to wait for it, a `Pause` to end its slice, or any other value to
 * report progress. `yield` returns true if other code has run since the step: state may have changed only then.
 */
export type Steps<T = void, Step = unknown> = Generator<Step, T, boolean | undefined>

/** Work of a single step. */
export function* oneStep(act: () => void): Steps {
  act()
  yield
}

/** Ends a slice. The next slice begins after `ms`, or at once if the work is stopped; 0 only yields to the event loop. */
export class Pause {
  readonly ms: number

  constructor(ms = 0) {
    this.ms = ms
  }
}

/** Waits for a promise within work and returns its value. In contrast to a `Pause`, a stop of the work does not end the wait. */
export function* waitFor<T>(promise: Promise<T>): Steps<T, Promise<unknown>> {
  const values: T[] = []
  yield promise.then(value => values.push(value))
  return values[0] as T
}

/** Runs all steps without yielding. The work must not wait. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next()
    if (next.done) return next.value
    assert(!(next.value instanceof Promise), 'work of runAtOnce yields no promise')
  }
}

/** Options for work that runs in slices. */
export interface Pacing<Step> {
  readonly clocks: Pick<Clocks, 'loop'>
  /** Stops the work between two steps. After that only its `finally` blocks run. */
  readonly signal?: AbortSignal | undefined
  readonly each?: (step: Step) => void
}

/**
 * Runs all steps in slices. Returns a promise only if the work had to wait or to yield. Throws the error of the work, or the
 * reason of `signal` if that stops the work.
 */
export function runYielding<T, Step>(steps: Steps<T, Step>, pacing: Pacing<Step>): T | Promise<T> {
  const run = new Run(steps, pacing)
  const state = run.proceed()
  return state instanceof Promise ? finish(run, state) : state.value
}

async function finish<T, Step>(run: Run<T, Step>, waiting: Promise<unknown>): Promise<T> {
  for (let pending = waiting; ; ) {
    const failure = await pending.then(
      () => undefined,
      (error: unknown) => ({ error })
    )
    const state = run.proceed(failure)
    if (!(state instanceof Promise)) return state.value
    pending = state
  }
}

class Run<T, Step> {
  readonly #steps: Steps<T, Step>
  readonly #pacing: Pacing<Step>
  readonly #slice: Slice

  constructor(steps: Steps<T, Step>, pacing: Pacing<Step>) {
    this.#steps = steps
    this.#pacing = pacing
    this.#slice = new Slice(pacing.clocks.loop)
  }

  /**
   * Runs one slice. Returns the result of the work, or the promise that it waits for. `failure` is the rejection reason of the
   * previous promise.
   */
  proceed(failure?: { readonly error: unknown }): IteratorReturnResult<T> | Promise<unknown> {
    this.#slice.begin()
    // The work reports the error of a promise even if it is stopped meanwhile.
    if (!failure) this.#stopIfAborted()
    let next = failure ? this.#steps.throw(failure.error) : this.#steps.next(true)
    if (failure && !next.done) this.#stopIfAborted()
    while (!next.done) {
      const pending = this.#waitAfter(next.value)
      if (pending) return pending
      this.#stopIfAborted()
      next = this.#steps.next(false)
    }
    return next
  }

  #waitAfter(step: Step): Promise<unknown> | undefined {
    const { clocks, signal, each } = this.#pacing
    if (step instanceof Promise) return step
    if (step instanceof Pause) return endOf(step, clocks.loop, signal)
    each?.(step)
    return this.#slice.isOver ? yieldToEventLoop() : undefined
  }

  #stopIfAborted(): void {
    const { signal } = this.#pacing
    if (!signal?.aborted) return
    close(this.#steps)
    throw signal.reason
  }
}

/** Runs the `finally` blocks of the work. Repeats this if the work catches an error of such a block and reaches another step. */
function close(steps: Steps<unknown>): void {
  while (!steps.return(undefined).done) {}
}

function endOf({ ms }: Pause, loop: MonotonicClock, signal: AbortSignal | undefined): Promise<void> {
  if (ms <= 0 || signal?.aborted) return yieldToEventLoop()
  return new Promise(resolve => {
    const end = () => {
      alarm.cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const alarm = loop.at(loop.now() + ms, end)
    signal?.addEventListener('abort', end)
  })
}

/**
 * Calls `act` for each item and yields at the end of each slice. Waits for a promise that `act` returns. Requests use it, because
 * it allocates nothing for each item.
 */
export async function forEachYielding<Item>(
  items: Iterable<Item>,
  loop: MonotonicClock,
  act: (item: Item) => unknown
): Promise<void> {
  const slice = new Slice(loop)
  for (const item of items) {
    const acting = act(item)
    if (acting instanceof Promise) await acting
    if (!slice.isOver) continue
    await yieldToEventLoop()
    slice.begin()
  }
}

/** Measures the time since the event loop last ran. */
class Slice {
  readonly #loop: MonotonicClock
  #beganMs: number

  constructor(loop: MonotonicClock) {
    this.#loop = loop
    this.#beganMs = loop.now()
  }

  begin(): void {
    this.#beganMs = this.#loop.now()
  }

  get isOver(): boolean {
    return this.#loop.now() - this.#beganMs >= LONGEST_SLICE_MS
  }
}
