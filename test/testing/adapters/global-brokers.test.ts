import { Kafka, logLevel } from 'kafkajs'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type GlobalBrokers,
  type GlobalSetupOptions,
  startGlobalBrokers,
  stopAll
} from '../../../src/testing/adapters/global-brokers.ts'
import { globalSetup } from '../../../src/testing/adapters/jest.ts'
import { type SharedKafka, workerKafka } from '../../../src/testing/adapters/worker-kafka.ts'
// Adapters load the broker on first use. Here it is loaded before the tests, whose time is limited.
import '../../../src/testing/fixture.ts'

let running: GlobalBrokers | undefined
afterEach(async () => {
  await running?.stop()
  running = undefined
})

/** Starts a global setup for two workers; returns the value that each worker sees, copied as between processes. */
async function workersOf(options: GlobalSetupOptions): Promise<[SharedKafka, SharedKafka]> {
  running = await startGlobalBrokers(options, 2)
  const shared = JSON.parse(JSON.stringify(running.shared))
  return [workerKafka(shared, 1), workerKafka(shared, 2)]
}

function clientOf(worker: SharedKafka): Kafka {
  return new Kafka({ ...worker.clientConfig('kafkajs'), logLevel: logLevel.NOTHING })
}

async function topicsOf(worker: SharedKafka): Promise<string[]> {
  const admin = clientOf(worker).admin()
  await admin.connect()
  const topics = await admin.listTopics()
  await admin.disconnect()
  return topics.sort()
}

it.each([
  [
    { port: 9092 },
    "globalSetup: port 9092 cannot be shared by the brokers of several workers: omit port, or use perWorker 'namespace'"
  ],
  [
    { dataDir: 'data' },
    "globalSetup: dataDir data cannot be shared by the brokers of several workers: use 'temp', or omit dataDir"
  ]
])('a global setup with a broker for each worker refuses %o, which only one broker can have', (options, message) => {
  expect(() => globalSetup({ ...options, perWorker: 'broker' })).toThrow(message)
  expect(globalSetup({ ...options, perWorker: 'namespace' })).toBeTypeOf('function')
})

it('a global setup has no option failOn: the clients of workers have ended before its brokers stop', () => {
  const options: object = { failOn: 'leak' }
  expect(() => globalSetup(options)).toThrow('globalSetup has no option failOn')
})

it('stopAll waits for all brokers and reports every error, that of a failed start first', async () => {
  const ended: string[] = []
  const broker = (name: string, error?: Error) => ({
    async stop() {
      await new Promise(resolve => setImmediate(resolve))
      ended.push(name)
      if (error) throw error
    }
  })
  const [first, second] = [new Error('disk 1 is full'), new Error('disk 2 is full')]
  await expect(stopAll([broker('a', first), broker('b')])).rejects.toBe(first)
  expect(ended).toEqual(['a', 'b'])
  await expect(stopAll([broker('c', first), broker('d', second), broker('e')])).rejects.toMatchObject({
    message: 'disk 1 is full\ndisk 2 is full',
    errors: [first, second]
  })
  expect(ended).toEqual(['a', 'b', 'c', 'd', 'e'])
  const failedStart = new Error('no such topic')
  await expect(stopAll([broker('f')], [failedStart])).rejects.toBe(failedStart)
})

describe('a global setup with a namespace for each worker', () => {
  it('a global setup with namespaces starts one broker, which has the topics under the names of each worker', async () => {
    const [first, second] = await workersOf({ topics: ['orders', { name: 'payments', partitions: 2 }] })
    expect(first.bootstrapServers).toBe(second.bootstrapServers)
    expect(await topicsOf(first)).toEqual(['w1-orders', 'w1-payments', 'w2-orders', 'w2-payments'])
    expect([second.topic('orders'), second.group('g'), second.transactionalId('t')]).toEqual([
      'w2-orders',
      'w2-g',
      'w2-t'
    ])
    expect(second.namespace).toBe('w2-')
  })
})

it('a global setup writes its records for each worker, those of transactions too', async () => {
  const [, second] = await workersOf({
    records: [
      { topic: 'orders', value: 'tea' },
      { transactionalId: 'pay', records: [{ topic: 'orders', value: 'coffee' }] }
    ]
  })
  const consumer = clientOf(second).consumer({ groupId: second.group('kitchen') })
  await consumer.connect()
  await consumer.subscribe({ topic: second.topic('orders'), fromBeginning: true })
  const values = await new Promise<string[]>(resolve => {
    const read: string[] = []
    void consumer.run({
      eachMessage: async ({ message }) => {
        read.push(String(message.value))
        if (read.length === 2) resolve(read)
      }
    })
  })
  await consumer.disconnect()
  expect(values).toEqual(['tea', 'coffee'])
  expect(await topicsOf(second)).toEqual(expect.arrayContaining(['w1-orders', 'w2-orders']))
})

describe('a global setup with a broker for each worker', () => {
  it('a global setup with a broker for each worker leaves all names as they are', async () => {
    const [first, second] = await workersOf({ topics: ['orders'], perWorker: 'broker' })
    expect(first.bootstrapServers).not.toBe(second.bootstrapServers)
    expect(await topicsOf(first)).toEqual(['orders'])
    expect(await topicsOf(second)).toEqual(['orders'])
    expect([second.topic('orders'), second.group('g'), second.transactionalId('t')]).toEqual(['orders', 'g', 't'])
    expect(second.namespace).toBe('')
  })
})

it('a worker beyond those of the setup gets a sentence', async () => {
  running = await startGlobalBrokers({}, 2)
  const { shared } = running
  expect(() => workerKafka(shared, 3)).toThrow(
    'this test runs in worker 3, but globalSetup of minikafka has prepared workers 1 to 2'
  )
  expect(() => workerKafka(shared, Number.NaN)).toThrow('this test runs in worker NaN')
})

it('globalSetup refuses wrong options before anything starts', () => {
  const options = { perWorker: 'topic' } as unknown as GlobalSetupOptions
  expect(() => globalSetup(options)).toThrow('perWorker is "topic", but must be "namespace" or "broker"')
})
