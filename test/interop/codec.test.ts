// Compares our codec with Kafka's generated classes in both directions, for every API and version: bytes, and values by
// Kafka's field names. Compares `refuse` with `getErrorResponse` of Kafka's request classes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeRequestHeader, decodeResponse, encodeRequest, encodeResponse } from '../../src/protocol/api.ts'
import { type ApiError, ERROR_CODES, type ErrorName } from '../../src/protocol/errors.ts'
import { type AnyApi, APIS, type ApiName, apiByKey } from '../../src/protocol/messages/index.ts'
import type { AnyField, Shape } from '../../src/protocol/wire/schema.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { generate } from '../protocol/messages/generate.ts'
import { type FrameKind, type Json, type KafkaCodec, startKafkaCodec } from './java/codec.ts'

const MESSAGES_A_KIND = 20
const SIZE_BYTES = 4

let kafka: KafkaCodec
beforeAll(async () => {
  kafka = await startKafkaCodec()
})
afterAll(() => kafka?.stop())

test('APIs have the same versions as in Kafka, and are flexible from the same version on', async () => {
  const theirs = await kafka.apis()
  const described = Object.values(APIS).map(api => {
    const { first, last, requestHeaders } = theirs[api.name] ?? { first: -1, last: -1, requestHeaders: [] }
    const flexibleSince = first + requestHeaders.filter(version => version < 2).length
    return { name: api.name, ours: [...api.versions, api.flexibleSince], theirs: [first, last, flexibleSince] }
  })
  expect(described.filter(({ ours, theirs }) => `${ours}` !== `${theirs}`)).toEqual([])
})

const VERSIONS = Object.values(APIS).flatMap(({ name, key, versions: [first, last] }) =>
  Array.from({ length: last - first + 1 }, (_, index) => ({ name, key, version: first + index }))
)
const KINDS = VERSIONS.flatMap(version => [
  { ...version, kind: 'request' as const },
  { ...version, kind: 'response' as const }
])

describe.each(KINDS)('$name $kind v$version', kind => {
  const api = apiByKey(kind.key) as AnyApi

  test('messages of Kafka decode to the same fields and encode to the same bytes', async () => {
    for (let seed = 0; seed < MESSAGES_A_KIND; seed++) {
      const { frame, header, body } = await kafka.generate(kind, seed, false)
      const decoded = decode(api, kind, frame)
      expect(decoded.header).toMatchObject(header)
      expect(asJson(api.shapes[kind.kind], decoded.body)).toMatchObject(body)
      expect(encode(api, kind, decoded).toString('hex')).toBe(frame.toString('hex'))
    }
  })

  test('unknown tagged fields are skipped', async () => {
    const plain = await kafka.generate(kind, 1, false)
    const tagged = await kafka.generate(kind, 1, true)
    expect(decode(api, kind, tagged.frame)).toEqual(decode(api, kind, plain.frame))
  })

  test('messages of our codec are byte for byte those of Kafka', async () => {
    const random = seededRandom(kind.key * 1000 + kind.version)
    for (let count = 0; count < MESSAGES_A_KIND; count++) {
      const header = { correlationId: random.below(2 ** 31), clientId: random.below(3) === 0 ? null : 'größe' }
      const body = generate(api.shapes[kind.kind], kind.version, random)
      const frame = encode(api, kind, { header, body })
      expect((await kafka.roundtrip(kind, frame)).toString('hex')).toBe(frame.toString('hex'))
    }
  })
})

const ERRORS: readonly ApiError[] = [
  { code: 'UNKNOWN_SERVER_ERROR', message: 'the state of the server' },
  { code: 'UNKNOWN_SERVER_ERROR', message: null },
  { code: 'TOPIC_AUTHORIZATION_FAILED', message: 'größe' },
  { code: 'NOT_COORDINATOR', message: null },
  { code: 'UNSUPPORTED_VERSION', message: 'the feature is switched off' }
]

