/** `minikafka start`: from options to settings, a node, one ready line on stdout, and a clean end on a signal. */
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

/** Runs a broker until a signal stops it. Throws what `isUserError` knows when it cannot be started as asked. */
export async function start(options: StartOptions, version: string): Promise<void> {
  const stopSignal = firstStopSignal()
  const { settings, unhonoured } = resolve(fromFile(options), fromEnvironment(process.env), fromCommandLine(options))
  const logger = await openLog(options.logLevel, process.stderr.isTTY && !options.json ? 'readable' : 'json')
  if (unhonoured.length > 0) logger.warn({}, `these settings of Kafka have no effect here: ${unhonoured.join(', ')}`)
  const dataDir = options.inMemory ? null : absolute(settings.logDirectory)
  const progress = process.stderr.isTTY && !options.json ? recoveryBar(process.stderr) : undefined
  const signal = abortedBy(stopSignal)
  const world = { clocks: systemClocks, random: systemRandom, logger }
  const prepare = await preparation(options, { settings, ...world, signal })
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
  try {
    logger.info({}, `stopping on ${await Promise.race([stopSignal, node.failed])}`)
  } catch (error) {
    logger.error({ err: error }, 'the broker has failed: this is a bug in minikafka')
    process.exitCode = 1
  }
  const stopBeganMs = systemClocks.loop.now()
  await node.stop()
  logger.info({}, `stopped in ${systemClocks.loop.now() - stopBeganMs} ms`)
}

/** Writes the topics and records of the options. What that takes is loaded only where there are some. */
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

/** A recovery may take long: a signal to stop ends it. */
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
    if (code === 'ENOENT') throw new ConfigError(`--config ${config}: there is no such file`)
    throw new ConfigError(`--config ${config}: the file cannot be read (${code || error})`)
  }
}

/** The short options are other words for settings, and weaker than a `--set` of the same. */
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

/** Time since this process began, loading included. */
function sinceStartMs(): number {
  return Math.round(performance.now())
}

// Log lines of the command line: pino on stderr, written synchronously so that the last lines of a dying process appear. On a terminal a
// printer in this process formats them; it is loaded only there.

/** How much is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const STDERR = 2

/** A logger on stderr; `readable` lines are for people, others are JSON. */
export async function openLog(level: LogLevel, form: 'readable' | 'json'): Promise<Logger> {
  const options: LoggerOptions = { level, base: null, timestamp: stdTimeFunctions.isoTime }
  if (form === 'json') return pino(options, destination({ fd: STDERR, sync: true }))
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ destination: STDERR, sync: true, translateTime: 'SYS:HH:MM:ss.l', singleLine: true }))
}

// Progress of a long recovery on a terminal: one line, redrawn on each change.

/** A terminal to draw on. */
export interface Terminal {
  readonly columns?: number
  write(text: string): unknown
}

const DEFAULT_COLUMNS = 80
/** Clears the line. Other log lines overwrite the bar, which is drawn again at the next change. */
const CLEAR_LINE = '\x1b[2K'

/** A listener that draws, and leaves an empty line when all is done. */
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
