/** minikafka/vitest: a broker for a test file, or one for all workers of a run. */
import { availableParallelism } from 'node:os'
import type { MiniKafka } from '../fixture.ts'
import { type GlobalSetupOptions, startGlobalBrokers, verifyGlobalSetup } from './global-brokers.ts'
import { type SuiteHooks, type SuiteOptions, suiteKafka } from './suite-kafka.ts'
import { type SharedBrokers, type SharedKafka, workerKafka } from './worker-kafka.ts'

export type { GlobalSetupOptions, SharedKafka, SuiteOptions }

/** The part of vitest's `TestProject` that the setup uses. */
export interface VitestProject {
  readonly config: VitestConfig
  readonly vitest: { readonly config: VitestConfig; readonly projects: readonly { readonly config: VitestConfig }[] }
  provide(key: string, value: unknown): void
}

interface VitestConfig {
  readonly maxWorkers?: number | string | undefined
}

/** The part of the module `vitest` that tests use. */
interface Vitest extends SuiteHooks {
  inject(key: string): unknown
}

const KEY = 'minikafka'

let vitest: Vitest | undefined

/**
 * @internal Receives vitest from the ES module of this entry point, because CommonJS cannot load vitest. `runner` is undefined in
 * the main process of vitest 3, which cannot import vitest.
 */
export function connect(runner: Vitest | undefined): void {
  vitest = runner
}

/** Starts a broker before the tests of the file or describe block that calls this, and stops it after them. */
export function useKafka(options: SuiteOptions = {}): MiniKafka {
  return suiteKafka(connected(), options)
}

/** The broker of `globalSetup`. */
export function sharedKafka(): SharedKafka {
  const shared = connected().inject(KEY) as SharedBrokers | undefined
  if (shared === undefined) {
    throw new Error(
      "no broker is shared: add globalSetup: 'minikafka/vitest' to the test options in the configuration of vitest"
    )
  }
  return workerKafka(shared, Number(process.env.VITEST_POOL_ID))
}

/** A global setup: starts a broker in the main process, and stops it when vitest ends. */
export function globalSetup(
  options: GlobalSetupOptions = {}
): (project: VitestProject) => Promise<() => Promise<void>> {
  const copy = verifyGlobalSetup(options)
  return async project => {
    const { shared, stop } = await startGlobalBrokers(copy, mostWorkers(project))
    project.provide(KEY, shared)
    return stop
  }
}

export default globalSetup()

function connected(): Vitest {
  if (vitest === undefined)
    throw new Error(
      'minikafka/vitest has not found vitest: import it (vitest does not support require) in a test that vitest runs'
    )
  return vitest
}

/** The highest number of a worker. By default vitest uses fewer workers than cores. */
function mostWorkers({ config, vitest: { config: root, projects } }: VitestProject): number {
  const configured = [config, root, ...projects.map(project => project.config)].map(({ maxWorkers }) =>
    Number(maxWorkers)
  )
  return Math.max(availableParallelism(), ...configured.filter(Number.isInteger))
}
