/**
 * `npm run soak`: the long tests with full counts; `npm test` and `.ci/run` run them with few rounds. Tests that start
 * processes run one at a time, then the others on all cores.
 */
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const PROCESSES = ['cli/kill', 'interop/kill', 'interop/transactions-kill', 'interop/groups/restart']
const REHEARSALS = [
  'sim/*',
  'fuzz/*',
  'log/partition-log/partition-log-model',
  'group/classic/random',
  'group/consumer/random'
]
const ENVIRONMENT = {
  MINIKAFKA_OVERWRITE_BUFFERS: '1',
  MINIKAFKA_KILL_ROUNDS: '100',
  MINIKAFKA_RESTART_ROUNDS: '20',
  MINIKAFKA_FUZZ_ROUNDS: '5000',
  MINIKAFKA_CRASH_ROUNDS: '4',
  MINIKAFKA_MODEL_SEEDS: '300',
  MINIKAFKA_GROUP_SEEDS: '300',
  MINIKAFKA_CONSUMER_GROUP_SEEDS: '300'
}

/** Groups run one after the other. */
function group(name: string, groupOrder: number, files: readonly string[], maxWorkers: number) {
  const include = files.map(file => `test/${file}.test.ts`)
  const limits = { testTimeout: 600_000, hookTimeout: 60_000 }
  return { test: { name, include, ...limits, maxWorkers, env: ENVIRONMENT, sequence: { groupOrder } } }
}

export default defineConfig({
  test: {
    globalSetup: 'test/build.ts',
    projects: [group('processes', 0, PROCESSES, 1), group('rehearsals', 1, REHEARSALS, availableParallelism())]
  }
})
