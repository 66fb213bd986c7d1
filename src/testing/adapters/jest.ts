/** minikafka/jest: a broker for a test file, or one for all workers of a run. */
import type { MiniKafka } from '../fixture.ts'
import { type GlobalBrokers, type GlobalSetupOptions, startGlobalBrokers, verifyGlobalSetup } from './global-brokers.ts'
import { type SuiteHooks, type SuiteOptions, suiteKafka } from './suite-kafka.ts'
import { type SharedBrokers, type SharedKafka, workerKafka } from './worker-kafka.ts'

export type { GlobalSetupOptions, SharedKafka, SuiteOptions }

/** The part of Jest's global configuration that the setup uses. */
export interface JestConfig {
  readonly maxWorkers: number
}

/** Workers inherit the environment of the main process. */
const VARIABLE = 'MINIKAFKA_SHARED_BROKERS'

/** The setup that has started brokers, and its brokers. */
let running: { readonly setup: object; readonly brokers: GlobalBrokers } | undefined

/** Starts a broker before the tests of the file or describe block that calls this, and stops it after them. */
export function useKafka(options: SuiteOptions = {}): MiniKafka {
  const { beforeAll, afterAll } = globalThis as Partial<SuiteHooks>
  if (beforeAll === undefined || afterAll === undefined) {
    throw new Error(
      'useKafka finds no beforeAll and afterAll: call it in a test file of Jest, without injectGlobals: false'
    )
  }
  return suiteKafka({ beforeAll, afterAll }, options)
}

/** The broker of `globalSetup`. */
export function sharedKafka(): SharedKafka {
  const { [VARIABLE]: shared, JEST_WORKER_ID } = process.env
  if (shared === undefined) {
    throw new Error("no broker is shared: add globalSetup: 'minikafka/jest' to the configuration of Jest")
  }
  return workerKafka(JSON.parse(shared) as SharedBrokers, Number(JEST_WORKER_ID))
}

/**
 * A global setup: starts a broker in the main process. The broker ends with the process or by `globalTeardown`. All projects of
 * a run of Jest must use the same setup.
 */
export function globalSetup(options: GlobalSetupOptions = {}): (config: JestConfig) => Promise<void> {
  const copy = verifyGlobalSetup(options)
  return async function setup({ maxWorkers }) {
    if (running !== undefined && running.setup !== setup) {
      throw new Error('the global setup of minikafka runs twice in one run of Jest: use the same file in all projects')
    }
    // In watch mode Jest calls the setup again for each run.
    await globalTeardown()
    const brokers = await startGlobalBrokers(copy, maxWorkers)
    running = { setup, brokers }
    process.env[VARIABLE] = JSON.stringify(brokers.shared)
  }
}

/** Stops the brokers of `globalSetup`. */
export async function globalTeardown(): Promise<void> {
  const brokers = running?.brokers
  running = undefined
  delete process.env[VARIABLE]
  await brokers?.stop()
}

export default globalSetup()
