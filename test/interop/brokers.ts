// The brokers that client programs run against: minikafka as users start it, and a real Kafka, which proves that a
// program's expectations are right. INTEROP_BROKERS=kafka (or minikafka) picks one of them.
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
  /** `config` adds to the broker's default settings, or replaces them. */
  start(config?: BrokerConfig): Promise<RunningBroker>
  /**
   * A broker with SHARED_CONFIG, for suites whose topics, groups and transactional ids have unique names. All suites
   * get the same Kafka; `stop` does not stop it.
   */
  share(): Promise<RunningBroker>
}

export type BrokerConfig = Readonly<Record<string, string | number>>

/** A real Kafka. */
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

/** The brokers of this run. */
export const brokers = KNOWN.filter(({ name }) =>
  (process.env.INTEROP_BROKERS ?? 'minikafka,kafka').split(',').includes(name)
)

/** The broker that is compared with a real Kafka: minikafka, unless this run tests Kafka alone. */
export const subject = first(brokers)

function first([broker]: readonly BrokerUnderTest[]): BrokerUnderTest {
  if (broker === undefined) throw new Error('INTEROP_BROKERS names no broker')
  return broker
}

/** minikafka in a process of its own. */
export interface RunningMinikafka extends RunningBroker {
  /** Its warnings, as JSON objects, one a line. */
  readonly warnings: readonly string[]
  /** Kills the process (SIGKILL). A data directory that was given as an argument remains. */
  kill(): Promise<void>
}

/**
 * Starts minikafka by its command line, on a free port and a temporary directory unless `args` name others. `program`
 * selects another Node or another copy of the package.
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
