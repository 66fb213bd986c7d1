/** A client in this process. It sends one request at a time, and retries while a coordinator is not ready. */
import type { Dispatch } from '../net/dispatch.ts'
import type { Api } from '../protocol/api.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { Decoded, Encodable, Shape } from '../protocol/wire/schema.ts'
import { Pause, runYielding, type Steps, yieldToEventLoop } from '../runtime/pace.ts'
import type { MonotonicClock } from '../runtime/time.ts'
import { send } from './in-process.ts'

const CLIENT_ID = 'minikafka'
const LONGEST_RETRY_MS = 30_000
/** The pause before a retry doubles, as with `retry.backoff.ms` and `retry.backoff.max.ms` of clients. */
const FIRST_BACKOFF_MS = 1
const LONGEST_BACKOFF_MS = 100
/** Errors while a coordinator loads its state or ends an earlier transaction. */
const RETRIABLE: readonly ErrorName[] = [
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS'
]

/** Requests to one broker. The event loop runs between two requests. */
export class InProcessClient {
  readonly #dispatch: Dispatch
  readonly #loop: MonotonicClock
  readonly #signal: AbortSignal | undefined
  #correlationId = 0

  /** `signal` aborts the retries. */
  constructor(dispatch: Dispatch, loop: MonotonicClock, signal?: AbortSignal) {
    this.#dispatch = dispatch
    this.#loop = loop
    this.#signal = signal
  }

  /** Sends a request, by default in the newest version, and resolves with the response. */
  async request<Req extends Shape, Res extends Shape>(
    api: Api<Req, Res>,
    request: Encodable<Req>,
    version = api.versions[1]
  ): Promise<Decoded<Res>> {
    await yieldToEventLoop()
    const correlationId = this.#correlationId++
    const response = await send(this.#dispatch, api, request, { correlationId, clientId: CLIENT_ID, version })
    if (response === undefined) throw new Error(`${api.name} has no response`)
    return response
  }

  /**
   * Sends a request again while its error is retriable, for 30 seconds at most, and resolves with the last response. Rejects with
   * the reason of `signal`.
   */
  async retried<Response extends { readonly errorCode: ErrorName }>(
    request: () => Promise<Response>
  ): Promise<Response> {
    const endMs = this.#loop.now() + LONGEST_RETRY_MS
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(2 * backoffMs, LONGEST_BACKOFF_MS)) {
      const response = await request()
      if (!RETRIABLE.includes(response.errorCode) || this.#loop.now() > endMs) return response
      await runYielding(pausing(backoffMs), { clocks: { loop: this.#loop }, signal: this.#signal })
    }
  }
}

function* pausing(ms: number): Steps<void, Pause> {
  yield new Pause(ms)
}
