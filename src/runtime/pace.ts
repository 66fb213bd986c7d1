/**
 * Yielding: long work runs in small steps, between which the event loop serves sockets and timers. The loop's clock paces
 * it, which no user can move: a broker whose Kafka time stands still continues to yield.
 */
import { setImmediate as setImmediateTask } from 'node:timers'
import type { Clocks, MonotonicClock } from './time.ts'

// Taken when this module loads, as in time.ts.
const setImmediate = setImmediateTask

/** Resolves when the event loop has served the sockets that are ready and the timers that are due. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise(resolve => setImmediate(() => resolve()))
}

/** How long one piece of work may block the event loop. */
export const LONGEST_SLICE_MS = 10

/** For long work in small steps: awaited after each step, it yields once the work has blocked the event loop for long. */
export function yielding(loop: MonotonicClock): () => Promise<void> | undefined {
  let beganMs = loop.now()
  return () => {
    if (loop.now() - beganMs < LONGEST_SLICE_MS) return undefined
    return yieldToEventLoop().then(() => {
      beganMs = loop.now()
    })
  }
}

/**
 * Work of many steps that ends with a `T`. Each `yield` ends a step and tells what it did; the same work can be finished
 * at once, or in the background.
 */
export type Steps<T = void, Step = unknown> = Generator<Step, T>

/** Runs all steps now. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next()
    if (next.done) return next.value
  }
}

interface YieldingOptions<Step> {
  readonly clocks: Pick<Clocks, 'loop'>
  readonly signal?: AbortSignal | undefined
  readonly each?: (step: Step) => void
}

/** Runs all steps, and yields whenever they have blocked the event loop for long. Rejects when `signal` aborts it. */
export async function runYielding<T, Step>(
  steps: Steps<T, Step>,
  { clocks, signal, each }: YieldingOptions<Step>
): Promise<T> {
  const yieldIfDue = yielding(clocks.loop)
  for (;;) {
    signal?.throwIfAborted()
    const next = steps.next()
    if (next.done) return next.value
    each?.(next.value)
    const pause = yieldIfDue()
    if (pause) await pause
  }
}
