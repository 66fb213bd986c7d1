/**
 * Long work as a generator: each `yield` ends a step, after which others may have their turn. The same work can then be
 * done at once, where somebody waits for it, or beside everything else.
 */
import { type Clock, fairTurns } from './clock.ts'

/** Work of many steps that ends with a `T`. What it yields tells of the step just done. */
export type Steps<T = void, Step = unknown> = Generator<Step, T>

/** Does all of it now. */
export function finishNow<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next()
    if (next.done) return next.value
  }
}

/** Does all of it, step by step. Others go first whenever it has kept them waiting; rejects when `signal` calls it off. */
export async function finishFairly<T, Step>(
  steps: Steps<T, Step>,
  { clock, signal, each }: { clock: Clock; signal?: AbortSignal | undefined; each?: (step: Step) => void }
): Promise<T> {
  const turn = fairTurns(clock)
  for (;;) {
    signal?.throwIfAborted()
    const next = steps.next()
    if (next.done) return next.value
    each?.(next.value)
    const pause = turn()
    if (pause) await pause
  }
}
