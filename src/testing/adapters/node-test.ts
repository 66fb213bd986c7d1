/** minikafka/node-test: a broker for a test file. */
import { after, before } from 'node:test'
import type { MiniKafka } from '../fixture.ts'
import { type SuiteOptions, suiteKafka } from './suite-kafka.ts'

export type { SuiteOptions }

/** Starts a broker before the tests of the file or describe block that calls this, and stops it after them. */
export function useKafka(options: SuiteOptions = {}): MiniKafka {
  return suiteKafka({ beforeAll: before, afterAll: after }, options)
}
