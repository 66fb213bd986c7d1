/** The command `minikafka start`: resolves the settings, starts a node, prints one ready line on stdout, stops on a signal. */
import { readFileSync } from 'node:fs'
import { resolve as absolute } from 'node:path'
import { destination, type LoggerOptions, pino, stdTimeFunctions } from 'pino'
import { resolve } from '../../config/resolve.ts'
import { ConfigError, type Entry, fromEnvironment, fromOptions, fromProperties } from '../../config/sources.ts'
import { type ProgressListener, progressBar } from '../../log/recovery/recovery-progress.ts'
import { type NodeOptions, startNode } from '../../node.ts'
import { codeOf } from '../../runtime/error-code.ts'
import type { Logger } from '../../runtime/logger.ts'
import { systemRandom } from '../../runtime/random.ts'
import { systemClocks } from '../../runtime/time.ts'
import type { SeededBroker } from '../../testing/seeding.ts'
import { firstStopSignal } from '../stop-signals.ts'

/** The options as the command line has parsed them. */
export interface StartOptions {
  readonly port?: number
  readonly host?: string
  readonly dataDir?: string
  readonly inMemory?: boolean
  readonly topic?: readonly string[]
  readonly records?: string
  readonly config?: string
  readonly set?: readonly string[]
  readonly logLevel: LogLevel
  readonly json?: boolean
}

/** Runs a broker until a stop signal. If it cannot start as configured, throws an error for which `isUserError` is true. */
export async function start(options: StartOptions, version: string): Promise<void> {
  const stopSignal = firstStopSignal()
  const { settings, unhonoured } = resolve(fromFile(options), fromEnvironment(process.env), fromCommandLine(options))
  const logger = await openLog(options.logLevel, process.stderr.isTTY && !options.json ? 'readable' : 'json')
  if (unhonoured.length > 0) logger.warn({}, `these settings of Kafka have no effect here: ${unhonoured.join(', ')}`)
  const dataDir = options.inMemory ? null : absolute(settings.logDirectory)
  const progress = process.stderr.isTTY && !options.json ? recoveryBar(process.stderr) : undefined
  const signal = abortedBy(stopSignal)
  const world = { clocks: systemClocks, random: systemRandom, logger }
  const prepare = await preparation(options, { settings, dataDir, ...world, signal })
  const node = await startNode({ settings, dataDir, ...world, progress, signal, prepare }).catch((error: unknown) => {
    if (!signal.aborted) throw error
    return undefined
  })
  if (!node) return logger.info({}, 'stopped before the broker was ready')
  announce(
    { bootstrapServers: node.bootstrapServers, dataDir, pid: process.pid, startupMs: sinceStartMs() },
    options,
    version
  )
  const failed = node.failed.catch((error: unknown) => {
    logger.error({ err: error }, 'the broker has failed: this is a bug in minikafka')
    process.exitCode = 1
  })
  const stoppedBy = await Promise.race([stopSignal, failed])
  if (stoppedBy) logger.info({}, `stopping on ${stoppedBy}`)
  const stopBeganMs = systemClocks.loop.now()
  await node.stop()
  logger.info({}, `stopped in ${systemClocks.loop.now() - stopBeganMs} ms`)
}

/** Returns the function that writes the topics and records of the options. Loads the code for it only if there are any. */
async function preparation(
  options: StartOptions,
  broker: Omit<SeededBroker, 'dispatch'> & { readonly signal: AbortSignal }
): Promise<NodeOptions['prepare']> {
  if (options.topic === undefined && options.records === undefined) return undefined
  const [{ initialData }, { seed }] = await Promise.all([
    import('../initial-data.ts'),
    import('../../testing/seeding.ts')
  ])
  const data = await initialData(options, broker.signal)
  return dispatch => seed({ ...broker, dispatch }, data)
}

interface Readiness {
  readonly bootstrapServers: string
  readonly dataDir: string | null
  readonly pid: number
  readonly startupMs: number
}

function announce(readiness: Readiness, options: StartOptions, version: string): void {
  const { bootstrapServers, dataDir, startupMs } = readiness
  const data = dataDir === null ? 'nothing kept on disk' : `data in ${dataDir}`
  const line = `minikafka ${version} is ready on ${bootstrapServers} (${data}; ${startupMs} ms)`
  process.stdout.write(`${options.json ? JSON.stringify(readiness) : line}\n`)
}

/** A signal that aborts the start, for example a long log recovery, on a stop signal of the process. */
function abortedBy(stopSignal: Promise<NodeJS.Signals>): AbortSignal {
  const controller = new AbortController()
  void stopSignal.then(() => controller.abort())
  return controller.signal
}

function fromFile({ config }: StartOptions): readonly Entry[] {
  if (config === undefined) return []
  try {
    return fromProperties(readFileSync(config, 'utf8'), config)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') throw new ConfigError(`--config ${config}: the file does not exist`)
    throw new ConfigError(`--config ${config}: the file cannot be read (${code || error})`)
  }
}

/** The settings of the command line. `--port`, `--host` and `--data-dir` are short forms of settings. `--set` overrides them. */
function fromCommandLine({ port, host, dataDir, set = [] }: StartOptions): readonly Entry[] {
  const short: Entry[] = []
  if (port !== undefined || host !== undefined) {
    const name = host?.includes(':') ? `[${host}]` : (host ?? 'localhost')
    const value = `PLAINTEXT://${name}:${port ?? 9092}`
    short.push({ source: host === undefined ? '--port' : '--host', name: 'listeners', value })
  }
  if (dataDir !== undefined) short.push({ source: '--data-dir', name: 'log.dirs', value: dataDir })
  return [...short, ...fromOptions(set)]
}

/** Milliseconds since the start of the process, including the loading of modules. */
function sinceStartMs(): number {
  return Math.round(performance.now())
}

// The logger of the command line: pino on stderr, written synchronously, so that the last lines before an exit are not lost.
// On a terminal pino-pretty formats the lines in this process; it is loaded only then.

/** The minimum level of the log lines that are written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const STDERR = 2

/** Opens a logger on stderr. `readable` lines are formatted for a terminal, others are JSON. */
export async function openLog(level: LogLevel, form: 'readable' | 'json'): Promise<Logger> {
  const options: LoggerOptions = { level, base: null, timestamp: stdTimeFunctions.isoTime }
  if (form === 'json') return pino(options, destination({ fd: STDERR, sync: true }))
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ destination: STDERR, sync: true, translateTime: 'SYS:HH:MM:ss.l', singleLine: true }))
}

// The progress of a long log recovery on a terminal: one line, redrawn on each change.

/** The terminal for the progress bar. */
export interface Terminal {
  readonly columns?: number
  write(text: string): unknown
}

const DEFAULT_COLUMNS = 80
/** Clears the line. Other log lines overwrite the bar; the next change draws it again. */
const CLEAR_LINE = '\x1b[2K'

/** Returns a listener that draws the progress, and clears the line after the last partition. */
export function recoveryBar(terminal: Terminal): ProgressListener {
  let drawn = ''
  return progress => {
    const isDone = progress.partitions === progress.partitionsTotal
    const bar = isDone ? '' : progressBar(progress, terminal.columns ?? DEFAULT_COLUMNS)
    if (bar === drawn) return
    terminal.write(`${CLEAR_LINE}${bar}\r`)
    drawn = bar
  }
}
