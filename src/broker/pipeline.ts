/**
 * The pipeline from a request frame to its response: decode, the stages in order, encode.
 *
 * The stages are functions over one `Exchange`: those inserted before the handler, `handle`, those inserted after it, `throttle`.
 * Authentication and quotas will be the first stages before `handle`, in this order. A stage may
 * - read and change the exchange,
 * - respond in place of the handler by setting `response`, or refuse the request by throwing: `refuse` of the API builds the
 *   response,
 * - delay the exchange by returning a promise,
 * - mute the connection by setting `muteMs`,
 * - drop the response and close the connection by throwing `CloseConnection`.
 */
import type { EventOf } from '../events/event.ts'
import { CloseConnection, type ConnectionContext, type Dispatch, type DispatchResult } from '../net/dispatch.ts'
import { decodeRequestHeader, encodeResponse, serves } from '../protocol/api.ts'
import { type ApiError, KafkaError } from '../protocol/errors.ts'
import { type AnyApi, APIS, type ApiName, apiByKey } from '../protocol/messages/index.ts'
import { absentOf } from '../protocol/wire/schema.ts'
import { ANONYMOUS, type Authorize, allowAll, type Principal } from '../security/authorizer.ts'
import { RequestBuffers } from '../storage/buffer-pool.ts'
import type { Answer, Parts, RequestContext } from './context.ts'
import { HANDLERS } from './handlers/index.ts'
import { failureOf } from './per-partition.ts'

/** A request in the pipeline, and its response. */
export interface Exchange extends RequestContext {
  readonly api: AnyApi
  readonly correlationId: number
  /** Time of the `loop` clock. */
  readonly startedMs: number
  /** A stage that authenticates or authorizes replaces these two. */
  principal: Principal
  authorize: Authorize
  /** The decoded body. */
  request: object
  /** Undefined before the handler: no stage has responded. Undefined after it: no response is sent (Produce with acks=0). */
  response: object | undefined
  /** Time in ms for which the connection reads no requests after the response is sent (KIP-219). */
  muteMs: number
}

/** A step of every exchange. A stage that returns no promise is not awaited. */
export type Stage = (exchange: Exchange) => void | Promise<void>

/** Stages before and after the handler. */
export interface InsertedStages {
  readonly before?: readonly Stage[]
  readonly after?: readonly Stage[]
}

export function pipeline(parts: Parts, { before = [], after = [] }: InsertedStages = {}): Dispatch {
  const stages = [...before, handle(parts), ...after, throttle]
  const { events } = parts
  const { loop } = parts.clocks
  return async (frame, connection) => {
    const exchange = decode(frame, connection, new RequestBuffers(parts.bufferPool), loop.now())
    try {
      try {
        for (const stage of stages) {
          try {
            const pending = stage(exchange)
            if (pending) await pending
          } catch (error) {
            refuse(exchange, error, parts)
          }
        }
      } finally {
        if (events.isObserved('RequestCompleted')) events.emit(completed(exchange, loop.now()))
      }
      return encode(exchange)
    } catch (error) {
      exchange.buffers.release()
      throw error
    }
  }
}

const UNSERVED: ApiError = { code: 'UNSUPPORTED_VERSION', message: null }

/**
 * Decodes a request. Throws MalformedFrame, and CloseConnection for an unsupported version. An unsupported version of ApiVersions
 * gets UNSUPPORTED_VERSION in a response of version 0 (KIP-511).
 */
function decode(frame: Buffer, connection: ConnectionContext, buffers: RequestBuffers, startedMs: number): Exchange {
  const { api, header, body } = decodeRequestHeader(frame, apiByKey)
  const { correlationId, clientId } = header
  const isServed = serves(api, header.apiVersion)
  if (!isServed && api.key !== APIS.ApiVersions.key) {
    throw new CloseConnection({ cause: 'UnsupportedVersion', api: api.name, apiVersion: header.apiVersion })
  }
  if (connection.client.id === undefined) connection.client.id = clientId
  const apiVersion = isServed ? header.apiVersion : 0
  const request = isServed ? api.request.read(body, apiVersion) : absentOf(api.shapes.request)
  return {
    api,
    apiVersion,
    correlationId,
    clientId,
    connection,
    buffers,
    startedMs,
    principal: ANONYMOUS,
    authorize: allowAll,
    request,
    response: isServed ? undefined : api.refuse(request, UNSERVED, apiVersion),
    muteMs: 0
  }
}

type Answers = { readonly [Name in ApiName]: Answer<Name> }

/** Calls the handler, unless an earlier stage has set the response. */
function handle(parts: Parts): Stage {
  const bound = Object.entries(HANDLERS).map(([name, handler]) => [name, handler(parts)])
  const answers: Answers = Object.fromEntries(bound)
  return exchange => {
    if (exchange.response !== undefined) return
    // Each handler is typed; the type of the one chosen at run time is not known here.
    const answer = answers[exchange.api.name](exchange.request as never, exchange)
    if (answer instanceof Promise) return responded(exchange, answer)
    exchange.response = answer
  }
}

async function responded(exchange: Exchange, answer: Promise<object | undefined>): Promise<void> {
  exchange.response = await answer
}

/** Sets throttleTimeMs to the mute time. The client waits as long before its next request (KIP-219). */
function throttle(exchange: Exchange): void {
  const { api, response, muteMs } = exchange
  if (muteMs <= 0 || response === undefined || !('throttleTimeMs' in api.shapes.response)) return
  exchange.response = { ...response, throttleTimeMs: muteMs }
}

/** Replaces the response by an error response. As in Kafka, the connection is closed if the client expects no response. */
function refuse(exchange: Exchange, error: unknown, { events, clocks }: Parts): void {
  if (error instanceof CloseConnection) throw error
  const { api, request, apiVersion } = exchange
  const { errorCode } = failureOf(error, events, completed(exchange, clocks.loop.now()))
  const apiError: ApiError = error instanceof KafkaError ? error : { code: errorCode, message: null }
  exchange.response = api.refuse(request, apiError, apiVersion)
  if (exchange.response === undefined) throw new CloseConnection({ cause: 'RequestFailed', api: api.name, errorCode })
}

function completed(exchange: Exchange, nowMs: number): EventOf<'RequestCompleted'> {
  const { api, apiVersion, clientId, connection, startedMs } = exchange
  const peer = `${connection.remoteAddress}:${connection.remotePort}`
  return { type: 'RequestCompleted', api: api.name, apiVersion, clientId, peer, tookMs: nowMs - startedMs }
}

function encode({ api, apiVersion, correlationId, response, muteMs, buffers }: Exchange): DispatchResult {
  return { response: response && encodeResponse(api, apiVersion, correlationId, response), muteMs, memory: buffers }
}
