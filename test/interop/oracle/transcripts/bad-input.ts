// Bytes that are no valid request, and requests that cannot be served: is there a response, or does the broker close
// the connection?
import { encodeRequest } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { raw, type Step } from '../transcript.ts'
import { compare } from './api-versions.ts'

const { ApiVersions, Heartbeat, Produce } = APIS
const header = { correlationId: 7, clientId: 'bad' }
const beat = { groupId: 'bad', generationId: 1, memberId: 'x' }

/** A frame: the size field, then these parts. */
function framed(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

function keyAndVersion(apiKey: number, version: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeInt16BE(apiKey, 0)
  bytes.writeInt16BE(version, 2)
  bytes.writeInt32BE(7, 4)
  return bytes
}

/** A valid request with a changed body. */
function heartbeat(change: (body: Buffer) => Buffer): Buffer {
  return framed(change(Buffer.concat(encodeRequest(Heartbeat, 3, header, beat)).subarray(4)))
}

const NO_CLIENT = Buffer.from([0xff, 0xff])

export const badInput: Step[] = [
  raw('an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')),
  raw('a TLS hello', Buffer.from('16030100c8010000c40303', 'hex')),
  raw('a size of 2 GB', Buffer.from('7fffffff00', 'hex')),
  raw('a negative size', Buffer.from('ffffffff00', 'hex')),
  raw('an empty frame', framed()),
  raw('a frame of one byte', framed(Buffer.of(0))),
  raw('a header that is cut', framed(keyAndVersion(18, 0).subarray(0, 6))),
  raw('an API that is none', framed(keyAndVersion(9999, 0), NO_CLIENT)),
  raw('a negative API', framed(keyAndVersion(-3, 0), NO_CLIENT)),
  raw("a version below Heartbeat's", framed(keyAndVersion(12, -1), NO_CLIENT)),
  raw("a version above Heartbeat's", framed(keyAndVersion(12, 99), NO_CLIENT, Buffer.alloc(30))),
  raw("a version below Fetch's", framed(keyAndVersion(1, 0), NO_CLIENT, Buffer.alloc(30))),
  raw("a version above CreateTopics's", framed(keyAndVersion(19, 50), NO_CLIENT, Buffer.alloc(30))),
  ...[0, 1, 2].map(version =>
    raw(`Produce v${version}`, framed(keyAndVersion(0, version), NO_CLIENT, Buffer.alloc(30)))
  ),
  raw('an API of brokers alone', framed(keyAndVersion(52, 0), NO_CLIENT, Buffer.alloc(30))),
  raw(
    'a body that is cut',
    heartbeat(body => body.subarray(0, body.length - 4))
  ),
  raw(
    'a body with bytes too many',
    heartbeat(body => Buffer.concat([body, Buffer.alloc(5)]))
  ),
  raw('a body of zeros', framed(keyAndVersion(12, 3), NO_CLIENT, Buffer.alloc(20))),
  raw('a body of ones', framed(keyAndVersion(12, 3), NO_CLIENT, Buffer.alloc(20, 0xff))),
  raw('an array of two thousand million', framed(keyAndVersion(3, 1), NO_CLIENT, Buffer.from('7fffffff', 'hex'))),
  raw('a compact array of as many', framed(keyAndVersion(3, 9), NO_CLIENT, Buffer.from('00ffffffff07', 'hex'))),
  raw('a client id that is cut', framed(keyAndVersion(12, 3), Buffer.from('7fff61', 'hex'))),
  raw('no client id', heartbeatOf(null)),
  raw('an empty client id', heartbeatOf('')),
  raw(
    'an empty Produce',
    Buffer.concat(encodeRequest(Produce, 9, header, { transactionalId: null, acks: 1, timeoutMs: 1, topicData: [] }))
  ),
  unknownVersion('ApiVersions of a version to come', 99),
  unknownVersion('ApiVersions of a negative version', -1)
]

function heartbeatOf(clientId: string | null): Buffer {
  return Buffer.concat(encodeRequest(Heartbeat, 3, { correlationId: 7, clientId }, beat))
}

/** An unsupported version of ApiVersions gets a response in version 0 with the supported versions. */
function unknownVersion(name: string, version: number): Step {
  return {
    name,
    subset: ['apiKeys'],
    async play(session) {
      const connection = await session.connection(name)
      connection.send([framed(keyAndVersion(18, version), NO_CLIENT, Buffer.from('00', 'hex'))])
      const received = await session.receive(name)
      await session.close(name)
      if (typeof received === 'string') return received
      return session.masks.mask(name, compare(ApiVersions.response.decode(received.subarray(4), 0)))
    }
  }
}
