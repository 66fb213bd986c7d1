/**
 * A client's socket. As in Kafka, requests are served in order and one at a time. While a response is pending or not yet read by
 * the peer, the connection reads only a small buffer. This bounds memory and work by the rate at which the peer reads its
 * responses.
 */
import type { Socket } from 'node:net'
import type { CloseReason, ConnectionIdentity, MistakenProtocol } from '../events/connection-events.ts'
import type { Events } from '../events/event.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import { FrameDecoder, InvalidFrameSize } from '../protocol/wire/frames.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { forEachYielding } from '../runtime/pace.ts'
import type { Alarm, Clocks } from '../runtime/time.ts'
import { addressesOf } from './addresses.ts'
import {
  type ClientIdentity,
  CloseConnection,
  type ConnectionContext,
  type Dispatch,
  type ResponseMemory,
  unknownClient
} from './dispatch.ts'

/** Limit on the bytes that are read while a request is served. Reading lets the server notice a disconnect of the peer. */
const MAX_WAITING_BYTES = 65_536
const MAX_WAITING_CHUNKS = 16
/**
 * Step size for writing a long response. Each completed step counts as activity, so that a slow response does not make the
 * connection idle.
 */
const WRITE_STEP_BYTES = 1_048_576

/** Dependencies and limits of a connection. */
export interface ConnectionOptions {
  readonly id: number
  readonly listenerName: string
  readonly dispatch: Dispatch
  readonly maxRequestBytes: number
  /** Negative: no limit. */
  readonly maxIdleMs: number
  readonly clocks: Clocks
  readonly events: Events
  /** Called when the number of bytes that this connection holds in memory changes. */
  readonly heldBytesChanged: (deltaBytes: number) => void
}

