// Which brokers the client programs are pointed at: ours as users start it, and the real Kafka, which keeps the programs
// honest. INTEROP_BROKERS=kafka (or minikafka) picks one of them.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startKafka } from './kafka/kafka.ts'

export interface RunningBroker {
  readonly bootstrapServers: string
  stop(): Promise<void>
}

export interface BrokerUnderTest {
  readonly name: string
  /** `config` adds to, or replaces, the broker's own settings. */
  start(config?: BrokerConfig): Promise<RunningBroker>
}

export type BrokerConfig = Readonly<Record<string, string | number>>

const EXECUTABLE = join(import.meta.dirname, '../../bin/minikafka.js')
const KNOWN: readonly BrokerUnderTest[] = [
  { name: 'minikafka', start: (config = {}) => startMinikafka(settings(config)) },
  { name: 'kafka', start: (config = {}) => startKafka({ config }) }
]

/** The brokers that this run tests. */
export const brokers = KNOWN.filter(({ name }) =>
  (process.env.INTEROP_BROKERS ?? 'minikafka,kafka').split(',').includes(name)
)

/** Ours as the command line starts it, on a free port and a temporary folder unless `args` say otherwise. */
export async function startMinikafka(args: readonly string[] = []): Promise<RunningBroker> {
  const dataDir = await mkdtemp(join(tmpdir(), 'minikafka-'))
  const command = [EXECUTABLE, 'start', '--port', '0', '--json', '--log-level', 'warn', '--data-dir', dataDir, ...args]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  const bootstrapServers = await ready(child)
  const stop = async (): Promise<void> => {
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = await exit
    await rm(dataDir, { recursive: true, force: true })
    if (code !== 0) throw new Error(`the broker ended with ${code}`)
  }
  return { bootstrapServers, stop }
}

function settings(config: BrokerConfig): string[] {
  return Object.entries(config).flatMap(([name, value]) => ['--set', `${name}=${value}`])
}

/** The one line on stdout that says where it listens. */
async function ready(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('stdout must be a pipe')
  for await (const line of createInterface(child.stdout)) {
    const { bootstrapServers } = JSON.parse(line) as { bootstrapServers: string }
    return bootstrapServers
  }
  throw new Error('the broker ended before it was ready')
}
