// A real Apache Kafka, a combined KRaft node from its jars: the reference for our broker.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { SHORT_LIVED } from '../java/console.ts'
import { made } from '../made.ts'

const run = promisify(execFile)
const STARTED = 'Kafka Server started'
const START_LIMIT_MS = 240_000
const STOP_LIMIT_MS = 240_000
/** Ephemeral ports begin at 32768 on Linux and at 49152 on other systems. */
const LISTENING_PORTS = { from: 15_000, to: 32_000 }

export interface KafkaOptions {
  /** The release to run: by default that of KAFKA_VERSION, else 4.4.0. */
  readonly version?: string
  /** The levels of metadata.version and other features, as for `kafka-storage format --release-version`. */
  readonly releaseVersion?: string
  /** Broker settings that add to the small ones below, or replace them. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** An existing or a new data directory; by default a temporary one that is removed on stop. */
  readonly dataDir?: string
  /** The port to listen on; a free one by default. */
  readonly port?: number
  /** Configures controller.quorum.voters instead of controller.quorum.bootstrap.servers. */
  readonly staticVoters?: boolean
}

export interface RunningKafka {
  readonly bootstrapServers: string
  readonly dataDir: string
  /** The log lines at WARN and above, with their exceptions. */
  readonly warnings: readonly string[]
  /** Stops the broker (SIGTERM) and removes a temporary data directory. */
  stop(): Promise<void>
  /** Kills the broker (SIGKILL); the data directory stays. */
  kill(): Promise<void>
}

/** Starts Apache Kafka; resolves at the log line that it has started, coordinators included. */
export async function startKafka(options: KafkaOptions = {}): Promise<RunningKafka> {
  const version = options.version ?? process.env.KAFKA_VERSION ?? '4.4.0'
  const jars = await kafkaJars(version)
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'kafka-')))
  const [freePort, controllerPort] = await freePorts()
  const port = options.port ?? freePort
  const properties = join(dataDir, 'server.properties')
  if (!existsSync(dataDir)) throw new Error(`no such data folder: ${dataDir}`)
  await writeFile(
    properties,
    propertiesText({ ...brokerConfig(options, dataDir, port, controllerPort), ...options.config })
  )
  if (!existsSync(join(dataDir, 'data', 'meta.properties'))) {
    await format(jars, properties, options.releaseVersion ?? '4.0')
  }
  // Writing the archive slows the stop down, so it is not done for a broker whose data directory another broker opens
  // next.
  const draft = options.dataDir === undefined && !existsSync(archiveIn(jars)) ? join(dataDir, 'classes.jsa') : undefined
  const archiving = draft === undefined ? [] : [`-XX:ArchiveClassesAtExit=${draft}`]
  const args = [...jvm(jars), ...archiving, 'kafka.Kafka', properties]
  const child = spawn('java', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const warnings: string[] = []
  await started(child, warnings)
  const stop = async (): Promise<void> => {
    await end(child, 'SIGTERM')
    if (draft !== undefined && existsSync(draft)) await keepArchive(draft, jars)
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
  }
  return { bootstrapServers: `localhost:${port}`, dataDir, warnings, stop, kill: () => end(child, 'SIGKILL') }
}

/** The folder with all jars of the release; fetched by Maven on first use. */
export function kafkaJars(version: string): Promise<string> {
  const command = ['mvn', '-q', '-B', 'dependency:copy-dependencies', `-Dkafka.version=${version}`]
  return made(import.meta.dirname, `target/kafka-${version}`, [command])
}

function brokerConfig(
  { staticVoters }: KafkaOptions,
  dataDir: string,
  port: number,
  controllerPort: number
): Record<string, string | number | boolean> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: `PLAINTEXT://localhost:${port},CONTROLLER://localhost:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://localhost:${port}`,
    'controller.listener.names': 'CONTROLLER',
    ...(staticVoters
      ? { 'controller.quorum.voters': `1@localhost:${controllerPort}` }
      : { 'controller.quorum.bootstrap.servers': `localhost:${controllerPort}` }),
    'log.dirs': join(dataDir, 'data'),
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0
  }
}

function propertiesText(config: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(config)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

async function format(jars: string, properties: string, releaseVersion: string): Promise<void> {
  const clusterId = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const args = ['format', '--standalone', '-t', clusterId, '-c', properties, '--release-version', releaseVersion]
  await run('java', [...jvm(jars), 'kafka.tools.StorageTool', ...args])
}

function jvm(jars: string): string[] {
  const log = '-Dorg.slf4j.simpleLogger'
  const archive = archiveIn(jars)
  return [
    ...['-Xmx768m', ...SHORT_LIVED],
    ...[`${log}.defaultLogLevel=warn`, `${log}.log.kafka.server.KafkaRaftServer=info`],
    ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []),
    ...['-cp', join(jars, '*')]
  ]
}

/** The class data sharing archive of a broker, which halves its start time. Written by the first broker that stops. */
function archiveIn(jars: string): string {
  return join(jars, 'classes.jsa')
}

/** Brokers that stop at the same time each move a whole file into place. */
async function keepArchive(draft: string, jars: string): Promise<void> {
  const copy = `${archiveIn(jars)}.${process.pid}`
  await copyFile(draft, copy)
  await rename(copy, archiveIn(jars))
}

/** Reads the whole log, so that the pipe never fills. If the start fails, the error contains the last lines. */
function started(child: ChildProcess, warnings: string[]): Promise<void> {
  const { stderr } = child
  if (stderr === null) throw new Error('stderr of Kafka must be a pipe')
  const tail: string[] = []
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`Kafka ${why}\n${tail.join('\n')}`))
    const alarm = setTimeout(() => {
      child.kill('SIGKILL')
      fail(`was not ready within ${START_LIMIT_MS} ms`)
    }, START_LIMIT_MS)
    createInterface(stderr).on('line', line => {
      if (/ (WARN|ERROR) /.test(line)) warnings.push(line)
      else if (/^[\w.$]+(Exception|Error): /.test(line)) warnings.push(`${warnings.pop() ?? ''}\n${line}`)
      tail.push(line)
      if (tail.length > 40) tail.shift()
      if (!line.includes(STARTED)) return
      clearTimeout(alarm)
      resolve()
    })
    child.once('exit', code => {
      clearTimeout(alarm)
      fail(`exited with ${code} before it was ready`)
    })
  })
}

/** Signals a process and waits for its exit. A process that does not exit in time is killed. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  const alarm = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await exit
  clearTimeout(alarm)
}

/** Two ports that stay free until a broker listens on them. */
export async function freePorts(): Promise<[number, number]> {
  const first = await freePort()
  let second = await freePort()
  while (second === first) second = await freePort()
  return [first, second]
}

/**
 * A free port that is not an ephemeral port: an outgoing connection could take such a port before the broker binds it.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LISTENING_PORTS.from, LISTENING_PORTS.to)
    const server = createServer()
    const isFree = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false))
      server.listen(port, 'localhost', () => resolve(true))
    })
    if (!isFree) continue
    await once(server.close(), 'close')
    return port
  }
}