/** Serves a socket until it closes. The socket must be paused and allow half-open connections. */
export class Connection {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #context: ConnectionContext
  readonly #decoder: FrameDecoder
  readonly #closed = new AbortController()
  #serving = false
  /** True after the peer has sent its FIN. */
  #ended = false
  /** True: no further request is served. */
  #draining = false
  /** True after the server has closed the connection, so that only the first reason is logged. */
  #refused = false
  /** Size of the request being served, then of its response until the socket has accepted it. */
  #inHandBytes = 0
  #heldBytes = 0
  #lastActiveMs: number
  #idleAlarm: Alarm | undefined
  #drained: Deferred<void> | undefined
  /** Resolves when the connection is unmuted. */
  #muted: Deferred<void> | undefined
  readonly #peerEnded = deferred<void>()
  readonly #gone = deferred<void>()

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.#decoder = new FrameDecoder(options.maxRequestBytes)
    this.#context = {
      ...addressesOf(socket),
      id: options.id,
      listenerName: options.listenerName,
      closed: this.#closed.signal,
      client: unknownClient()
    }
    this.#lastActiveMs = options.clocks.deadline.now()
    this.#watchIdle()
    socket.on('data', chunk => this.#received(chunk))
    socket.on('end', () => this.#end())
    socket.on('drain', () => this.#drained?.resolve())
    socket.on('error', error => options.events.emit({ type: 'SocketFailed', ...this.#identity, error }))
    socket.on('close', () => this.#release())
    socket.resume()
  }

  get remotePort(): number {
    return this.#context.remotePort
  }

  /** Identity of the client, collected from its requests. */
  get client(): ClientIdentity {
    return this.#context.client
  }

  /** True after the FIN of the peer. Its last responses may still be in flight. */
  get hasPeerEnded(): boolean {
    return this.#ended || this.#socket.destroyed
  }

  /** Resolves after the FIN of the peer, or when the socket has closed. */
  get peerEnded(): Promise<void> {
    return this.#peerEnded.promise
  }

  /** Bytes in memory: received requests that are not answered yet, and responses that the socket has not accepted yet. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Resolves when the socket has closed and all resources are released. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** Serves no further request, and closes the connection after the response to the current request. */
  drain(): void {
    this.#draining = true
    // Requests that arrived meanwhile are read and dropped, so that the FIN of the peer behind them is read, too.
    this.#socket.resume()
    this.#muted?.resolve()
    if (!this.#serving) this.#socket.end()
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#refused = true
    this.#socket.destroy()
    this.#account(0)
  }

  /** Closes the connection at once. */
  refuse(reason: CloseReason): void {
    if (this.#refused || this.#socket.destroyed) return
    this.#options.events.emit({ type: 'ConnectionClosed', ...this.#identity, reason })
    this.destroy()
  }

  get #identity(): ConnectionIdentity {
    const { remoteAddress, remotePort, listenerName } = this.#context
    return { remoteAddress, remotePort, listenerName }
  }

  #received(chunk: Buffer): void {
    if (this.#draining) return
    this.#lastActiveMs = this.#options.clocks.deadline.now()
    this.#decoder.push(chunk)
    if (!this.#serving) void this.#serve()
    else if (this.#decoder.waitingBytes >= MAX_WAITING_BYTES || this.#decoder.waitingChunks >= MAX_WAITING_CHUNKS) {
      this.#socket.pause()
    }
    this.#account()
  }

  /** Serves all complete frames that have arrived, in order. Never runs concurrently with itself. */
  async #serve(): Promise<void> {
    this.#serving = true
    try {
      await forEachYielding(this.#frames(), this.#options.clocks.loop, frame => this.#respond(frame))
    } catch (error) {
      this.#fail(error)
    }
    this.#serving = false
    this.#account(0)
    if (this.#socket.destroyed) return
    if (this.#draining) this.#socket.end()
    else if (this.#ended) this.#finish()
    else this.#socket.resume()
  }

  *#frames(): Generator<Buffer, undefined> {
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) yield frame
  }

  #next(): Buffer | undefined {
    return this.#draining || this.#socket.destroyed ? undefined : this.#decoder.next()
  }

  async #respond(frame: Buffer): Promise<void> {
    this.#account(frame.length)
    const { response, muteMs, memory } = await this.#options.dispatch(frame, this.#context)
    if (response === undefined) memory.release()
    else await this.#send(response, memory)
    if (muteMs > 0) await this.#mute(muteMs)
  }

  /** Resolves when the socket has accepted the response, or has closed. */
  async #send(response: readonly Buffer[], memory: ResponseMemory): Promise<void> {
    const socket = this.#socket
    this.#account(response.reduce((sum, part) => sum + part.length, 0))
    socket.cork()
    let left = response.length
    for (const part of response) {
      if (socket.destroyed) break
      if (--left > 0) socket.write(part)
      else socket.write(part, error => this.#sent(memory, error))
      if (socket.writableLength < WRITE_STEP_BYTES) continue
      socket.uncork()
      await this.#taken()
      socket.cork()
    }
    socket.uncork()
    if (socket.destroyed) this.#sent(memory, 'destroyed')
    else await this.#taken()
  }

  /** Releases the memory of a response. A socket that failed may use it until it is closed. */
  #sent(memory: ResponseMemory, failure: unknown): void {
    if (failure) void this.gone.then(() => memory.release())
    else memory.release()
  }

  async #taken(): Promise<void> {
    if (this.#socket.writableNeedDrain && !this.#socket.destroyed) {
      this.#drained = deferred()
      await this.#drained.promise
      this.#drained = undefined
    }
    this.#lastActiveMs = this.#options.clocks.deadline.now()
  }

  /**
   * Mutes the connection for `muteMs`, as Kafka mutes throttled channels (KIP-219). Ends early if no further request can arrive.
   */
  async #mute(muteMs: number): Promise<void> {
    const { loop } = this.#options.clocks
    this.#account(0)
    if (this.#isOver) return
    this.#muted = deferred()
    const alarm = loop.at(loop.now() + muteMs, this.#muted.resolve)
    await this.#muted.promise
    alarm.cancel()
    this.#muted = undefined
  }

  /** True if no further request will be served. */
  get #isOver(): boolean {
    return this.#draining || this.#socket.destroyed || (this.#ended && this.#decoder.waitingBytes === 0)
  }

  #end(): void {
    this.#ended = true
    this.#peerEnded.resolve()
    if (!this.#serving) this.#finish()
    else if (this.#isOver) this.#muted?.resolve()
  }

  /** Closes the connection: the peer has sent its FIN and all responses are sent. */
  #finish(): void {
    if (!this.#decoder.atBoundary) this.refuse({ cause: 'IncompleteRequest' })
    this.#socket.end()
  }

  #fail(error: unknown): void {
    if (error instanceof InvalidFrameSize) {
      const { frameBytes, prefix } = error
      const maxBytes = this.#options.maxRequestBytes
      this.refuse({ cause: 'InvalidFrameSize', frameBytes, maxBytes, protocol: likelyProtocol(prefix) })
    } else if (error instanceof MalformedFrame) {
      this.refuse({ cause: 'MalformedRequest', detail: error.message })
    } else if (error instanceof CloseConnection) {
      this.refuse(error.reason)
    } else {
      this.#options.events.emit({ type: 'ConnectionFailed', ...this.#identity, error })
      this.destroy()
    }
  }

  #account(inHandBytes = this.#inHandBytes): void {
    this.#inHandBytes = inHandBytes
    const heldBytes = this.#socket.destroyed ? 0 : this.#decoder.heldBytes + inHandBytes
    const deltaBytes = heldBytes - this.#heldBytes
    this.#heldBytes = heldBytes
    if (deltaBytes !== 0) this.#options.heldBytesChanged(deltaBytes)
  }

  /** As in Kafka, a connection is idle if no byte was read or written, even while a request is delayed. */
  #watchIdle(): void {
    const { clocks, maxIdleMs } = this.#options
    if (maxIdleMs < 0) return
    this.#idleAlarm = clocks.deadline.at(this.#lastActiveMs + maxIdleMs, () => {
      if (clocks.deadline.now() < this.#lastActiveMs + maxIdleMs) return this.#watchIdle()
      if (this.#drained) return this.refuse({ cause: 'ResponseNotRead', maxIdleMs })
      this.#options.events.emit({ type: 'IdleConnectionClosed', ...this.#identity, maxIdleMs })
      this.destroy()
    })
  }

  #release(): void {
    this.#idleAlarm?.cancel()
    this.#account(0)
    this.#drained?.resolve()
    this.#muted?.resolve()
    this.#closed.abort('the connection is closed')
    this.#peerEnded.resolve()
    this.#gone.resolve()
  }
}

/** Protocols that are often sent to a Kafka port by mistake, by the first four bytes of a connection in latin1. */
const MISTAKES: readonly { readonly protocol: MistakenProtocol; readonly prefixes: readonly string[] }[] = [
  {
    protocol: 'HTTP',
    prefixes: ['GET ', 'POST', 'HEAD', 'PUT ', 'DELE', 'PATC', 'OPTI', 'CONN', 'TRAC', 'PRI ']
  },
  { protocol: 'TLS', prefixes: ['\x16\x03'] },
  { protocol: 'SSH', prefixes: ['SSH-'] },
  { protocol: 'AMQP', prefixes: ['AMQP'] },
  { protocol: 'MQTT', prefixes: ['\x10'] },
  { protocol: 'Redis', prefixes: ['*1\r', '*2\r', '*3\r', 'PING'] },
  { protocol: 'ZooKeeper', prefixes: ['ruok', 'stat', 'srvr', 'mntr'] },
  { protocol: 'text', prefixes: ['HELO', 'EHLO', 'USER', 'QUIT', 'HELP'] }
]

/** The protocol of a stream by its first bytes; undefined if none is recognized. */
function likelyProtocol(firstBytes: Buffer): MistakenProtocol | undefined {
  const text = firstBytes.toString('latin1')
  return MISTAKES.find(({ prefixes }) => prefixes.some(prefix => text.startsWith(prefix)))?.protocol
}
