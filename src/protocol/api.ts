/**
 * The declaration of an API: `api({...})` provides its codecs in all versions. Also encodes and
 * decodes headers and complete frames: requests and responses of the broker, and those of a client for tests and the oracle.
 */
import type { ApiError } from './errors.ts'
import { ByteWriter } from './wire/byte-writer.ts'
import { ByteReader, MalformedFrame } from './wire/bytes.ts'
import { type Message, message } from './wire/compile.ts'
import { type Decoded, type Encodable, int16, int32, nullableString, type Shape } from './wire/schema.ts'

/** Declaration of an API: versions, shapes and error response. */
export interface ApiDeclaration<Req extends Shape, Res extends Shape> {
  readonly key: number
  readonly name: string
  /** First and last served version, both inclusive. */
  readonly versions: readonly [number, number]
  readonly flexibleSince: number
  readonly request: Req
  readonly response: Res
  /** First version in ApiVersions, if it is lower than the first served version (Produce, for librdkafka). */
  readonly advertisedSince?: number
  /**
   * The complete response with that error at the level where the API reports errors (the top, each topic, each partition), as
   * Kafka's `AbstractRequest.getErrorResponse` builds it. `undefined` if the client expects no response: the connection closes.
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

/** A decoded request of an API. It has every field, in every version. */
export type RequestOf<A> = A extends Api<infer Req, Shape> ? Decoded<Req> : never
/** A response of an API to encode. Fields with a default may be omitted. */
export type ResponseOf<A> = A extends Api<Shape, infer Res> ? Encodable<Res> : never
/** A decoded response, as a client reads it. */
export type DecodedResponseOf<A> = A extends Api<Shape, infer Res> ? Decoded<Res> : never
/** A request to encode, as a client sends it. */
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

/** Request header v2 for flexible versions, v1 for older ones. They differ only in the section of tagged fields. */
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

/** True if the API serves the version. */
export function serves(api: Pick<Api, 'versions'>, version: number): boolean {
  const [first, last] = api.versions
  return version >= first && version <= last
}

/**
 * Reads the header of a request and finds its API. The version determines whether the header has tagged fields. Throws
 * MalformedFrame if the frame is too short or no API has the key.
 */
export function decodeRequestHeader<A extends Pick<Api, 'flexibleSince'>>(
  frame: Buffer,
  find: (apiKey: number) => A | undefined
): { api: A; header: RequestHeader; body: ByteReader } {
  const start = new ByteReader(frame)
  const apiKey = start.int16()
  const api = find(apiKey)
  if (!api) throw new MalformedFrame(`the API key ${apiKey} is unknown`)
  const body = new ByteReader(frame)
  const header = requestHeader.read(body, start.int16() >= api.flexibleSince ? 2 : 1)
  return { api, header, body }
}

/** A complete response: size, header, body. It consists of several buffers, so that record bytes are not copied. */
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

/** A complete request of a client: size, header, body. */
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

/** Decodes the frame of a response (without its size prefix), as a client does. */
export function decodeResponse<Res extends Shape>(
  api: Pick<Api<Shape, Res>, 'key' | 'flexibleSince' | 'response'>,
  version: number,
  frame: Buffer
): { correlationId: number; response: Decoded<Res> } {
  const reader = new ByteReader(frame)
  const { correlationId } = responseHeader.read(reader, responseHeaderVersion(api, version))
  const response = api.response.read(reader, version)
  if (reader.remaining > 0) throw new MalformedFrame(`${reader.remaining} bytes follow the last field`)
  return { correlationId, response }
}

/** ApiVersions responses always have header v0, because the client has not received the versions of the broker yet (KIP-511). */
function responseHeaderVersion(api: Pick<Api, 'key' | 'flexibleSince'>, version: number): number {
  return version >= api.flexibleSince && api.key !== API_VERSIONS_KEY ? 1 : 0
}

function framed(writer: ByteWriter): Buffer[] {
  const size = Buffer.allocUnsafe(4)
  size.writeInt32BE(writer.length)
  return [size, ...writer.chunks()]
}
