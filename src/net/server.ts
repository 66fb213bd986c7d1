/**
 * The listeners of a node, the limits that connections share, and a graceful close. The ports are bound before the broker starts,
 * because the broker advertises them. Connections wait unread until `serve`.
 */
import type { Socket } from 'node:net'
import { connectionOverrides } from '../config/listeners.ts'
import type { Settings } from '../config/settings.ts'
import { derived, rows, type ViewOf } from '../config/view.ts'
import type { EventOf, Events } from '../events/event.ts'
import { deferred } from '../runtime/deferred.ts'
import { yieldToEventLoop } from '../runtime/pace.ts'
import type { Clocks } from '../runtime/time.ts'
import { plainAddress } from './addresses.ts'
import { Connection } from './connection.ts'
import type { Dispatch } from './dispatch.ts'
import { type BoundListener, type ListenerAddress, listen } from './listen.ts'

/** Limits across all clients. */
const LIMIT_ROWS = rows({
  maxRequestBytes: 'socket.request.max.bytes',
  /** Memory of all requests and responses. If it is exceeded, the connection that holds most is closed. */
  maxHeldBytes: derived(['queued.max.request.bytes'], limit => (limit < 0 ? Number.POSITIVE_INFINITY : limit)),
  /** Further connections wait unread until another one closes, as if they were not accepted yet. */
  maxConnections: 'max.connections',
  /** Further connections from the same address are closed. */
  maxConnectionsPerIp: 'max.connections.per.ip',
  maxConnectionsByIp: derived(['max.connections.per.ip.overrides'], connectionOverrides),
  /** Negative: no limit. */
  maxIdleMs: 'connections.max.idle.ms',
  /** Maximum number of connections that wait to be accepted or served. */
  backlog: 'socket.listen.backlog.size'
})

/** Dependencies of a server. */
export interface ServerOptions {
  readonly listeners: readonly ListenerAddress[]
  readonly settings: Settings
  readonly clocks: Clocks
  readonly events: Events
  /** True: the sockets do not keep the process alive. */
  readonly unref: boolean
}

/** A bound address of a listener. */
export interface Endpoint {
  readonly listenerName: string
  readonly host: string
  readonly port: number
}

interface WaitingSocket {
  readonly socket: Socket
  readonly listenerName: string
}

/** The server of a node. `bind` binds the listeners, `serve` starts to serve requests, and `close` releases everything. */
export class Server {
  readonly #options: ServerOptions
  readonly #limits: ViewOf<typeof LIMIT_ROWS>
  readonly #connections = new Set<Connection>()
  readonly #connectionsOfIp = new Map<string, number>()
  readonly #waiting: WaitingSocket[] = []
  #bound: BoundListener[] = []
  #dispatch: Dispatch | undefined
  #lastConnectionId = 0
  #heldBytes = 0
  #draining = false

  private constructor(options: ServerOptions) {
    this.#options = options
    this.#limits = options.settings.view(LIMIT_ROWS)
  }

