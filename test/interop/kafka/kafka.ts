// A real Apache Kafka, one combined KRaft node from its own jars: the truth that our broker is held against.
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
/** Linux gives outgoing connections ports from 32768 on, other systems from 49152 on. */
const LISTENING_PORTS = { from: 15_000, to: 32_000 }

export interface KafkaOptions {
  /** The release to run; the environment's KAFKA_VERSION, else 4.4.0. */
  readonly version?: string
  /** The level of metadata.version and its kin, as `kafka-storage format --release-version` takes it. */
  readonly releaseVersion?: string
  /** Broker settings that are added to, or replace, the small ones below. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** A folder to format, or to start again from; a fresh temporary one, removed on stop, when absent. */
  readonly dataDir?: string
  /** The port to listen on; a free one when absent. */
  readonly port?: number
  /** Names the voters in the configuration (controller.quorum.voters) instead of where to ask for them. */
  readonly staticVoters?: boolean
}

export interface RunningKafka {
  readonly bootstrapServers: string
  readonly dataDir: string
  /** The lines of its log at WARN and above, with the exceptions that they tell of. */
  readonly warnings: readonly string[]
  /** Ends it as an operator would (SIGTERM) and removes a temporary data folder. */
  stop(): Promise<void>
  /** Ends it as a power switch would (SIGKILL); the data folder stays. */
  kill(): Promise<void>
}

/** Starts Apache Kafka and resolves when it says that it has started, coordinators included. */
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
  // A broker whose folder others take over must not be slow to stop.
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

/** The folder with every jar of that release, fetched by Maven the first time. */
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

/** The classes of a broker as they lie in memory, which halves the time of a start. The first broker that stops writes it. */
function archiveIn(jars: string): string {
  return join(jars, 'classes.jsa')
}

/** Brokers that stop at the same time each put a whole file there. */
async function keepArchive(draft: string, jars: string): Promise<void> {
  const copy = `${archiveIn(jars)}.${process.pid}`
  await copyFile(draft, copy)
  await rename(copy, archiveIn(jars))
}

/** Reads the log to its end, so that the pipe never fills; the last lines are told when the start fails. */
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

/** Signals a process and waits for its end; one that does not heed the signal is killed. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  const alarm = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await exit
  clearTimeout(alarm)
}

/** Two ports that are free, and stay so until a broker has started that listens on them. */
export async function freePorts(): Promise<[number, number]> {
  const first = await freePort()
  let second = await freePort()
  while (second === first) second = await freePort()
  return [first, second]
}

/** A port that no system gives to an outgoing connection, which could take it before the broker does. */
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