describe.each(VERSIONS)('$name v$version', ({ key, version }) => {
  const api = apiByKey(key) as AnyApi

  test("a refused request gets the bytes of Kafka's getErrorResponse", async () => {
    const random = seededRandom(key * 1000 + version)
    for (let count = 0; count < MESSAGES_A_KIND; count++) {
      const body = withRecords(generate(api.shapes.request, version, random))
      for (const error of ERRORS) {
        const encoded = api.request.encode(body, version)
        const kafkas = await kafka.refuse({ key, version, body: encoded, error })
        const response = api.refuse(api.request.decode(encoded, version), error, version)
        const ours = response && api.response.encode(response, version)
        const comparable = (bytes: Buffer | undefined) =>
          bytes && (COMPARABLE[api.name]?.(api.response.decode(bytes, version)) ?? bytes.toString('hex'))
        expect(comparable(ours)).toEqual(comparable(kafkas))
      }
    }
  })
})

/** Fills null records of a Produce request, with which Kafka's getErrorResponse fails. */
function withRecords(body: Record<string, unknown>): Record<string, unknown> {
  const records = (partition: object) => ({ ...partition, records: Buffer.of(1, 2, 3) })
  const topics = body.topicData as { partitionData: object[] }[] | undefined
  if (topics === undefined) return body
  return { ...body, topicData: topics.map(topic => ({ ...topic, partitionData: topic.partitionData.map(records) })) }
}

type Fields = Readonly<Record<string, unknown>>

/** The compared part of responses that differ from Kafka's by intent. */
const COMPARABLE: { readonly [Name in ApiName]?: (response: Fields) => unknown } = {
  // Ours contain the message of the error, Kafka's the default message of the error code.
  DescribeConfigs: withoutMessages,
  FindCoordinator: withoutMessages,
  // Ours keep the order and repetitions of the request; Kafka collects partitions and producers in hash maps.
  Produce: ({ responses }) => byPartition(responses, 'partitionResponses', 'index'),
  WriteTxnMarkers: ({ markers }) =>
    Object.fromEntries(
      (markers as Fields[]).map(({ producerId, topics }) => [
        String(producerId),
        byPartition(topics, 'partitions', 'partitionIndex')
      ])
    )
}

function withoutMessages(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMessages)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([name]) => name !== 'errorMessage')
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutMessages(field)]))
}

function byPartition(topics: unknown, partitions: string, index: string): Fields {
  const entries = (topics as Fields[]).flatMap(topic =>
    (topic[partitions] as Fields[]).map(partition => [`${topic.name}/${topic.topicId}/${partition[index]}`, partition])
  )
  return Object.fromEntries(entries)
}

interface Frame {
  readonly header: { readonly correlationId: number; readonly clientId: string | null }
  readonly body: Readonly<Record<string, unknown>>
}

function decode(api: AnyApi, { kind, version }: FrameKind, frame: Buffer): Frame {
  if (kind === 'response') {
    const { correlationId, response } = decodeResponse(api, version, frame)
    return { header: { correlationId, clientId: null }, body: response }
  }
  const { header, body } = decodeRequestHeader(frame, apiByKey)
  const { correlationId, clientId, apiKey, apiVersion } = header
  const named = { correlationId, clientId, requestApiKey: apiKey, requestApiVersion: apiVersion }
  return { header: named, body: api.request.read(body, version) }
}

function encode(api: AnyApi, { kind, version }: FrameKind, { header, body }: Frame): Buffer {
  const pieces =
    kind === 'response'
      ? encodeResponse(api, version, header.correlationId, body)
      : encodeRequest(api, version, header, body)
  return Buffer.concat(pieces).subarray(SIZE_BYTES)
}

/** A decoded message in the form of Kafka's JSON converters: int64 as text, bytes in base64, errors as numbers. */
function asJson(shape: Shape, value: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, fieldAsJson(field, value[name])]))
}

function fieldAsJson({ wire }: AnyField, value: unknown): Json {
  if (value === null) return null
  if (Array.isArray(value)) return wire.kind === 'array' ? value.map(element => fieldAsJson(wire.of, element)) : null
  if (wire.kind === 'struct') return asJson(wire.shape, value as Record<string, unknown>)
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (typeof value === 'bigint') return `${value}`
  return wire.kind === 'fixed' && wire.type === 'errorCode' ? ERROR_CODES[value as ErrorName] : (value as Json)
}
