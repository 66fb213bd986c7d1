// The suites that need other languages' programs or a real Apache Kafka: side by side on all cores, with patience.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The suites that take minutes, the longest first: one that began last would run alone at the end. */
const LONGEST = [
  'oracle/kafka-newest',
  'oracle/kafka-4.3',
  'groups/java',
  'takeover/takeover',
  'java',
  'dump-log',
  'consumer-groups',
  'takeover/groups',
  'takeover/transactions',
  'groups/migration',
  'groups/restart'
].map(name => `/${name}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a) - rank(b))
  }
}

function rank({ moduleId }: TestSpecification): number {
  const index = LONGEST.findIndex(name => moduleId.endsWith(`interop${name}`))
  return index === -1 ? LONGEST.length : index
}

export default defineConfig({
  test: {
    root: import.meta.dirname,
    globalSetup: './setup.ts',
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/target/**'],
    isolate: false,
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
    testTimeout: 180_000,
    hookTimeout: 300_000
  }
})
