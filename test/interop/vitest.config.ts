// The suites that need programs in other languages or a real Apache Kafka, in parallel on all cores.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The suites that take minutes, the longest first: a long suite that starts last would run alone at the end. */
const LONGEST = [
  'oracle/kafka-newest',
  'oracle/kafka-4.3',
  'groups/java',
  'takeover/takeover',
  'groups/migration',
  'java',
  'takeover/transactions',
  'takeover/groups',
  'transactions',
  'dump-log',
  'consumer-groups',
  'package/runners',
  'groups/confluent',
  'groups/restart',
  'transactions-streams',
  'clients',
  'compression/compression'
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
    exclude: ['**/node_modules/**', '**/target/**', 'package/projects/**'],
    isolate: false,
    // Suites wait about a third of their time: for the end of a session, or the start of a broker.
    maxWorkers: availableParallelism() + 1,
    // Concurrent tests of a suite start processes that keep a core busy each.
    maxConcurrency: availableParallelism(),
    env: { MINIKAFKA_OVERWRITE_BUFFERS: '1' },
    sequence: { sequencer: LongestFirst },
    testTimeout: 180_000,
    hookTimeout: 300_000
  }
})
