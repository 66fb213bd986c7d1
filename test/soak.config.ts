/** `npm run soak`: the long proofs in full counts, which `npm test` and `.ci/run` go through in few rounds; one at a time. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'cli/kill',
      'interop/kill',
      'interop/transactions-kill',
      'sim/*',
      'fuzz/*',
      'log/partition-log-model',
      'group/classic/random',
      'group/consumer/random'
    ].map(name => `test/${name}.test.ts`),
    globalSetup: 'test/build.ts',
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    env: {
      MINIKAFKA_KILL_ROUNDS: '100',
      MINIKAFKA_FUZZ_ROUNDS: '5000',
      MINIKAFKA_CRASH_ROUNDS: '4',
      MINIKAFKA_MODEL_SEEDS: '300',
      MINIKAFKA_GROUP_SEEDS: '300',
      MINIKAFKA_CONSUMER_GROUP_SEEDS: '300'
    }
  }
})
