/** Events of a broker as a whole and of its requests, and their log lines. */
import { debug, error, info, type Lines, limited, reasonOf, warn } from './line.ts'

/** A request, and the client that sent it. */
interface RequestIdentity {
  readonly api: string
  readonly apiVersion: number
  readonly clientId: string | null
  readonly peer: string
  readonly tookMs: number
}

export type BrokerEvent =
  /** Emitted for every request, with or without an error. */
  | ({ readonly type: 'RequestCompleted' } & RequestIdentity)
  /** An error that is a bug failed a request or one of its items. The identity is absent for an item. */
  | ({ readonly type: 'RequestFailed'; readonly error: unknown } & Partial<RequestIdentity>)
  /** Emitted for each request that needs the codec, and at a start. The message of the error names the package to install. */
  | { readonly type: 'CodecMissing'; readonly codec: string; readonly error: Error }
  /** A request failed because of the disk. Emitted for each of them. */
  | { readonly type: 'StorageFailed'; readonly error: Error }
  /** `tookMs` has the duration of each phase of the start. */
  | { readonly type: 'BrokerStarted'; readonly tookMs: Readonly<Record<string, number>> }
  /** A failed start could not close everything that it had opened. */
  | { readonly type: 'StartCleanupFailed'; readonly error: unknown }
  /** A sink of the events threw this error. */
  | { readonly type: 'EventSinkFailed'; readonly error: unknown }

export const BROKER_LINES: Lines<BrokerEvent> = {
  RequestCompleted: debug(({ api }) => `${api} request completed`),
  RequestFailed: error(({ api = 'request', error }) => `${api} failed by a bug in minikafka: ${reasonOf(error)}`),
  CodecMissing: limited(
    1,
    ({ codec }) => `codec ${codec}`,
    warn(({ error }) => error.message)
  ),
  StorageFailed: limited(
    1,
    () => 'the data directory',
    error(({ error }) => `data directory failed: ${error.message}`)
  ),
  BrokerStarted: info(({ tookMs }) => {
    const phases = Object.entries(tookMs).map(([name, ms]) => `${name.replace(/Ms$/, '')} ${ms} ms`)
    return `broker started: ${phases.join(', ')}`
  }),
  StartCleanupFailed: error(({ error }) => `failed start not cleaned up completely: ${reasonOf(error)}`),
  EventSinkFailed: limited(
    1,
    () => 'event sinks',
    error(({ error }) => `event sink failed: ${reasonOf(error)}`)
  )
}
