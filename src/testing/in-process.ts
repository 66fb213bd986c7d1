/** Requests to a broker in this process: encoded, dispatched and decoded without a socket. */
import { type ConnectionContext, type Dispatch, unknownClient } from '../net/dispatch.ts'
import { type Api, decodeResponse, encodeRequest } from '../protocol/api.ts'
import type { Decoded, Encodable, Shape } from '../protocol/wire/schema.ts'

const SIZE_BYTES = 4

export interface RequestOptions {
  /** Default: the newest version of the API. */
  readonly version?: number
  readonly clientId?: string
  readonly connection?: ConnectionContext
}

/** A connection with the fields that a socket would give it. */
export function inProcessConnection(changes: Partial<ConnectionContext> = {}): ConnectionContext {
  return {
    id: 1,
    remoteAddress: '127.0.0.1',
    remotePort: 50_000,
    localAddress: '127.0.0.1',
    localPort: 9092,
    listenerName: 'PLAINTEXT',
    closed: new AbortController().signal,
    client: unknownClient(),
    ...changes
  }
}

/** Sends one request. Resolves with the decoded response; undefined if the broker sends no response (Produce, acks=0). */
export async function send<Req extends Shape, Res extends Shape>(
  dispatch: Dispatch,
  api: Api<Req, Res>,
  request: Encodable<Req>,
  options: RequestOptions & { readonly correlationId: number }
): Promise<Decoded<Res> | undefined> {
  const { version = api.versions[1], clientId = 'in-process', connection = inProcessConnection() } = options
  const { correlationId } = options
  const frame = Buffer.concat(encodeRequest(api, version, { correlationId, clientId }, request))
  const { response, memory } = await dispatch(frame.subarray(SIZE_BYTES), connection)
  // The decoded response has views of this copy.
  const copy = response && Buffer.concat(response)
  memory.release()
  if (copy === undefined) return undefined
  const decoded = decodeResponse(api, version, copy.subarray(SIZE_BYTES))
  if (decoded.correlationId !== correlationId) {
    throw new Error(`correlation id ${decoded.correlationId} in the response to ${api.name}; ${correlationId} was sent`)
  }
  return decoded.response
}
