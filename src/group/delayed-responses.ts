/** Requests that wait for a later operation of their group: each has a ticket, which its answer is sent to. */
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { Answer, JoinAnswer, SyncAnswer } from './classic/operation.ts'

export class DelayedResponses {
  readonly #joins = new Map<number, Deferred<JoinAnswer>>()
  readonly #syncs = new Map<number, Deferred<SyncAnswer>>()
  #lastTicket = 0

  /** Runs `act` with a ticket, and waits for the answer that this operation or a later one sends to it. */
  join(act: (ticket: number) => void): Promise<JoinAnswer> {
    return this.#awaitAnswer(this.#joins, act)
  }

  /** As `join`, for SyncGroup. */
  sync(act: (ticket: number) => void): Promise<SyncAnswer> {
    return this.#awaitAnswer(this.#syncs, act)
  }

  deliver(answers: readonly Answer[]): void {
    for (const { type, ticket, answer } of answers) {
      if (type === 'join') this.#joins.get(ticket)?.resolve(answer)
      else this.#syncs.get(ticket)?.resolve(answer)
    }
  }

  async #awaitAnswer<T>(delayed: Map<number, Deferred<T>>, act: (ticket: number) => void): Promise<T> {
    const ticket = ++this.#lastTicket
    const waiting = deferred<T>()
    delayed.set(ticket, waiting)
    try {
      act(ticket)
      return await waiting.promise
    } finally {
      delayed.delete(ticket)
    }
  }
}
