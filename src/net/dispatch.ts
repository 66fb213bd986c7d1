/** What the sockets ask of whoever answers requests: one function, given a frame and the connection it came by. */

/** What is known of the connection that a request came by. */
export interface ConnectionContext {
  /** Unique within the server's life. */
  readonly id: number
  /** IPv4 addresses are in dotted form, also where the socket is an IPv6 one. */
  readonly remoteAddress: string
  readonly remotePort: number
  /** The address by which the client reached us. */
  readonly localAddress: string
  readonly localPort: number
  readonly listenerName: string
  /** Aborted when the connection has gone: nobody will read the answer to a request that is still delayed. */
  readonly closed: AbortSignal
  /** Tells the operator in one line what this peer did; few lines an address, so that none can fill the log. */
  warn(message: string): void
  /** The identity of the client, from its requests so far. */
  readonly client: ClientIdentity
}

/** A client as it identifies itself in its requests, for people. The handlers of these requests set the members. */
export interface ClientIdentity {
  /** The client id of the first request; null where that has none. */
  id: string | null | undefined
  /** The library, by ApiVersions (KIP-511). */
  software: ClientSoftware | undefined
  /** The member of a group that has joined through this connection. A heartbeat does not change it. */
  member: GroupMember | undefined
}

/** The name and version of a client library, as its ApiVersions request gives them. */
export interface ClientSoftware {
  readonly name: string
  readonly version: string
}

/** A member of a group of either protocol. The id is empty until the coordinator has assigned it. */
export interface GroupMember {
  readonly groupId: string
  readonly memberId: string
}

/** An open connection with the client at its other end, for people. */
export type OpenConnection = Readonly<Pick<ConnectionContext, 'client' | 'remotePort'>>

/** The identity of a client that has sent no request. */
export function unknownClient(): ClientIdentity {
  return { id: undefined, software: undefined, member: undefined }
}

/** What a connection does after a request. */
export interface DispatchResult {
  /** The complete response, size included. undefined: none is sent. */
  readonly response: readonly Buffer[] | undefined
  /** The connection is muted for so long once the response is sent: it serves no further request (KIP-219). */
  readonly muteMs: number
}

/**
 * Serves one frame (without its size). A rejection closes the connection: MalformedFrame and CloseConnection with a
 * warning, any other as our own bug.
 */
export type Dispatch = (frame: Buffer, connection: ConnectionContext) => Promise<DispatchResult>

/** The connection must be closed, for a reason that the operator is told in plain words. */
export class CloseConnection extends Error {
  override name = 'CloseConnection'
}
