/**
 * A running node: a broker behind its sockets and on its disk. The command line and the test fixture both start it
 * here. What is opened is closed in the opposite order, after a stop as after a start that failed half-way.
 */
import { Broker } from './broker/broker.ts'
import { listenersOf } from './config/listeners.ts'
import { Settings } from './config/settings.ts'
import type { BrokerSettings } from './config/values.ts'
import type { ProgressListener } from './log/recovery/recovery-progress.ts'
import type { Dispatch, OpenConnection } from './net/dispatch.ts'
import { type Endpoint, Server } from './net/server.ts'
import { LapTimes } from './runtime/lap-times.ts'
import type { Logger } from './runtime/logger.ts'
import type { Random } from './runtime/random.ts'
import type { Clocks } from './runtime/time.ts'
import { lockDirectory } from './storage/directory-lock.ts'
import { MemoryStorage } from './storage/memory-storage.ts'
import { NodeStorage } from './storage/node-storage.ts'

/** How long a stop waits for answers to leave; a client that takes none must not hold it up. */
const STOP_GRACE_MS = 1000
/** How long the end of a connection may take to arrive before the connection counts as left open. */
const CONNECTION_END_GRACE_MS = 100
/** Hosts that mean every interface: a client on this machine is told localhost. */
const EVERY_INTERFACE = ['', '0.0.0.0', '::']

/** What a node is made from. */
export interface NodeOptions {
  readonly settings: BrokerSettings
  /** Where topics are kept; null keeps them in memory. */
  readonly dataDir: string | null
  readonly clocks: Clocks
  readonly random: Random
  readonly logger: Logger
  /** Hears how far a recovery of the data directory has come; unless given, that is logged every few seconds. */
  readonly progress?: ProgressListener | undefined
  /** Calls a start off that is still under way. The data directory is left to be recovered another time. */
  readonly signal?: AbortSignal | undefined
  /** True: an idle broker does not keep the process alive. Its sockets are unreferenced; alarms always are. */
  readonly unref?: boolean | undefined
  /** Runs when the broker answers requests in this process and clients still wait. When it rejects, the start fails. */
  readonly prepare?: ((dispatch: Dispatch) => Promise<void>) | undefined
}

/** A node that serves clients. */
export interface RunningNode {
  /** What clients take as bootstrap.servers: host:port of each listener, separated by commas. */
  readonly bootstrapServers: string
  /** Topics of users, for people: internal topics are left out. */
  topicNames(): string[]
  /** Connections that clients leave open. Ends that are on their way arrive first: this takes a moment where any is open. */
  openConnections(): Promise<readonly OpenConnection[]>
  /** Answers a frame as if it had come through a socket. */
  readonly dispatch: Dispatch
  /** Rejects when the broker cannot go on; never resolves. */
  readonly failed: Promise<never>
  /** Answers what is delayed, closes connections and files, and leaves nothing behind. May be called again. */
  stop(): Promise<void>
}

/**
 * Takes the data directory, binds the listeners, then starts the broker; clients that come meanwhile wait.
 * Throws DataDirectoryError, ListenError or StorageError where the user's choice cannot be had, and what `signal` says
 * when it was called off.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { dataDir, clocks, random, logger, progress, signal } = options
  const settings = new Settings(options.settings)
  const undo: Undo[] = []
  const laps = new LapTimes(clocks.loop)
  try {
    const storage =
      dataDir === null ? new MemoryStorage({ now: () => clocks.wall.now() }) : await openDisk(dataDir, random, undo)
    laps.lap('lockMs')
    const listeners = listenersOf(settings.inForce).map(({ name, host, port }) => ({ name, host: host ?? '', port }))
    const { unref = false } = options
    const server = await Server.bind({ listeners, settings, clocks, logger, unref })
    undo.push(() => server.close(STOP_GRACE_MS))
    laps.lap('listenersMs')
    const broker = await Broker.start({ settings, storage, clocks, random, logger, progress, signal, laps })
    undo.push(() => broker.stop())
    undo.push(() => server.drain())
    await options.prepare?.(broker.dispatch)
    laps.lap('prepareMs')
    server.serve(broker.dispatch)
    logger.info(laps.all, 'the broker is ready: what the parts of its start took')
    let stopped: Promise<void> | undefined
    return {
      bootstrapServers: server.endpoints.map(addressOf).join(','),
      topicNames: () => broker.topicNames(),
      openConnections: () => server.openConnections(CONNECTION_END_GRACE_MS),
      dispatch: broker.dispatch,
      failed: broker.failed,
      stop: () => {
        stopped ??= unwind(undo)
        return stopped
      }
    }
  } catch (error) {
    await unwind(undo).catch((another: unknown) => {
      logger.error({ err: another }, 'what a failed start had opened could not all be closed')
    })
    throw error
  }
}

type Undo = () => void | Promise<void>

/** Runs all steps, last first. After an error the others still run; the first error is thrown at the end. */
async function unwind(undo: Undo[]): Promise<void> {
  const errors: unknown[] = []
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
    try {
      await step()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

async function openDisk(dataDir: string, random: Random, undo: Undo[]): Promise<NodeStorage> {
  const lock = await lockDirectory(dataDir, random)
  undo.push(() => lock.release())
  const storage = new NodeStorage(dataDir)
  undo.push(() => storage.close())
  return storage
}

function addressOf({ host, port }: Endpoint): string {
  if (EVERY_INTERFACE.includes(host)) return `localhost:${port}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
