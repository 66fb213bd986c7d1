/** The request pipeline: stages around the handler of every API at every version. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Exchange, Stage } from '../../src/broker/pipeline.ts'
import { CloseConnection } from '../../src/net/dispatch.ts'
import { type ApiDeclaration, decodeResponse, encodeRequest, encodeResponse } from '../../src/protocol/api.ts'
import { type ApiError, KafkaError } from '../../src/protocol/errors.ts'
import { type AnyApi, APIS, apiByKey } from '../../src/protocol/messages/index.ts'
import { MalformedFrame } from '../../src/protocol/wire/bytes.ts'
import { absentOf, type Shape } from '../../src/protocol/wire/schema.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { Harness } from '../../src/testing/harness.ts'
import { inProcessConnection } from '../../src/testing/in-process.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { Client } from '../net/client.ts'
import { start } from '../net/server-fixture.ts'
import { generate } from '../protocol/messages/generate.ts'

const SIZE_BYTES = 4
const CORRELATION_ID = 77
const MUTE_MS = 300
const NO_STAGE: Stage = () => {}
const ERROR = new KafkaError('POLICY_VIOLATION', 'refused by a stage')

const events = new RecordingEvents()
let harness: Harness
const inserted = { before: NO_STAGE, after: NO_STAGE }
beforeAll(async () => {
  const before: Stage[] = [exchange => inserted.before(exchange)]
  const after: Stage[] = [exchange => inserted.after(exchange)]
  harness = await Harness.start({ sinks: [events], stages: { before, after } })
})
beforeEach(() => {
  Object.assign(inserted, { before: NO_STAGE, after: NO_STAGE })
  events.take()
})
afterAll(() => harness.stop())

function frameOf(api: AnyApi, version: number, request: object): Buffer {
  const header = { correlationId: CORRELATION_ID, clientId: 'test' }
  return Buffer.concat(encodeRequest(api, version, header, request)).subarray(SIZE_BYTES)
}

function dispatch(api: AnyApi, version: number, request: object) {
  return harness.dispatch(frameOf(api, version, request), inProcessConnection())
}

/** The response as a client decodes it. */
function decoded(api: AnyApi, version: number, response: readonly Buffer[] | undefined): object {
  const frame = Buffer.concat(response ?? []).subarray(SIZE_BYTES)
  const { correlationId, response: body } = decodeResponse(api, version, frame)
  expect(correlationId).toBe(CORRELATION_ID)
  return body
}

/** The refusal of a request as a client decodes it; undefined if the connection closes. */
function refusalOf(api: AnyApi, version: number, request: object, error: ApiError): object | undefined {
  const read = api.request.decode(api.request.encode(request, version), version)
  const response = api.refuse(read, error, version)
  return response && decoded(api, version, encodeResponse(api, version, CORRELATION_ID, response))
}

const VERSIONS = Object.values(APIS).flatMap(({ key, name, versions: [first, last] }) => {
  const api = apiByKey(key) as AnyApi
  return Array.from({ length: last - first + 1 }, (_, index) => ({ api, name, version: first + index }))
})

/** Before the handler any request is valid; after it empty requests, which handlers answer at once. */
function requestsFor(
  placement: keyof typeof inserted,
  { request: shape }: AnyApi['shapes'],
  version: number
): object[] {
  if (placement === 'after') return [absentOf(shape)]
  const random = seededRandom(version)
  return Array.from({ length: 3 }, () => generate(shape, version, random))
}

