/** The fixture as a user's test has it: real sockets, a real client. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, it } from 'vitest'
import { MiniKafka, type MiniKafkaOptions } from '../../src/index.ts'
import { Client } from '../net/client.ts'

const running: MiniKafka[] = []
afterEach(async () => {
  for (const kafka of running.splice(0)) await kafka.stop()
})

async function start(options?: MiniKafkaOptions): Promise<MiniKafka> {
  const kafka = await MiniKafka.start(options)
  running.push(kafka)
  return kafka
}

const client = (kafka: MiniKafka) => new Kafka({ brokers: [kafka.bootstrapServers], logLevel: logLevel.NOTHING })

/** Name and number of partitions of each topic. */
async function topicsOf(kafka: MiniKafka): Promise<Record<string, number>> {
  const admin = client(kafka).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata()
  await admin.disconnect()
  return Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length]))
}

it('has its topics when it has started', async () => {
  const kafka = await start({
    topics: ['orders', { name: 'payments', partitions: 3, config: { 'cleanup.policy': 'compact' } }],
    config: { 'num.partitions': 2 }
  })
  expect(kafka.bootstrapServers).toMatch(/^127\.0\.0\.1:\d+$/)
  expect(await topicsOf(kafka)).toEqual({ orders: 2, payments: 3 })
})

it('runs several times at once, each for itself', async () => {
  const [first, second] = await Promise.all([start({ topics: ['a'] }), start({ topics: ['b'] })])
  expect(first.bootstrapServers).not.toBe(second.bootstrapServers)
  expect(await topicsOf(first)).toEqual({ a: 1 })
  await first.stop()
  expect(await topicsOf(second)).toEqual({ b: 1 })
})

it('does not look at the environment', async () => {
  process.env.KAFKA_NUM_PARTITIONS = '7'
  try {
    expect(await topicsOf(await start({ topics: ['orders'] }))).toEqual({ orders: 1 })
  } finally {
    delete process.env.KAFKA_NUM_PARTITIONS
  }
})

it('keeps its data, topics included, in a directory when it is given one', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'fixture-'))
  try {
    const first = await start({ dataDir, topics: ['orders'] })
    await expect(start({ dataDir })).rejects.toThrow('is in use by another minikafka')
    await first.stop()
    const second = await start({ dataDir, topics: ['payments', { name: 'orders', partitions: 3 }] })
    expect(await topicsOf(second)).toEqual({ orders: 1, payments: 1 })
    await second.stop()
  } finally {
    rmSync(dataDir, { recursive: true })
  }
})

it('closes the connections of its clients when it stops', async () => {
  const kafka = await start({ topics: ['orders'] })
  const consumer = client(kafka).consumer({ groupId: 'group' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders' })
  await consumer.run({ eachMessage: async () => {} })
  const silent = await Client.connect(Number(kafka.bootstrapServers.split(':')[1]))
  await Promise.all([consumer.disconnect(), kafka.stop()])
  await silent.closedByServer()
  silent.socket.destroy()
})

it('may be stopped more than once, and disposes of itself', async () => {
  const kafka = await start()
  await Promise.all([kafka.stop(), kafka.stop()])
  await kafka[Symbol.asyncDispose]()
})

it('refuses in plain words what it cannot do, and leaves nothing running', async () => {
  await expect(start({ config: { 'num.partitons': 3 } })).rejects.toThrow('did you mean num.partitions?')
  await expect(start({ topics: ['or/ders'] })).rejects.toThrow(/^topic or\/ders cannot be created: .*/)
  const kafka = await start()
  const port = Number(kafka.bootstrapServers.split(':')[1])
  await expect(start({ port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`)
})