  /** Binds all listeners. If one fails, closes the others and throws ListenError. */
  static async bind(options: ServerOptions): Promise<Server> {
    const server = new Server(options)
    try {
      for (const address of options.listeners) server.#bound.push(await server.#listen(address))
      if (options.unref) for (const { sockets } of server.#bound) for (const socket of sockets) socket.unref()
    } catch (error) {
      await server.close()
      throw error
    }
    return server
  }

  /** The listeners with their actual ports. */
  get endpoints(): Endpoint[] {
    return this.#bound.map(({ name, host, port }) => ({ listenerName: name, host, port }))
  }

  /** Number of served connections, without waiting ones. */
  get connectionCount(): number {
    return this.#connections.size
  }

  /**
   * Connections that their clients have not closed. Waits up to `graceMs` for a FIN in flight. Requests are still served during
   * the wait, so that a closing client can finish.
   */
  async openConnections(graceMs: number): Promise<readonly Connection[]> {
    const open = () => [...this.#connections].filter(({ hasPeerEnded }) => !hasPeerEnded)
    const { loop } = this.#options.clocks
    const graceOver = deferred<void>()
    const alarm = loop.at(loop.now() + graceMs, graceOver.resolve)
    await Promise.race([Promise.all(open().map(({ peerEnded }) => peerEnded)), graceOver.promise])
    alarm.cancel()
    // A busy process may handle the alarm late. Reads the FINs that arrived before it.
    await yieldToEventLoop()
    return open()
  }

  /** Starts to serve requests, waiting connections first. */
  serve(dispatch: Dispatch): void {
    this.#dispatch = dispatch
    this.#admitWaiting()
  }

  /** Accepts no further connection and no further request. Requests in progress still get their responses. */
  drain(): void {
    if (this.#draining) return
    this.#draining = true
    for (const { sockets } of this.#bound) for (const socket of sockets) socket.close()
    for (const { socket } of this.#waiting.splice(0)) socket.destroy()
    for (const connection of this.#connections) connection.drain()
  }

  /** Drains, waits up to `graceMs` for responses to be sent, then closes the remaining connections. */
  async close(graceMs = 0): Promise<void> {
    this.drain()
    const { clocks } = this.#options
    const listenersClosed = this.#bound.flatMap(({ sockets }) => sockets.map(closedServer))
    this.#bound = []
    const destroyAll = () => {
      for (const connection of this.#connections) connection.destroy()
    }
    const alarm = clocks.loop.at(clocks.loop.now() + graceMs, destroyAll)
    await Promise.all([...listenersClosed, ...Array.from(this.#connections, connection => connection.gone)])
    alarm.cancel()
  }

  #listen(address: ListenerAddress): Promise<BoundListener> {
    const { events, unref } = this.#options
    return listen(address, this.#limits.backlog, {
      connected: socket => {
        if (unref) socket.unref()
        // A socket that is not served yet needs an error listener: without one, an error event would end the process.
        socket.on('error', () => {})
        this.#accept({ socket, listenerName: address.name })
      },
      notAccepted: error => events.emit({ type: 'ConnectionNotAccepted', error })
    })
  }

  #accept(arrival: WaitingSocket): void {
    const { backlog, maxConnectionsByIp, maxConnectionsPerIp } = this.#limits
    const ip = plainAddress(arrival.socket.remoteAddress)
    const ofThisIp = this.#connectionsOfIp.get(ip) ?? 0
    const allowed = maxConnectionsByIp.get(ip) ?? maxConnectionsPerIp
    if (ofThisIp >= allowed) this.#refuse(arrival, ip, 'max.connections.per.ip', allowed)
    else if (this.#waiting.length >= backlog) this.#refuse(arrival, ip, 'socket.listen.backlog.size', backlog)
    else {
      this.#connectionsOfIp.set(ip, ofThisIp + 1)
      arrival.socket.once('close', () => this.#forgetIp(ip))
      this.#waiting.push(arrival)
      this.#admitWaiting()
    }
  }

  #refuse(
    { socket }: WaitingSocket,
    remoteAddress: string,
    cause: EventOf<'ConnectionRefused'>['cause'],
    limit: number
  ): void {
    this.#options.events.emit({ type: 'ConnectionRefused', remoteAddress, cause, limit })
    socket.destroy()
  }

  #forgetIp(ip: string): void {
    const left = (this.#connectionsOfIp.get(ip) ?? 1) - 1
    if (left === 0) this.#connectionsOfIp.delete(ip)
    else this.#connectionsOfIp.set(ip, left)
  }

  #admitWaiting(): void {
    const dispatch = this.#dispatch
    if (dispatch === undefined || this.#draining) return
    while (this.#connections.size < this.#limits.maxConnections) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      if (!next.socket.destroyed) this.#open(next, dispatch)
    }
  }

  #open({ socket, listenerName }: WaitingSocket, dispatch: Dispatch): void {
    const { maxRequestBytes, maxIdleMs } = this.#limits
    const { clocks, events } = this.#options
    const connection = new Connection(socket, {
      id: ++this.#lastConnectionId,
      listenerName,
      dispatch,
      maxRequestBytes,
      maxIdleMs,
      clocks,
      events,
      heldBytesChanged: deltaBytes => this.#hold(deltaBytes)
    })
    this.#connections.add(connection)
    socket.once('close', () => {
      this.#connections.delete(connection)
      this.#admitWaiting()
    })
  }

  /**
   * Counts held bytes. Above the limit, closes the connection that holds most, because it most likely floods the broker.
   */
  #hold(deltaBytes: number): void {
    this.#heldBytes += deltaBytes
    const { maxHeldBytes } = this.#limits
    if (deltaBytes < 0 || this.#heldBytes <= maxHeldBytes) return
    let greediest: Connection | undefined
    for (const connection of this.#connections) {
      if (connection.heldBytes > (greediest?.heldBytes ?? 0)) greediest = connection
    }
    greediest?.refuse({ cause: 'QueuedBytesExceeded', heldBytes: greediest.heldBytes, maxBytes: maxHeldBytes })
  }
}

function closedServer(server: BoundListener['sockets'][number]): Promise<void> {
  return new Promise(resolve => {
    // `close` reports an error if the server no longer listens. Only the end of its last connection matters here.
    server.close(() => resolve())
  })
}
