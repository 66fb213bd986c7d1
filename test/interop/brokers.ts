// Which brokers the client programs are pointed at: ours as users start it, and the real Kafka, which keeps the programs
// honest. INTEROP_BROKERS=kafka (or minikafka) picks one of them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type Program, Run } from '../cli/minikafka.ts'
import { coordinating } from './kafka/coordinators.ts'
import { startKafka } from './kafka/kafka.ts'
import { SHARED_CONFIG } from './setup.ts'

export interface RunningBroker {
  readonly bootstrapServers: string
  stop(): Promise<void>
}

export interface BrokerUnderTest {
  readonly name: string
  /** `config` adds to, or replaces, the broker's own settings. */
  start(config?: BrokerConfig): Promise<RunningBroker>
  /**
   * A broker with SHARED_CONFIG for suites whose topics, groups and transactional ids have names of their own: all of them
   * get the same Kafka. `stop` leaves that one running.
   */
  share(): Promise<RunningBroker>
}

export type BrokerConfig = Readonly<Record<string, string | number>>

/** The real Kafka. */
export const reference: BrokerUnderTest = {
  name: 'kafka',
  start: async (config = {}) => coordinating(await startKafka({ config })),
  share: sharedKafka
}

const KNOWN: readonly BrokerUnderTest[] = [
  {
    name: 'minikafka',
    start: (config = {}) => startMinikafka(settings(config)),
    share: () => startMinikafka(settings(SHARED_CONFIG))
  },
  reference
]

async function sharedKafka(): Promise<RunningBroker> {
  const answer = await fetch(inject('sharedKafka'))
  const bootstrapServers = await answer.text()
  if (!answer.ok) throw new Error(`the shared Kafka: ${bootstrapServers}`)
  return { bootstrapServers, stop: async () => {} }
}

/** The brokers that this run tests. */
export const brokers = KNOWN.filter(({ name }) =>
  (process.env.INTEROP_BROKERS ?? 'minikafka,kafka').split(',').includes(name)
)

/** The broker that a real Kafka is held against: ours, unless this run tests Kafka alone. */
export const subject = first(brokers)

function first([broker]: readonly BrokerUnderTest[]): BrokerUnderTest {
  if (broker === undefined) throw new Error('INTEROP_BROKERS names no broker')
  return broker
}

/** Ours as a process. */
export interface RunningMinikafka extends RunningBroker {
  /** What it has warned of, a JSON object a line. */
  readonly warnings: readonly string[]
  /** Ends it as a power switch would (SIGKILL); a folder that was given stays. */
  kill(): Promise<void>
}

/**
 * Ours as the command line starts it, on a free port and a temporary folder unless `args` say otherwise. `program` runs another
 * Node, and a copy of the package.
 */
export async function startMinikafka(args: readonly string[] = [], program: Program = {}): Promise<RunningMinikafka> {
  const dataDir = await mkdtemp(join(tmpdir(), 'minikafka-'))
  const all = ['start', '--port', '0', '--json', '--log-level', 'warn', '--data-dir', dataDir, ...args]
  const run = new Run(all, {}, program)
  const { bootstrapServers } = await run.ready()
  const end = async (signal: NodeJS.Signals): Promise<unknown> => {
    const code = await run.stop(signal)
    await rm(dataDir, { recursive: true, force: true })
    return code
  }
  return {
    bootstrapServers,
    get warnings() {
      return run.stderr.split('\n').slice(0, -1)
    },
    async stop() {
      const code = await end('SIGTERM')
      if (code !== 0) throw new Error(`the broker ended with ${code}: ${run.stderr}`)
    },
    async kill() {
      await end('SIGKILL')
    }
  }
}

function settings(config: BrokerConfig): string[] {
  return Object.entries(config).flatMap(([name, value]) => ['--set', `${name}=${value}`])
}
