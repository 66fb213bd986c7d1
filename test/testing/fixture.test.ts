/** The fixture as in a test of a user: real sockets, a real client. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
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

const client = (kafka: MiniKafka) => new Kafka({ ...kafka.clientConfig('kafkajs'), logLevel: logLevel.NOTHING })

/** Names of all topics with their number of partitions. */
async function topicsOf(kafka: MiniKafka): Promise<Record<string, number>> {
  const admin = client(kafka).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata()
  await admin.disconnect()
  return Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length]))
}

it('MiniKafka.start resolves when its topics exist', async () => {
  const kafka = await start({
    topics: ['orders', { name: 'payments', partitions: 3, config: { 'cleanup.policy': 'compact' } }],
    config: { 'num.partitions': 2 }
  })
  expect(kafka.bootstrapServers).toMatch(/^localhost:\d+$/)
  expect(await topicsOf(kafka)).toEqual({ orders: 2, payments: 3 })
})

it('several fixtures run at the same time, each with topics of its own', async () => {
  const [first, second] = await Promise.all([start({ topics: ['a'] }), start({ topics: ['b'] })])
  expect(first.bootstrapServers).not.toBe(second.bootstrapServers)
  expect(await topicsOf(first)).toEqual({ a: 1 })
  await first.stop()
  expect(await topicsOf(second)).toEqual({ b: 1 })
})

it('the fixture reads no settings from the environment', async () => {
  process.env.KAFKA_NUM_PARTITIONS = '7'
  try {
    expect(await topicsOf(await start({ topics: ['orders'] }))).toEqual({ orders: 1 })
  } finally {
    delete process.env.KAFKA_NUM_PARTITIONS
  }
})

it('a fixture with dataDir keeps topics and records in that directory', async () => {
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

it('stop closes the connections of all clients', async () => {
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

it('a fixture can be stopped more than once, and disposed', async () => {
  const kafka = await start()
  await Promise.all([kafka.stop(), kafka.stop()])
  await kafka[Symbol.asyncDispose]()
})

it('MiniKafka.start rejects wrong settings, topics and ports with a sentence, and leaves no broker running', async () => {
  await expect(start({ config: { 'num.partitons': 3 } })).rejects.toThrow('did you mean num.partitions?')
  await expect(start({ topics: ['or/ders'] })).rejects.toThrow(
    /^MiniKafka\.start: topic or\/ders cannot be created: .*/
  )
  const kafka = await start()
  const port = Number(kafka.bootstrapServers.split(':')[1])
  await expect(start({ port })).rejects.toThrow(`Port ${port} on localhost is taken`)
})

it('a client reaches the broker by each loopback address', async () => {
  const kafka = await start()
  const port = Number(kafka.bootstrapServers.split(':')[1])
  for (const host of ['127.0.0.1', '::1', 'localhost']) (await Client.connect(port, host)).socket.destroy()
})

it('clientConfig returns the bootstrap servers under the property that each library reads', async () => {
  const kafka = await start()
  const { bootstrapServers } = kafka
  expect(kafka.bootstrapServerList).toEqual([bootstrapServers])
  expect(kafka.clientConfig('kafkajs')).toEqual({ brokers: [bootstrapServers] })
  expect(kafka.clientConfig('java')).toEqual({ 'bootstrap.servers': bootstrapServers })
  expect(kafka.clientConfig('librdkafka')).toEqual({ 'bootstrap.servers': bootstrapServers })
  expect(kafka.clientConfig('platformatic')).toEqual({ bootstrapBrokers: [bootstrapServers] })
})

it('new MiniKafka throws a sentence that names MiniKafka.start', () => {
  // @ts-expect-error the constructor is private
  expect(() => new MiniKafka()).toThrow('new MiniKafka() creates no broker: use await MiniKafka.start()')
})

it('clientConfig rejects an unknown library and lists the supported ones', async () => {
  const kafka = await start()
  // @ts-expect-error no such library
  expect(() => kafka.clientConfig('kafka-js')).toThrow(
    'clientConfig: library is "kafka-js", but must be "kafkajs", "java", "librdkafka" or "platformatic"; did you mean kafkajs?'
  )
  // @ts-expect-error no library at all
  expect(() => kafka.clientConfig()).toThrow('clientConfig: library is undefined, but must be')
  // @ts-expect-error a name that every object has
  expect(() => kafka.clientConfig('constructor')).toThrow('clientConfig: library is "constructor", but must be')
})

it('console.log shows servers, topics and state of the fixture, which stay readable after its stop', async () => {
  const kafka = await start({ topics: ['orders', 'users'] })
  const { bootstrapServers } = kafka
  const summary = (state: string) =>
    `MiniKafka {\n  bootstrapServers: '${bootstrapServers}',\n  topics: [ 'orders', 'users' ],\n  state: '${state}'\n}`
  expect(inspect(kafka)).toBe(summary('running'))
  const stopping = kafka.stop()
  expect(inspect(kafka)).toBe(summary('stopping'))
  await stopping
  expect(inspect(kafka)).toBe(summary('stopped'))
  expect([kafka.bootstrapServers, kafka.bootstrapServerList]).toEqual([bootstrapServers, [bootstrapServers]])
})

it('console.log shows the first of many topics and counts the others', async () => {
  const kafka = await start({ topics: Array.from({ length: 2000 }, (_, index) => `topic-${index}`) })
  const text = inspect(kafka)
  expect(text).toContain("'topic-19'")
  expect(text).toContain("'... 1980 more'")
  expect(text.length).toBeLessThan(1000)
})
