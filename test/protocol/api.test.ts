import { describe, expect, it } from 'vitest'
import { decodeRequestHeader, decodeResponse, encodeRequest, encodeResponse, serves } from '../../src/protocol/api.ts'
import { APIS, apiByKey } from '../../src/protocol/messages/index.ts'
import { MalformedFrame } from '../../src/protocol/wire/bytes.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { VERSIONS } from './messages/every-version.ts'
import { generate } from './messages/generate.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** A frame without its size, as the frame decoder passes it on. */
const unframed = (pieces: Buffer[]) => Buffer.concat(pieces).subarray(4)

describe('a request header', () => {
  it('in old versions ends after the client id', () => {
    const frame = Buffer.concat(encodeRequest(APIS.Heartbeat, 3, { correlationId: 5, clientId: 'me' }, heartbeat))
    expect(frame).toEqual(hex('00000019 000c 0003 00000005 0002 6d65 0001 67 00000007 0001 6d 0001 69'))
  })

  it('in flexible versions has tagged fields and a client id of the old form', () => {
    const frame = Buffer.concat(encodeRequest(APIS.Heartbeat, 4, { correlationId: 5, clientId: 'me' }, heartbeat))
    expect(frame).toEqual(hex('00000018 000c 0004 00000005 0002 6d65 00 02 67 00000007 02 6d 02 69 00'))
  })

  it('carries null for no client id', () => {
    const frame = unframed(encodeRequest(APIS.ApiVersions, 0, { correlationId: 1, clientId: null }, {}))
    expect(frame).toEqual(hex('0012 0000 00000001 ffff'))
    expect(decodeRequestHeader(frame, apiByKey).header).toEqual({
      apiKey: 18,
      apiVersion: 0,
      correlationId: 1,
      clientId: null
    })
  })

  it('can have unknown tagged fields', () => {
    const { header, body } = decodeRequestHeader(hex('000c 0004 00000005 0002 6d65 01 63 02 abcd 7f'), apiByKey)
    expect(header.clientId).toBe('me')
    expect(body.int8()).toBe(0x7f)
  })

  it('is read in its flexible form for unknown newer versions', () => {
    const { header, body } = decodeRequestHeader(hex('0012 0063 00000005 ffff 00'), apiByKey)
    expect(header.apiVersion).toBe(99)
    expect(body.remaining).toBe(0)
  })

  it('of an unknown API or with missing bytes is a malformed frame', () => {
    expect(() => decodeRequestHeader(hex('7fff 0000 00000001 ffff'), apiByKey)).toThrow(/the API key 32767 is unknown/)
    const whole = hex('000c 0004 00000005 0002 6d65 00')
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeRequestHeader(whole.subarray(0, length), apiByKey)).toThrow(MalformedFrame)
    }
  })
})

const heartbeat = { groupId: 'g', generationId: 7, memberId: 'm', groupInstanceId: 'i' }

describe('a response header', () => {
  it('has tagged fields in flexible versions only', () => {
    const old = encodeResponse(APIS.Heartbeat, 3, 5, { errorCode: 'NONE' })
    expect(Buffer.concat(old)).toEqual(hex('0000000a 00000005 00000000 0000'))
    const flexible = encodeResponse(APIS.Heartbeat, 4, 5, { errorCode: 'NONE' })
    expect(Buffer.concat(flexible)).toEqual(hex('0000000c 00000005 00 00000000 0000 00'))
  })

  it('of ApiVersions never has tagged fields, because the client does not know the served versions yet', () => {
    const answer = encodeResponse(APIS.ApiVersions, 3, 5, { errorCode: 'NONE', apiKeys: [] })
    expect(Buffer.concat(answer)).toEqual(hex('0000000c 00000005 0000 01 00000000 00'))
  })
})

describe.each(VERSIONS)('$name v$version', ({ api, version }) => {
  const random = seededRandom(api.key * 100 + version)

  it('is served, and its request round-trips in a whole frame', () => {
    expect(serves(api, version)).toBe(true)
    const request = generate(api.shapes.request, version, random)
    const frame = unframed(encodeRequest(api, version, { correlationId: -1, clientId: 'client-é' }, request))
    const { header, body } = decodeRequestHeader(frame, apiByKey)
    expect(header).toEqual({ apiKey: api.key, apiVersion: version, correlationId: -1, clientId: 'client-é' })
    expect(api.request.read(body, version)).toEqual(request)
    expect(body.remaining).toBe(0)
  })

  it('has a response that round-trips in a whole frame and is refused with an extra byte', () => {
    const response = generate(api.shapes.response, version, random)
    const pieces = encodeResponse(api, version, 77, response)
    const frame = unframed(pieces)
    expect(pieces[0]?.readInt32BE(0)).toBe(frame.length)
    expect(decodeResponse(api, version, frame)).toEqual({ correlationId: 77, response })
    expect(() => decodeResponse(api, version, Buffer.concat([frame, hex('00')]))).toThrow(/follow the last field/)
  })
})

describe('a response with record bytes', () => {
  it('passes them on without a copy', () => {
    const records = Buffer.alloc(10_000, 5)
    const partition = { partitionIndex: 0, errorCode: 'NONE', highWatermark: 1n, records } as const
    const responses = [{ topic: 't', topicId: 'AAECAwQFBgcICQoLDA0ODw', partitions: [partition] }]
    expect(encodeResponse(APIS.Fetch, 13, 1, { responses })).toContain(records)
  })
})
