/** Events of connections, and their log lines. The lines of each client address have a rate limit. */
import type { ErrorName } from '../protocol/errors.ts'
import { debug, error, type Line, type Lines, limited, reasonOf, warn } from './line.ts'

/** A protocol that is often sent to a Kafka port by mistake. */
export type MistakenProtocol = 'HTTP' | 'TLS' | 'SSH' | 'AMQP' | 'MQTT' | 'Redis' | 'ZooKeeper' | 'text'

/** The reason for which the server closed a connection. */
export type CloseReason =
  /** `protocol` is recognized by the first bytes of the connection. */
  | {
      readonly cause: 'InvalidFrameSize'
      readonly frameBytes: number
      readonly maxBytes: number
      readonly protocol: MistakenProtocol | undefined
    }
  | { readonly cause: 'MalformedRequest'; readonly detail: string }
  | { readonly cause: 'UnsupportedVersion'; readonly api: string; readonly apiVersion: number }
  /** A failed request to which the client expects no response. */
  | { readonly cause: 'RequestFailed'; readonly api: string; readonly errorCode: ErrorName }
  /** As `RequestFailed`, for a Produce with acks=0: the errors of its partitions, at most three. */
  | { readonly cause: 'ProduceFailed'; readonly failures: readonly string[]; readonly failureCount: number }
  /** A stage of the request pipeline dropped the response. */
  | { readonly cause: 'ResponseDropped' }
  | { readonly cause: 'IncompleteRequest' }
  | { readonly cause: 'ResponseNotRead'; readonly maxIdleMs: number }
  /** `heldBytes` is the memory of this connection, which had most when `queued.max.request.bytes` was exceeded. */
  | { readonly cause: 'QueuedBytesExceeded'; readonly heldBytes: number; readonly maxBytes: number }

/** The address and port of the peer, and the listener. */
export interface ConnectionIdentity {
  /** IPv4 addresses are in dotted form, even if the socket is an IPv6 socket. */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly listenerName: string
}

export type ConnectionEvent =
  | {
      readonly type: 'ConnectionRefused'
      readonly remoteAddress: string
      readonly cause: 'max.connections.per.ip' | 'socket.listen.backlog.size'
      readonly limit: number
    }
  /** The operating system did not accept a connection: usually there are too many open files. */
  | { readonly type: 'ConnectionNotAccepted'; readonly error: unknown }
  | ({ readonly type: 'ConnectionClosed'; readonly reason: CloseReason } & ConnectionIdentity)
  | ({ readonly type: 'IdleConnectionClosed'; readonly maxIdleMs: number } & ConnectionIdentity)
  /** An error that is a bug closed the connection. */
  | ({ readonly type: 'ConnectionFailed'; readonly error: unknown } & ConnectionIdentity)
  /** For example a reset by the peer. */
  | ({ readonly type: 'SocketFailed'; readonly error: unknown } & ConnectionIdentity)
  /** A Produce with malformed records: the client is broken or hostile. `partition` is absent if all partitions were refused. */
  | ({
      readonly type: 'RecordsRefused'
      readonly topicPartition?: string | undefined
      readonly errorCode: ErrorName
      readonly detail: string
    } & ConnectionIdentity)

const MOST_PER_ADDRESS = 10

export const CONNECTION_LINES: Lines<ConnectionEvent> = {
  ConnectionRefused: limitedByAddress(
    warn(({ remoteAddress, cause, limit }) => `connection from ${remoteAddress} refused: ${cause} is ${limit}`)
  ),
  ConnectionNotAccepted: error(
    ({ error }) => `connection not accepted: ${reasonOf(error)} (check the limit on open files)`
  ),
  ConnectionClosed: limitedByAddress(
    warn(event => `connection of ${peerOf(event)} closed: ${closeText(event.reason)}`)
  ),
  IdleConnectionClosed: debug(event => `connection of ${peerOf(event)} closed: idle for ${event.maxIdleMs} ms`),
  ConnectionFailed: error(
    event => `connection of ${peerOf(event)} closed by a bug in minikafka: ${reasonOf(event.error)}`
  ),
  SocketFailed: debug(event => `socket of ${peerOf(event)} failed: ${reasonOf(event.error)}`),
  RecordsRefused: limitedByAddress(
    warn(event => {
      const where = event.topicPartition === undefined ? '' : ` for ${event.topicPartition}`
      return `records of ${peerOf(event)}${where} refused with ${event.errorCode}: ${event.detail}`
    })
  )
}

function limitedByAddress<Event extends { readonly remoteAddress: string }>(line: Line<Event>): Line<Event> {
  return limited(MOST_PER_ADDRESS, ({ remoteAddress }) => remoteAddress, line)
}

/** Address and port, with brackets around an IPv6 address. */
function peerOf({ remoteAddress, remotePort }: ConnectionIdentity): string {
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`
}

function closeText(reason: CloseReason): string {
  switch (reason.cause) {
    case 'InvalidFrameSize': {
      const { frameBytes, maxBytes, protocol } = reason
      const limit = frameBytes < 0 ? '' : `, socket.request.max.bytes is ${maxBytes}`
      return `invalid request size ${frameBytes}${limit}; ${protocol ? ADVICE[protocol] : 'the peer may not use the Kafka protocol'}`
    }
    case 'MalformedRequest':
      return `malformed request: ${reason.detail}`
    case 'UnsupportedVersion':
      return `${reason.api} version ${reason.apiVersion} is not supported`
    case 'RequestFailed':
      return `${reason.api} failed without a response: ${reason.errorCode}`
    case 'ProduceFailed': {
      const more = reason.failureCount - reason.failures.length
      return `Produce with acks=0 failed: ${reason.failures.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
    }
    case 'ResponseDropped':
      return 'the response was dropped'
    case 'IncompleteRequest':
      return 'the peer closed it in the middle of a request'
    case 'ResponseNotRead':
      return `the peer read nothing of its response for ${reason.maxIdleMs} ms`
    case 'QueuedBytesExceeded':
      return `it held ${reason.heldBytes} bytes when all requests and responses exceeded queued.max.request.bytes (${reason.maxBytes})`
  }
}

const ADVICE: Record<MistakenProtocol, string> = {
  HTTP: 'this looks like an HTTP request (a browser, a health check, a wrong URL)',
  TLS: 'this looks like TLS on a plaintext listener (use security.protocol=PLAINTEXT or ssl: false in the client)',
  SSH: 'this looks like an SSH client',
  AMQP: 'this looks like an AMQP client (RabbitMQ)',
  MQTT: 'this looks like an MQTT client',
  Redis: 'this looks like a Redis client',
  ZooKeeper: 'this looks like a ZooKeeper command',
  text: 'this looks like a line-based text protocol'
}
