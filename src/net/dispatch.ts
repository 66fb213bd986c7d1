/** Interface between the sockets and the request pipeline: one function from a frame and its connection to a response. */
import type { CloseReason, ConnectionIdentity } from '../events/connection-events.ts'

/** The connection of a request. */
export interface ConnectionContext extends ConnectionIdentity {
  /** Unique during the life of the server. */
  readonly id: number
  /** Local address that the client has connected to. */
  readonly localAddress: string
  readonly localPort: number
  /** Aborted when the connection has closed. A delayed request then needs no response. */
  readonly closed: AbortSignal
  /** Identity of the client, collected from its requests. */
  readonly client: ClientIdentity
}

/** A client as it identifies itself in its requests, for messages. The handlers of these requests set the members. */
export interface ClientIdentity {
  /** Client id of the first request; null if that request has none. */
  id: string | null | undefined
  /** Client library, from ApiVersions (KIP-511). */
  software: ClientSoftware | undefined
  /** Group member that joined through this connection. A heartbeat does not change it. */
  member: GroupMember | undefined
}

/** Name and version of a client library, from its ApiVersions request. */
export interface ClientSoftware {
  readonly name: string
  readonly version: string
}

/** Member of a classic or a consumer group. The id is empty until the coordinator has assigned it. */
export interface GroupMember {
  readonly groupId: string
  readonly memberId: string
}

/** An open connection and its client, for messages. */
export type OpenConnection = Readonly<Pick<ConnectionContext, 'client' | 'remotePort'>>

/** Identity of a client that has sent no request. */
export function unknownClient(): ClientIdentity {
  return { id: undefined, software: undefined, member: undefined }
}

/** Result of a request for its connection. */
export interface DispatchResult {
  /** The complete response, including its size prefix; undefined if no response is sent. */
  readonly response: readonly Buffer[] | undefined
  /** Milliseconds for which the connection is muted after the response (KIP-219). */
  readonly muteMs: number
  /** Memory of the response, for the caller to release. */
  readonly memory: ResponseMemory
}

/** Memory of a response, which later responses reuse. */
export interface ResponseMemory {
  /** Ends the use of the response: its bytes may change afterwards. Further calls have no effect. */
  release(): void
}

/**
 * Serves a frame (without its size prefix). A rejection closes the connection. MalformedFrame and CloseConnection
 * emit `ConnectionClosed`. Any other error is a bug of the broker and emits `ConnectionFailed`.
 */
export type Dispatch = (frame: Buffer, connection: ConnectionContext) => Promise<DispatchResult>

/** Closes the connection. */
export class CloseConnection extends Error {
  override name = 'CloseConnection'
  readonly reason: CloseReason

  constructor(reason: CloseReason) {
    super(reason.cause)
    this.reason = reason
  }
}
