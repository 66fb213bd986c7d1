/**
 * One declaration an API: `api({...})` gives its codecs at all versions. Below it, the headers that frame requests and
 * responses, and whole frames both ways (the server's way for the broker, the client's for tests and the oracle).
 */
import type { ApiError } from './errors.ts'
import { ByteWriter } from './wire/byte-writer.ts'
import { ByteReader, MalformedFrame } from './wire/bytes.ts'
import { type Message, message } from './wire/compile.ts'
import { type Decoded, type Encodable, int16, int32, nullableString, type Shape } from './wire/schema.ts'

/** What an API's declaration file says of it. */
export interface ApiDeclaration<Req extends Shape, Res extends Shape> {
  readonly key: number
  readonly name: string
  /** First and last version that is served, both included. */
  readonly versions: readonly [number, number]
  readonly flexibleSince: number
  readonly request: Req
  readonly response: Res
  /** First version told to clients, where that is lower than the first served (Produce, for librdkafka's sake). */
  readonly advertisedSince?: number
  /**
   * The whole response with that error at the level where the API reports it (the top, each topic, each partition), as Kafka's
   * `AbstractRequest.getErrorResponse` builds it. `undefined` where the client expects no response: the connection closes.
   */
  refuse(request: Decoded<Req>, error: ApiError, version: number): Encodable<Res> | undefined
}

export interface Api<Req extends Shape = Shape, Res extends Shape = Shape>
  extends Omit<ApiDeclaration<Req, Res>, 'request' | 'response'> {
  readonly request: Message<Req>
  readonly response: Message<Res>
  /** The declared shapes, for tests that generate messages. */
  readonly shapes: { readonly request: Req; readonly response: Res }
}

/** A decoded request of an API: every field, whatever the version. */
export type RequestOf<A> = A extends Api<infer Req, Shape> ? Decoded<Req> : never
/** An answer of an API to be encoded: fields with a default may be left out. */
export type ResponseOf<A> = A extends Api<Shape, infer Res> ? Encodable<Res> : never
/** A decoded answer, as a client sees it. */
export type DecodedResponseOf<A> = A extends Api<Shape, infer Res> ? Decoded<Res> : never
/** A request to be encoded, as a client gives it. */
export type EncodableRequestOf<A> = A extends Api<infer Req, Shape> ? Encodable<Req> : never

const API_VERSIONS_KEY = 18

export function api<const Req extends Shape, const Res extends Shape>(
  declaration: ApiDeclaration<Req, Res>
): Api<Req, Res> {
  const { request, response, flexibleSince } = declaration
  return {
    ...declaration,
    request: message(request, flexibleSince),
    response: message(response, flexibleSince),
    shapes: { request, response }
  }
}

/** Request header v2 in flexible versions, v1 in older ones; they differ by the tagged section alone. */
const requestHeader = message(
  { apiKey: int16, apiVersion: int16, correlationId: int32, clientId: nullableString.rigid() },
  2
)
const responseHeader = message({ correlationId: int32 }, 1)

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** True when the API is known and the version among those it serves. */
export function serves(api: Pick<Api, 'versions'>, version: number): boolean {
  const [first, last] = api.versions
  return version >= first && version <= last
}

/**
 * Reads a request's header and finds its API; the version decides whether the header has a tagged section.
 * Throws MalformedFrame when the frame is too short, or no API has the key.
 */
export function decodeRequestHeader<A extends Pick<Api, 'flexibleSince'>>(
  frame: Buffer,
  find: (apiKey: number) => A | undefined
): { api: A; header: RequestHeader; body: ByteReader } {
  const start = new ByteReader(frame)
  const apiKey = start.int16()
  const api = find(apiKey)
  if (!api) throw new MalformedFrame(`no API has the key ${apiKey}`)
  const body = new ByteReader(frame)
  const header = requestHeader.read(body, start.int16() >= api.flexibleSince ? 2 : 1)
  return { api, header, body }
}

/** A whole answer: size, header, body, in as many pieces as spare copying record bytes. */
export function encodeResponse<Res extends Shape>(
  api: Pick<Api<Shape, Res>, 'key' | 'flexibleSince' | 'response'>,
  version: number,
  correlationId: number,
  response: Encodable<Res>
): Buffer[] {
  const writer = new ByteWriter(512)
  responseHeader.write(writer, { correlationId }, responseHeaderVersion(api, version))
  api.response.write(writer, response, version)
  return framed(writer)
}

/** A whole request as a client sends it: size, header, body. */
export function encodeRequest<Req extends Shape>(
  api: Pick<Api<Req>, 'key' | 'flexibleSince' | 'request'>,
  version: number,
  { correlationId, clientId }: { correlationId: number; clientId: string | null },
  request: Encodable<Req>
): Buffer[] {
  const writer = new ByteWriter(512)
  const header = { apiKey: api.key, apiVersion: version, correlationId, clientId }
  requestHeader.write(writer, header, version >= api.flexibleSince ? 2 : 1)
  api.request.write(writer, request, version)
  return framed(writer)
}

/** Decodes an answer's frame (without its size) as a client does. */
export function decodeResponse<Res extends Shape>(
  api: Pick<Api<Shape, Res>, 'key' | 'flexibleSince' | 'response'>,
  version: number,
  frame: Buffer
): { correlationId: number; response: Decoded<Res> } {
  const reader = new ByteReader(frame)
  const { correlationId } = responseHeader.read(reader, responseHeaderVersion(api, version))
  const response = api.response.read(reader, version)
  if (reader.remaining > 0) throw new MalformedFrame(`${reader.remaining} bytes too many after the last field`)
  return { correlationId, response }
}

/** ApiVersions always answers with header v0: the client does not yet know what the broker understands (KIP-511). */
function responseHeaderVersion(api: Pick<Api, 'key' | 'flexibleSince'>, version: number): number {
  return version >= api.flexibleSince && api.key !== API_VERSIONS_KEY ? 1 : 0
}

function framed(writer: ByteWriter): Buffer[] {
  const size = Buffer.allocUnsafe(4)
  size.writeInt32BE(writer.length)
  return [size, ...writer.chunks()]
}
