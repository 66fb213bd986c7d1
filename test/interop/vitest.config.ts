// The suites that need other languages' programs or a real Apache Kafka: one file at a time, with patience.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: import.meta.dirname,
    globalSetup: '../build.ts',
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/target/**'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000
  }
})
