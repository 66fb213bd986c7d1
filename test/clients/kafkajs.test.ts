// kafkajs over TCP with a broker in this process: every codec, groups, Admin.
import kafkajs, { type Consumer, type Kafka as KafkaClient } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MiniKafka } from '../../src/index.ts'
import { CODECS, registerCodecs } from './codecs.ts'
import { consumeNumbered, produceNumbered } from './numbered.ts'

const { ConfigResourceTypes, Kafka, logLevel } = kafkajs

let broker: MiniKafka
let kafka: KafkaClient

beforeAll(async () => {
  registerCodecs()
  broker = await MiniKafka.start()
  kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING })
})

afterAll(() => broker?.stop())

async function createTopic(topic: string, numPartitions = 3): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions }] })
  await admin.disconnect()
}

describe('a producer', () => {
  test.each(CODECS)('compresses by %s, and a consumer reads all records in order', async (name, compression) => {
    const numbered = { topic: `codec-${name}`, partitions: 3, count: 1000, size: 100, compression }
    await createTopic(numbered.topic)
    await produceNumbered(kafka, numbered)
    expect(await consumeNumbered(kafka, numbered)).toBe(1000)
  })

  test('sends with idempotence', async () => {
    await createTopic('idempotent', 1)
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (const value of ['a', 'b', 'c']) await producer.send({ topic: 'idempotent', messages: [{ value }] })
    const [last] = await producer.send({ topic: 'idempotent', messages: [{ value: 'd' }] })
    expect(last).toMatchObject({ errorCode: 0, baseOffset: '3' })
    await producer.disconnect()
  })

  test('keeps keys, headers, timestamps and tombstones', async () => {
    await createTopic('parts', 1)
    const producer = kafka.producer()
    await producer.connect()
    const sent = [
      { key: 'k', value: 'v', headers: { h: 'x' }, timestamp: '1700000000000' },
      { key: 'k', value: null }
    ]
    await producer.send({ topic: 'parts', messages: sent })
    await producer.disconnect()
    const [first, second] = await read('parts', 2)
    expect(first).toMatchObject({
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      timestamp: '1700000000000',
      offset: '0'
    })
    expect(first?.headers?.h).toEqual(Buffer.from('x'))
    expect(second).toMatchObject({ value: null, offset: '1' })
  })

  test('sends twenty thousand records that a consumer reads in order', async () => {
    const numbered = { topic: 'many', partitions: 3, count: 20_000, size: 100 }
    await createTopic('many')
    await produceNumbered(kafka, numbered)
    expect(await consumeNumbered(kafka, numbered)).toBe(20_000)
  })
})

describe('a group', () => {
  test('of two members shares the partitions, and the remaining member takes all', async () => {
    await createTopic('shared', 4)
    const [first, second] = [member('shared'), member('shared')]
    await first.join()
    await expect(first.share(4)).resolves.toBe(4)
    await second.join()
    await Promise.all([first.share(2), second.share(2)])
    await first.consumer.disconnect()
    await expect(second.share(4)).resolves.toBe(4)
    await second.consumer.disconnect()
  })

  test('resumes from its committed offset', async () => {
    await createTopic('resumed', 1)
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'resumed', messages: [{ value: 'a' }, { value: 'b' }] })
    expect((await read('resumed', 2)).map(({ value }) => `${value}`)).toEqual(['a', 'b'])
    await producer.send({ topic: 'resumed', messages: [{ value: 'c' }] })
    expect((await read('resumed', 1)).map(({ value }) => `${value}`)).toEqual(['c'])
    await producer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    const [committed] = await admin.fetchOffsets({ groupId: 'resumed', topics: ['resumed'] })
    expect(committed?.partitions).toMatchObject([{ partition: 0, offset: '3' }])
    await admin.disconnect()
  })
})

test('Admin creates, changes and deletes a topic', async () => {
  const admin = kafka.admin()
  await admin.connect()
  expect(await admin.createTopics({ topics: [{ topic: 'life', numPartitions: 1 }] })).toBe(true)
  expect(await admin.createTopics({ topics: [{ topic: 'life', numPartitions: 1 }] })).toBe(false)
  expect(await admin.listTopics()).toContain('life')
  await admin.createPartitions({ topicPartitions: [{ topic: 'life', count: 2 }] })
  const { topics } = await admin.fetchTopicMetadata({ topics: ['life'] })
  expect(topics[0]?.partitions).toHaveLength(2)
  const configEntries = [{ name: 'retention.ms', value: '1000' }]
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: 'life', configEntries }]
  })
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: 'life', configNames: ['retention.ms'] }]
  })
  expect(resources[0]?.configEntries[0]).toMatchObject({ configName: 'retention.ms', configValue: '1000' })
  expect((await admin.describeCluster()).brokers).toHaveLength(1)
  await admin.deleteTopics({ topics: ['life'] })
  expect(await admin.listTopics()).not.toContain('life')
  await admin.disconnect()
})

/** The next records of a topic for the group of the same name, whose offsets are then committed. */
async function read(topic: string, count: number): Promise<kafkajs.KafkaMessage[]> {
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const messages: kafkajs.KafkaMessage[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: kafkajs.EachMessagePayload): Promise<void> => {
      messages.push(message)
      if (messages.length === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  // Leaving the group commits the resolved offsets.
  await consumer.disconnect()
  return messages
}

/** A member that reports its number of partitions after each rebalance. */
function member(topic: string): { consumer: Consumer; join(): Promise<void>; share(count: number): Promise<number> } {
  const consumer = kafka.consumer({
    groupId: topic,
    heartbeatInterval: 50,
    sessionTimeout: 10_000,
    maxWaitTimeInMs: 50
  })
  let assigned = 0
  let changed = (): void => {}
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = Object.values(payload.memberAssignment).flat().length
    changed()
  })
  return {
    consumer,
    async join() {
      await consumer.connect()
      await consumer.subscribe({ topic })
      await consumer.run({ eachMessage: async () => {} })
    },
    async share(count) {
      while (assigned !== count) await new Promise<void>(resolve => (changed = resolve))
      return assigned
    }
  }
}
