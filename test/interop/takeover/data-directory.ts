// A data directory for each test, and the broker that serves it. Both are removed after the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { type BrokerRun, type RunningBroker, start } from './broker-run.ts'

const KAFKA = 'Kafka 4.3.1'
const OURS = 'minikafka'

/** The brokers in their order, and how each ends. */
export const SUCCESSIONS: readonly {
  readonly brokers: readonly BrokerRun['broker'][]
  readonly ends: BrokerRun['ends']
}[] = [
  { brokers: [OURS, KAFKA, OURS], ends: 'stopped' },
  { brokers: [OURS, KAFKA, OURS], ends: 'killed' },
  { brokers: [KAFKA, OURS, KAFKA], ends: 'stopped' },
  { brokers: [KAFKA, OURS, KAFKA], ends: 'killed' }
]

class DataDirectory {
  folder = ''
  served: RunningBroker | undefined

  async begin(run: BrokerRun, port: number): Promise<RunningBroker> {
    this.served = await start(run, this.folder, port)
    return this.served
  }

  async end({ ends }: Pick<BrokerRun, 'ends'>): Promise<void> {
    await (ends === 'stopped' ? this.served?.stop() : this.served?.kill())
  }

  get dataDir(): string {
    return join(this.folder, 'data')
  }

  /** Prints the warnings of the broker after a failed test. */
  printWarnings(): void {
    console.error(this.served?.warnings.join('\n'))
  }
}

/** Creates a directory for each test of the file. */
export function dataDirectoryOfEachTest(): DataDirectory {
  const directory = new DataDirectory()
  beforeEach(async () => {
    directory.folder = await mkdtemp(join(tmpdir(), 'takeover-'))
  })
  afterEach(async () => {
    await directory.served?.kill()
    await rm(directory.folder, { recursive: true })
  })
  return directory
}