describe.each(['before', 'after'] as const)('a stage %s the handler', placement => {
  it.each(VERSIONS)('refuses $name v$version at the level where the API reports errors', async ({ api, version }) => {
    inserted[placement] = () => {
      throw ERROR
    }
    for (const request of requestsFor(placement, api.shapes, version)) {
      const refusal = refusalOf(api, version, request, ERROR)
      const result = dispatch(api, version, request)
      if (refusal) expect(decoded(api, version, (await result).response)).toEqual(refusal)
      else
        await expect(result).rejects.toMatchObject({
          reason: { cause: 'RequestFailed', api: api.name, errorCode: 'POLICY_VIOLATION' }
        })
    }
  })

  it.each(VERSIONS)('answers $name v$version in place of the handler', async ({ api, version }) => {
    const response = generate(api.shapes.response, version, seededRandom(version))
    inserted[placement] = exchange => {
      exchange.response = response
    }
    for (const request of requestsFor(placement, api.shapes, version)) {
      const result = await dispatch(api, version, request)
      const bytes = encodeResponse(api, version, CORRELATION_ID, response)
      expect(Buffer.concat(result.response ?? [])).toEqual(Buffer.concat(bytes))
    }
  })

  it.each(VERSIONS)('delays $name v$version', async ({ api, version }) => {
    for (const request of requestsFor('after', api.shapes, version)) {
      const reached = deferred<void>()
      const delay = deferred<void>()
      inserted[placement] = () => {
        reached.resolve()
        return delay.promise
      }
      let isAnswered = false
      const result = dispatch(api, version, request).finally(() => {
        isAnswered = true
      })
      await reached.promise
      await yieldToEventLoop()
      expect(isAnswered).toBe(false)
      delay.resolve()
      await result
    }
  })

  it.each(VERSIONS)('mutes the connection of $name v$version, which the response reports', async ({ api, version }) => {
    inserted[placement] = exchange => {
      exchange.muteMs = MUTE_MS
    }
    for (const request of requestsFor('after', api.shapes, version)) {
      const { response, muteMs } = await dispatch(api, version, request)
      expect(muteMs).toBe(MUTE_MS)
      if (response === undefined) continue
      const { throttleTimeMs } = api.shapes.response as Shape
      const isReported = throttleTimeMs !== undefined && version >= throttleTimeMs.traits.since
      expect(decoded(api, version, response)).toMatchObject(isReported ? { throttleTimeMs: MUTE_MS } : {})
    }
  })

  it.each(VERSIONS)('drops the response to $name v$version and closes the connection', async ({ api, version }) => {
    inserted[placement] = () => {
      throw new CloseConnection({ cause: 'ResponseDropped' })
    }
    for (const request of requestsFor(placement, api.shapes, version)) {
      await expect(dispatch(api, version, request)).rejects.toThrow(CloseConnection)
    }
  })
})

const creation = (name: string) => ({ topics: [{ name, numPartitions: 1, replicationFactor: 1 }] })
const topicsOf = ({ response }: Exchange) => (response as { topics: { errorCode: string }[] }).topics

it('a request that is refused before the handler has no effect', async () => {
  inserted.before = () => {
    throw ERROR
  }
  const { topics } = await harness.request('CreateTopics', creation('refused'))
  expect(topics).toMatchObject([{ name: 'refused', errorCode: 'POLICY_VIOLATION', errorMessage: ERROR.message }])
  expect(harness.broker.topicNames()).not.toContain('refused')
})

it('a request that is refused after the handler has had its effect', async () => {
  let answered: string | undefined
  inserted.after = exchange => {
    answered = topicsOf(exchange)[0]?.errorCode
    throw ERROR
  }
  const { topics } = await harness.request('CreateTopics', creation('created'))
  expect(answered).toBe('NONE')
  expect(topics).toMatchObject([{ errorCode: 'POLICY_VIOLATION' }])
  expect(harness.broker.topicNames()).toContain('created')
})

it('a request whose response is dropped has had its effect', async () => {
  inserted.after = () => {
    throw new CloseConnection({ cause: 'ResponseDropped' })
  }
  await expect(harness.request('CreateTopics', creation('dropped'))).rejects.toThrow(CloseConnection)
  expect(harness.broker.topicNames()).toContain('dropped')
})

it('a stage before the handler changes the request that the handler gets', async () => {
  inserted.before = exchange => {
    const { topics } = exchange.request as { topics: object[] }
    exchange.request = { ...exchange.request, topics: topics.map(topic => ({ ...topic, name: 'changed' })) }
  }
  await harness.request('CreateTopics', creation('requested'))
  expect(harness.broker.topicNames()).toContain('changed')
  expect(harness.broker.topicNames()).not.toContain('requested')
})

it('stages after the handler see a refusal of those before it', async () => {
  let seen: string | undefined
  inserted.before = () => {
    throw ERROR
  }
  inserted.after = exchange => {
    seen = topicsOf(exchange)[0]?.errorCode
  }
  await harness.request('CreateTopics', creation('refused'))
  expect(seen).toBe('POLICY_VIOLATION')
})

