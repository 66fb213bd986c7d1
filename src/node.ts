/**
 * A running node: a broker behind its sockets. The command line and the test fixture both start it here, and give it
 * the world: disk, clock, chance, log.
 */
import { Broker } from './broker/broker.ts'
import { listenersOf } from './config/listeners.ts'
import { connectionOverrides } from './config/resolve.ts'
import type { BrokerSettings } from './config/values.ts'
import type { Storage } from './log/storage.ts'
import type { Dispatch } from './net/dispatch.ts'
import { type Endpoint, Server, type ServerLimits } from './net/server.ts'
import type { Clock } from './runtime/clock.ts'
import type { Logger } from './runtime/logger.ts'
import type { Random } from './runtime/random.ts'

/** How long a stop waits for answers to leave; a client that takes none must not hold it up. */
const STOP_GRACE_MS = 1000
/** Addresses that mean every interface: a client on this machine is told localhost. */
const EVERY_INTERFACE = ['', '0.0.0.0', '::']

/** What a node is made from. */
export interface NodeOptions {
  readonly settings: BrokerSettings
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** A node that serves clients. */
export interface RunningNode {
  /** Answers a frame as if it had come through a socket. */
  readonly dispatch: Dispatch
  /** What clients take as bootstrap.servers: host:port of each listener, separated by commas. */
  readonly bootstrapServers: string
  /** Rejects when the broker cannot go on; never resolves. */
  readonly failed: Promise<never>
  /** Answers what is parked, closes connections and files, and leaves nothing behind. May be called again. */
  stop(): Promise<void>
}

/** Binds the listeners, then starts the broker; clients that come in between wait. Throws ListenError, StorageError. */
export async function startNode({ settings, storage, clock, random, logger }: NodeOptions): Promise<RunningNode> {
  const listeners = listenersOf(settings).map(({ name, host, port }) => ({ name, host: host ?? '', port }))
  let current = () => settings
  const server = await Server.bind({ listeners, limits: limitsOf(() => current()), clock, logger })
  try {
    const broker = await Broker.start({ settings, storage, clock, random, logger })
    current = () => broker.settings
    const dispatch: Dispatch = (frame, connection) => broker.dispatch(frame, connection)
    server.serve(dispatch)
    const bootstrapServers = server.endpoints.map(addressOf).join(',')
    let stopped: Promise<void> | undefined
    const stop = async () => {
      server.drain()
      await broker.stop()
      await server.close(STOP_GRACE_MS)
    }
    return {
      dispatch,
      bootstrapServers,
      failed: broker.failed,
      stop: () => {
        stopped ??= stop()
        return stopped
      }
    }
  } catch (error) {
    await server.close()
    throw error
  }
}

/** The limits of the settings in force at each moment. */
function limitsOf(settings: () => BrokerSettings): ServerLimits {
  return {
    maxRequestBytes: settings().get('socket.request.max.bytes'),
    maxHeldBytes: atMost(settings().get('queued.max.request.bytes')),
    maxIdleMs: settings().get('connections.max.idle.ms'),
    backlog: settings().get('socket.listen.backlog.size'),
    get maxConnections() {
      return settings().get('max.connections')
    },
    maxConnectionsOf: ip => connectionOverrides(settings()).get(ip) ?? settings().get('max.connections.per.ip')
  }
}

/** Kafka writes "no limit" as a negative number. */
function atMost(limit: number): number {
  return limit < 0 ? Number.POSITIVE_INFINITY : limit
}

function addressOf({ host, port }: Endpoint): string {
  if (EVERY_INTERFACE.includes(host)) return `localhost:${port}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
