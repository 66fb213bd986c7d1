/**
 * A request's path from its frame to its response: decode, the stages in order, encode.
 *
 * The stages are functions over one `Exchange`: those inserted before the handler, `handle`, those inserted after it, `throttle`.
 * Authentication comes first and quotas second, as stages before `handle`, with the issues that bring them. A stage may
 * - read and change the exchange,
 * - answer in place of the handler by setting `response`, or refuse the request by throwing: `refuse` of the API builds the response,
 * - delay the exchange by returning a promise,
 * - mute the connection by setting `muteMs`,
 * - drop the response and close the connection by throwing `CloseConnection`.
 */
import { CloseConnection, type ConnectionContext, type Dispatch, type DispatchResult } from '../net/dispatch.ts'
import { decodeRequestHeader, encodeResponse, serves } from '../protocol/api.ts'
import { type ApiError, KafkaError } from '../protocol/errors.ts'
import { type AnyApi, APIS, type ApiName, apiByKey } from '../protocol/messages/index.ts'
import { absentOf } from '../protocol/wire/schema.ts'
import { ANONYMOUS, allowAll } from '../security/authorizer.ts'
import type { Answer, Parts, RequestContext } from './context.ts'
import { HANDLERS } from './handlers/index.ts'
import { failureOf } from './per-partition.ts'

/** A request on its way through the stages, and its response. */
export interface Exchange extends RequestContext {
  readonly api: AnyApi
  readonly correlationId: number
  /** By the `loop` clock. */
  readonly startedMs: number
  /** The decoded body. */
  request: object
  /** Before the handler undefined means that nothing has answered yet; after it, that no response is sent (Produce, acks=0). */
  response: object | undefined
  /** The connection reads no request for so long after the response is sent (KIP-219). */
  muteMs: number
}

/** A step of every exchange. A stage that returns no promise costs none. */
export type Stage = (exchange: Exchange) => void | Promise<void>

/** Stages around the handler. */
export interface InsertedStages {
  readonly before?: readonly Stage[]
  readonly after?: readonly Stage[]
}

export function pipeline(parts: Parts, { before = [], after = [] }: InsertedStages = {}): Dispatch {
  const stages = [...before, handle(parts), ...after, throttle]
  const { loop } = parts.clocks
  return async (frame, connection) => {
    const exchange = decode(frame, connection, loop.now())
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
      parts.logger.debug(bindings(exchange, loop.now()), 'request')
    }
    return encode(exchange)
  }
}

const UNSERVED: ApiError = { code: 'UNSUPPORTED_VERSION', message: null }

/**
 * Throws MalformedFrame, and CloseConnection for a version that is not served. A newer ApiVersions is refused as an empty one of
 * version 0 (KIP-511).
 */
function decode(frame: Buffer, connection: ConnectionContext, startedMs: number): Exchange {
  const { api, header, body } = decodeRequestHeader(frame, apiByKey)
  const { correlationId, clientId } = header
  const isServed = serves(api, header.apiVersion)
  if (!isServed && api.key !== APIS.ApiVersions.key) {
    throw new CloseConnection(`${api.name} is not served at version ${header.apiVersion}`)
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
    startedMs,
    principal: ANONYMOUS,
    authorize: allowAll,
    request,
    response: isServed ? undefined : api.refuse(request, UNSERVED, apiVersion),
    muteMs: 0
  }
}

type Answers = { readonly [Name in ApiName]: Answer<Name> }

/** Calls the handler, unless a stage before it has answered. */
function handle(parts: Parts): Stage {
  const bound = Object.entries(HANDLERS).map(([name, handler]) => [name, handler(parts)])
  const answers: Answers = Object.fromEntries(bound)
  return async exchange => {
    if (exchange.response !== undefined) return
    // Typed row by row; here a row is picked at run time.
    exchange.response = await answers[exchange.api.name](exchange.request as never, exchange)
  }
}

/** Reports the mute to the client, which waits as long before its next request (KIP-219). */
function throttle(exchange: Exchange): void {
  const { api, response, muteMs } = exchange
  if (muteMs <= 0 || response === undefined || !('throttleTimeMs' in api.shapes.response)) return
  exchange.response = { ...response, throttleTimeMs: muteMs }
}

/** The error takes the place of the response. As in Kafka, the connection closes where the client expects no response. */
function refuse(exchange: Exchange, error: unknown, { logger, reporting, clocks }: Parts): void {
  if (error instanceof CloseConnection) throw error
  const { api, request, apiVersion } = exchange
  const { errorCode } = failureOf(error, { ...reporting, logger: logger.child(bindings(exchange, clocks.loop.now())) })
  const apiError: ApiError = error instanceof KafkaError ? error : { code: errorCode, message: null }
  exchange.response = api.refuse(request, apiError, apiVersion)
  if (exchange.response === undefined) throw new CloseConnection(`${api.name} failed as a whole: ${errorCode}`)
}

function bindings(exchange: Exchange, nowMs: number) {
  const { api, apiVersion, clientId, connection, startedMs } = exchange
  const peer = `${connection.remoteAddress}:${connection.remotePort}`
  return { api: api.name, apiVersion, clientId, peer, tookMs: nowMs - startedMs }
}

function encode({ api, apiVersion, correlationId, response, muteMs }: Exchange): DispatchResult {
  return { response: response && encodeResponse(api, apiVersion, correlationId, response), muteMs }
}