it('an exchange gives stages the API, the header, the sender and its permissions', async () => {
  const exchanges: Exchange[] = []
  inserted.before = exchange => {
    exchanges.push(exchange)
  }
  const connection = inProcessConnection()
  await harness.request('Heartbeat', { groupId: 'g', generationId: 1, memberId: 'm' }, { version: 3, connection })
  expect(exchanges).toMatchObject([
    { api: { name: 'Heartbeat' }, apiVersion: 3, clientId: 'test', principal: { type: 'User', name: 'ANONYMOUS' } }
  ])
  expect(exchanges[0]?.connection).toBe(connection)
  expect(exchanges[0]?.authorize('READ', { type: 'GROUP', name: 'g' })).toBe(true)
})

it('an unexpected error is an event with its request, and the response has no message of it', async () => {
  inserted.before = () => {
    throw new TypeError('the state of the broker')
  }
  const { topics } = await harness.request('CreateTopics', creation('refused'))
  expect(topics).toMatchObject([{ errorCode: 'UNKNOWN_SERVER_ERROR', errorMessage: null }])
  expect(events.of('RequestFailed')).toEqual([
    expect.objectContaining({
      api: 'CreateTopics',
      apiVersion: 7,
      clientId: 'test',
      peer: '127.0.0.1:50000',
      error: new TypeError('the state of the broker')
    })
  ])
})

it('a refused Produce with acks=0 closes the connection', async () => {
  inserted.before = () => {
    throw ERROR
  }
  const request = { transactionalId: null, acks: 0, timeoutMs: 1000, topicData: [] }
  await expect(harness.send('Produce', request)).rejects.toThrow(CloseConnection)
})

it('a connection that a stage mutes serves its next request when the mute ends', async () => {
  inserted.after = exchange => {
    exchange.muteMs = MUTE_MS
  }
  const muted = deferred<void>()
  const { port } = await start(
    async (frame, connection) => {
      const result = await harness.dispatch(frame, connection)
      setImmediate(muted.resolve)
      return result
    },
    {},
    harness.clock
  )
  const client = await Client.connect(port)
  onTestFinished(() => void client.socket.destroy())
  const request = encodeRequest(APIS.ListGroups, 5, { correlationId: 1, clientId: 'test' }, {})
  client.write(Buffer.concat([...request, ...request]))
  expect(await client.receive()).toBeDefined()
  await muted.promise
  expect(events.of('RequestCompleted')).toHaveLength(1)
  harness.clock.advance(MUTE_MS)
  expect(await client.receive()).toBeDefined()
})

describe('an invalid frame', () => {
  /** A request header of version 1 and nothing else. */
  function header(apiKey: number, apiVersion: number): Buffer {
    const frame = Buffer.alloc(10)
    frame.writeInt16BE(apiKey, 0)
    frame.writeInt16BE(apiVersion, 2)
    frame.writeInt32BE(CORRELATION_ID, 4)
    frame.writeInt16BE(-1, 8)
    return frame
  }

  it.each([
    ['an API that Kafka does not have', header(9999, 0), MalformedFrame],
    ['a version that is too new', Buffer.concat([header(APIS.Metadata.key, 99), Buffer.of(0)]), CloseConnection],
    ['a version that is too old', header(APIS.Produce.key, 2), CloseConnection],
    ['a body that ends too early', header(APIS.Metadata.key, 1), MalformedFrame]
  ])('a frame with %s closes the connection', async (_case, frame, error) => {
    await expect(harness.dispatch(frame, inProcessConnection())).rejects.toThrow(error)
  })

  it('a too new version of ApiVersions gets a response of version 0 with the served versions', async () => {
    const frame = Buffer.concat([header(APIS.ApiVersions.key, 99), Buffer.of(0)])
    const { response } = await harness.dispatch(frame, inProcessConnection())
    const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 5 }]
    expect(decoded(apiByKey(APIS.ApiVersions.key) as AnyApi, 0, response)).toMatchObject({
      errorCode: 'UNSUPPORTED_VERSION',
      apiKeys
    })
  })
})

it('an API declaration without refuse does not compile', () => {
  const declaration = {
    key: 1,
    name: 'Fetch',
    versions: [4, 18] as const,
    flexibleSince: 12,
    request: {},
    response: {}
  }
  // @ts-expect-error: `refuse` is missing.
  const incomplete: ApiDeclaration<Shape, Shape> = declaration
  expect(incomplete.refuse).toBeUndefined()
})
