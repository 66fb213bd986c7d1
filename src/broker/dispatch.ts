/**
 * From a frame to an answer: what all requests share. Known key, version in range, one debug line, the answer to a
 * thrown error. A frame that Kafka would close the connection for is thrown on to the connection.
 */
import { CloseConnection, type ConnectionContext, type Dispatch } from '../net/dispatch.ts'
import { decodeRequestHeader, encodeResponse, type RequestHeader, serves } from '../protocol/api.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { type AnyApi, APIS, apiByKey } from '../protocol/messages/index.ts'
import { absentOf, type Shape } from '../protocol/wire/schema.ts'
import type { Parts, RequestContext } from './context.ts'
import { HANDLERS } from './handlers/index.ts'
import { failureOf } from './per-partition.ts'

export function dispatcher(parts: Parts): Dispatch {
  return async (frame, connection) => {
    const { api, header, body } = decodeRequestHeader(frame, apiByKey)
    if (!serves(api, header.apiVersion)) return refuseVersion(api, header)
    if (connection.client.id === undefined) connection.client.id = header.clientId
    const request = api.request.read(body, header.apiVersion)
    const response = await respond(api, request, contextOf(parts, header, connection))
    return response && encodeResponse(api, header.apiVersion, header.correlationId, response)
  }
}

function contextOf(parts: Parts, { apiVersion, clientId }: RequestHeader, connection: ConnectionContext) {
  return { parts, apiVersion, clientId, connection }
}

/** A client that tries a newer ApiVersions than ours is told so in version 0 (KIP-511); any other is cut off. */
function refuseVersion(api: AnyApi, { apiVersion, correlationId }: RequestHeader): Buffer[] {
  if (api.key !== APIS.ApiVersions.key) {
    throw new CloseConnection(`${api.name} is not served at version ${apiVersion}`)
  }
  const { key: apiKey, versions } = APIS.ApiVersions
  const apiKeys = [{ apiKey, minVersion: versions[0], maxVersion: versions[1] }]
  return encodeResponse(APIS.ApiVersions, 0, correlationId, { errorCode: 'UNSUPPORTED_VERSION', apiKeys })
}

async function respond(api: AnyApi, request: object, context: RequestContext): Promise<object | undefined> {
  const { parts, apiVersion, clientId, connection } = context
  const peer = `${connection.remoteAddress}:${connection.remotePort}`
  const startedMs = parts.clocks.loop.now()
  try {
    // Typed row by row; here a row is picked at run time.
    return await HANDLERS[api.name](request as never, context)
  } catch (error) {
    if (error instanceof CloseConnection) throw error
    const { errorCode } = failureOf(error, {
      logger: parts.logger.child({ api: api.name, apiVersion, clientId, peer }),
      notice: parts.notice
    })
    return errorResponse(api, apiVersion, errorCode, error)
  } finally {
    const tookMs = parts.clocks.loop.now() - startedMs
    parts.logger.debug({ api: api.name, apiVersion, clientId, peer, tookMs }, 'request')
  }
}

/** An answer that carries nothing but the error; an API whose answer has no place for one loses its connection. */
function errorResponse(api: AnyApi, apiVersion: number, errorCode: ErrorName, error: unknown): object {
  const shape: Shape = api.shapes.response
  const { since = Number.POSITIVE_INFINITY, until = 0 } = shape.errorCode?.traits ?? {}
  if (apiVersion < since || apiVersion > until) throw new CloseConnection(`${api.name} failed as a whole: ${errorCode}`)
  const errorMessage = error instanceof KafkaError ? error.message : null
  return { ...absentOf(shape), errorCode, ...(shape.errorMessage && { errorMessage }) }
}
