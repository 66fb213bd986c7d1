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
  /** Who the client says it is (KIP-511); set by whoever answers ApiVersions. */
  client: ClientSoftware | undefined
}

/** The name and version of a client library, as its ApiVersions request gives them. */
export interface ClientSoftware {
  readonly name: string
  readonly version: string
}

/**
 * Answers one frame (without its size). The answer is complete, size included; undefined means that none is due.
 * A rejection closes the connection: MalformedFrame and CloseConnection with a warning, any other as our own bug.
 */
export type Dispatch = (frame: Buffer, connection: ConnectionContext) => Promise<Buffer[] | undefined>

/** The connection must be closed, for a reason that the operator is told in plain words. */
export class CloseConnection extends Error {
  override name = 'CloseConnection'
}
