import { type Admin, Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, it, vi } from 'vitest'
import jestSetup, { globalSetup, globalTeardown, sharedKafka } from '../../../src/testing/adapters/jest.ts'
// Adapters load the broker on first use. Here it is loaded before the tests, whose time is limited.
import '../../../src/testing/fixture.ts'

afterEach(async () => {
  await globalTeardown()
  vi.unstubAllEnvs()
})

it('sharedKafka finds the broker of the setup in the environment of a worker', async () => {
  vi.stubEnv('JEST_WORKER_ID', '2')
  await globalSetup({ topics: ['orders'] })({ maxWorkers: 2 })
  expect(sharedKafka()).toMatchObject({ namespace: 'w2-', bootstrapServers: expect.stringMatching(/^localhost:\d+$/) })
  await globalTeardown()
  expect(() => sharedKafka()).toThrow(
    "no broker is shared: add globalSetup: 'minikafka/jest' to the configuration of Jest"
  )
})

async function asAdmin<T>(act: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ ...sharedKafka().clientConfig('kafkajs'), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const result = await act(admin)
  await admin.disconnect()
  return result
}

it('a setup that runs again, as in watch mode, starts a new broker', async () => {
  vi.stubEnv('JEST_WORKER_ID', '1')
  const setup = globalSetup({ topics: ['orders'] })
  await setup({ maxWorkers: 1 })
  await asAdmin(admin => admin.createTopics({ topics: [{ topic: 'of-the-first-run' }] }))
  await setup({ maxWorkers: 1 })
  expect(await asAdmin(admin => admin.listTopics())).toEqual(['w1-orders'])
})

it('a second setup in one run is refused', async () => {
  await jestSetup({ maxWorkers: 1 })
  await expect(globalSetup()({ maxWorkers: 1 })).rejects.toThrow(
    'the global setup of minikafka runs twice in one run of Jest: use the same file in all projects'
  )
})
