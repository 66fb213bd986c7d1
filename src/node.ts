/**
 * A running node: a broker with its listeners and its data directory. The command line and the test fixture start it here. A
 * stop, and a start that fails halfway, close everything in the opposite order of opening.
 */
import { Broker } from './broker/broker.ts'
import { listenersOf } from './config/listeners.ts'
import { Settings } from './config/settings.ts'
import type { BrokerSettings } from './config/values.ts'
import type { EventHistory } from './events/history.ts'
import { NodeEvents } from './events/node-events.ts'
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

/** Longest wait of a stop for responses to be sent. A client that does not read its response must not delay the stop. */
const STOP_GRACE_MS = 1000
/** Longest wait for the FIN of a connection before the connection counts as left open. */
const CONNECTION_END_GRACE_MS = 100
/** Hosts that mean every interface. Bootstrap servers name them as localhost. */
const EVERY_INTERFACE = ['', '0.0.0.0', '::']

/** Options of a node. */
export interface NodeOptions {
  readonly settings: BrokerSettings
  /** Path of the data directory; null stores everything in memory. */
  readonly dataDir: string | null
  readonly clocks: Clocks
  readonly random: Random
  readonly logger: Logger
  /** Keeps the newest events of each subject. */
  readonly history?: EventHistory | undefined
  /** Receives the progress of the recovery of the data directory. Without it, progress is logged every few seconds. */
  readonly progress?: ProgressListener | undefined
  /** Cancels a start in progress. A later start recovers the data directory. */
  readonly signal?: AbortSignal | undefined
  /** True: an idle broker does not keep the process alive. Its sockets are unreferenced. Alarms are always unreferenced. */
  readonly unref?: boolean | undefined
  /** Runs when the broker answers requests in this process, before it serves connections. A rejection fails the start. */
  readonly prepare?: ((dispatch: Dispatch) => Promise<void>) | undefined
}

/** A node that serves clients. */
export interface RunningNode {
  /** Value for `bootstrap.servers` of clients: host:port of each listener, separated by commas. */
  readonly bootstrapServers: string
  /** Names of topics without internal topics. */
  topicNames(): string[]
  /** Connections that clients have not closed. While any is open, this waits a moment for the FIN of connections being closed. */
  openConnections(): Promise<readonly OpenConnection[]>
  /** Serves a frame as if it had arrived through a socket. */
  readonly dispatch: Dispatch
  /** Rejects when the broker fails; never resolves. */
  readonly failed: Promise<never>
  /** Completes delayed requests and closes connections and files. Further calls return the same promise. */
  stop(): Promise<void>
}

/**
 * Locks the data directory, binds the listeners, then starts the broker. Connections that arrive during the start wait. Throws
 * DataDirectoryError, ListenError or StorageError if the data directory or a listener cannot be used, and the reason of `signal`
 * if that cancels the start.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { dataDir, clocks, random, logger, history, progress, signal } = options
  const settings = new Settings(options.settings)
  const events = new NodeEvents({ nodeId: settings.get('node.id'), clocks, logger, sinks: history && [history] })
  const undo: Undo[] = [() => events.flush()]
  const laps = new LapTimes(clocks.loop)
  try {
    const storage =
      dataDir === null ? new MemoryStorage({ now: () => clocks.wall.now() }) : await openDisk(dataDir, random, undo)
    laps.lap('lockMs')
    const listeners = listenersOf(settings.inForce).map(({ name, host, port }) => ({ name, host: host ?? '', port }))
    const { unref = false } = options
    const server = await Server.bind({ listeners, settings, clocks, events, unref })
    undo.push(() => server.close(STOP_GRACE_MS))
    laps.lap('listenersMs')
    const broker = await Broker.start({ settings, storage, clocks, random, events, progress, signal, laps })
    undo.push(() => broker.stop())
    undo.push(() => server.drain())
    await options.prepare?.(broker.dispatch)
    laps.lap('prepareMs')
    server.serve(broker.dispatch)
    events.emit({ type: 'BrokerStarted', tookMs: laps.all })
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
      events.emit({ type: 'StartCleanupFailed', error: another })
    })
    throw error
  }
}

type Undo = () => void | Promise<void>

/** Runs all steps, last first. After an error the other steps still run; the first error is thrown at the end. */
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
