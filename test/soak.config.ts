/** `npm run soak`: the long proofs in full counts, which `npm test` runs in few rounds. */
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../vitest.config.ts'

export default mergeConfig(
  base,
  defineConfig({
    test: { env: { MINIKAFKA_KILL_ROUNDS: '100', MINIKAFKA_FUZZ_ROUNDS: '5000', MINIKAFKA_CRASH_ROUNDS: '20' } }
  })
)
