import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import vitestSetup, { connect, sharedKafka, useKafka } from '../../../src/testing/adapters/vitest.ts'
import { workerKafka } from '../../../src/testing/adapters/worker-kafka.ts'
// Adapters load the broker on first use. Here it is loaded before the tests, whose time is limited.
import '../../../src/testing/fixture.ts'

it('useKafka and sharedKafka of the CommonJS module say that it must be imported', () => {
  const sentence =
    'minikafka/vitest has not found vitest: import it (vitest does not support require) in a test that vitest runs'
  expect(() => useKafka()).toThrow(sentence)
  expect(() => sharedKafka()).toThrow(sentence)
})

it('sharedKafka without a global setup says how to add it', () => {
  connect({ beforeAll, afterAll, inject: key => inject(key as never) })
  expect(() => sharedKafka()).toThrow("no broker is shared: add globalSetup: 'minikafka/vitest' to the test options")
})

it('a global setup counts the workers of all projects', async () => {
  const provided = new Map<string, unknown>()
  const stop = await vitestSetup({
    config: {},
    vitest: { config: { maxWorkers: 2 }, projects: [{ config: { maxWorkers: 100 } }, { config: {} }] },
    provide: (key, value) => provided.set(key, value)
  })
  const [shared] = provided.values()
  expect(workerKafka(shared as Parameters<typeof workerKafka>[0], 100).namespace).toBe('w100-')
  await stop()
})
