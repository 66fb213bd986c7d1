import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/build.ts',
    // Real-client suites that need more than Node live under test/interop and are run by .ci/run.
    exclude: ['test/interop/**', '**/node_modules/**'],
    // One worker a core keeps its modules for all of its files: no test changes the state of a module or of the process.
    isolate: false,
    maxWorkers: availableParallelism(),
    // Read buffers are overwritten when they return to their pool, in the processes that tests start, too.
    env: { MINIKAFKA_OVERWRITE_BUFFERS: '1' },
    testTimeout: 30_000,
    hookTimeout: 30_000
  }
})
