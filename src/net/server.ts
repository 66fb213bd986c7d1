/**
 * All sockets of a node: listeners, the limits that connections share, and a graceful close. Ports are bound first,
 * so that the broker can tell clients about them; connections wait unread until there is someone to serve them.
 */
import type { Socket } from 'node:net'
import { connectionOverrides } from '../config/listeners.ts'
import type { Settings } from '../config/settings.ts'
import { derived, rows, type ViewOf } from '../config/view.ts'
import { deferred } from '../runtime/deferred.ts'
import type { Logger } from '../runtime/logger.ts'
import { yieldToEventLoop } from '../runtime/pace.ts'
import type { Clocks } from '../runtime/time.ts'
import { plainAddress } from './addresses.ts'
import { Connection } from './connection.ts'
import type { Dispatch } from './dispatch.ts'
import { type BoundListener, type ListenerAddress, listen } from './listen.ts'
import { Warnings } from './warnings.ts'

/** The limits of all clients together. */
const LIMIT_ROWS = rows({
  maxRequestBytes: 'socket.request.max.bytes',
  /** Memory of all requests and responses; above it, the connection that holds most is closed. */
  maxHeldBytes: derived(['queued.max.request.bytes'], limit => (limit < 0 ? Number.POSITIVE_INFINITY : limit)),
  /** Further connections wait unread until another closes, as if they were not accepted yet. */
  maxConnections: 'max.connections',
  /** Further connections from one address are closed. */
  maxConnectionsPerIp: 'max.connections.per.ip',
  maxConnectionsByIp: derived(['max.connections.per.ip.overrides'], connectionOverrides),
  /** Negative: never. */
  maxIdleMs: 'connections.max.idle.ms',
  /** Connections that may wait to be accepted or served. */
  backlog: 'socket.listen.backlog.size'
})

/** What a server needs. */
export interface ServerOptions {
  readonly listeners: readonly ListenerAddress[]
  readonly settings: Settings
  readonly clocks: Clocks
  readonly logger: Logger
  /** True: sockets do not keep the process alive. */
  readonly unref: boolean
}

/** An address that is being listened on. */
export interface Endpoint {
  readonly listenerName: string
  readonly host: string
  readonly port: number
}

interface WaitingSocket {
  readonly socket: Socket
  readonly listenerName: string
}

/** Binds its listeners in `bind`, serves from `serve` on, and leaves nothing behind after `close`. */
export class Server {
  readonly #options: ServerOptions
  readonly #limits: ViewOf<typeof LIMIT_ROWS>
  readonly #warnings: Warnings
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
    this.#warnings = new Warnings(options.clocks.loop, options.logger)
  }

  /** Binds all listeners, or none: throws ListenError. */
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

  /** The listeners with the ports that they really have. */
  get endpoints(): Endpoint[] {
    return this.#bound.map(({ name, host, port }) => ({ listenerName: name, host, port }))
  }

  /** Connections open now, waiting ones not counted. */
  get connectionCount(): number {
    return this.#connections.size
  }

  /**
   * Connections whose clients have not ended them, after `graceMs` at most for those whose end is on its way. Requests are
   * answered meanwhile, so that a client that leaves can finish.
   */
  async openConnections(graceMs: number): Promise<readonly Connection[]> {
    const open = () => [...this.#connections].filter(({ hasPeerEnded }) => !hasPeerEnded)
    const { loop } = this.#options.clocks
    const graceOver = deferred<void>()
    const alarm = loop.at(loop.now() + graceMs, graceOver.resolve)
    await Promise.race([Promise.all(open().map(({ peerEnded }) => peerEnded)), graceOver.promise])
    alarm.cancel()
    // A busy process can be late for the alarm: ends that arrived before it are read now.
    await yieldToEventLoop()
    return open()
  }

  /** Starts to answer, beginning with those who have been waiting. */
  serve(dispatch: Dispatch): void {
    this.#dispatch = dispatch
    this.#admitWaiting()
  }

  /** Takes no new connection and no new request; those under way still get their answers. */
  drain(): void {
    if (this.#draining) return
    this.#draining = true
    for (const { sockets } of this.#bound) for (const socket of sockets) socket.close()
    for (const { socket } of this.#waiting.splice(0)) socket.destroy()
    for (const connection of this.#connections) connection.drain()
  }

  /** Drains, waits `graceMs` at most for answers to leave, and closes what is left. */
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
    this.#warnings.flush()
  }

  #listen(address: ListenerAddress): Promise<BoundListener> {
    const { logger, unref } = this.#options
    return listen(address, this.#limits.backlog, {
      connected: socket => {
        if (unref) socket.unref()
        // Until it is served, a socket must not bring the process down by an error that nobody listens to.
        socket.on('error', () => {})
        this.#accept({ socket, listenerName: address.name })
      },
      notAccepted: error =>
        logger.error({ err: error }, `a connection could not be accepted (${error.message}): too many open files?`)
    })
  }

  #accept(arrival: WaitingSocket): void {
    const { backlog, maxConnectionsByIp, maxConnectionsPerIp } = this.#limits
    const ip = plainAddress(arrival.socket.remoteAddress)
    const ofThisIp = this.#connectionsOfIp.get(ip) ?? 0
    const allowed = maxConnectionsByIp.get(ip) ?? maxConnectionsPerIp
    if (ofThisIp >= allowed) {
      this.#warnings.warn(ip, { ip }, `refused a connection from ${ip}: max.connections.per.ip allows ${allowed}`)
      arrival.socket.destroy()
    } else if (this.#waiting.length >= backlog) {
      this.#warnings.warn(
        ip,
        { ip },
        `refused a connection from ${ip}: ${backlog} others are already waiting for their turn`
      )
      arrival.socket.destroy()
    } else {
      this.#connectionsOfIp.set(ip, ofThisIp + 1)
      arrival.socket.once('close', () => this.#forgetIp(ip))
      this.#waiting.push(arrival)
      this.#admitWaiting()
    }
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
    const { clocks, logger } = this.#options
    const connection = new Connection(socket, {
      id: ++this.#lastConnectionId,
      listenerName,
      dispatch,
      maxRequestBytes,
      maxIdleMs,
      clocks,
      logger,
      warnings: this.#warnings,
      heldBytesChanged: deltaBytes => this.#hold(deltaBytes)
    })
    this.#connections.add(connection)
    socket.once('close', () => {
      this.#connections.delete(connection)
      this.#admitWaiting()
    })
  }

  /** Closing the one that holds most hits who floods us, and leaves everyone with ordinary requests alone. */
  #hold(deltaBytes: number): void {
    this.#heldBytes += deltaBytes
    const { maxHeldBytes } = this.#limits
    if (deltaBytes < 0 || this.#heldBytes <= maxHeldBytes) return
    let greediest: Connection | undefined
    for (const connection of this.#connections) {
      if (connection.heldBytes > (greediest?.heldBytes ?? 0)) greediest = connection
    }
    greediest?.refuse(
      `it held ${greediest.heldBytes} bytes when all requests and answers together passed queued.max.request.bytes (${maxHeldBytes})`
    )
  }
}

function closedServer(server: BoundListener['sockets'][number]): Promise<void> {
  return new Promise(resolve => {
    // Not listening any more is an error here; what matters is that its last connection has closed.
    server.close(() => resolve())
  })
}
