import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MiniKafka } from '../../src/index.ts'

let kafka: MiniKafka
let client: Kafka

beforeEach(async () => {
  kafka = await MiniKafka.start({ topics: ['t'] })
  client = new Kafka({ brokers: [kafka.bootstrapServers], logLevel: logLevel.NOTHING })
})

afterEach(() => kafka.stop())

test('a kafkajs producer commits and aborts', async () => {
  const producer = client.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const aborted = await producer.transaction()
  await aborted.send({ topic: 't', messages: [{ value: 'a' }] })
  await aborted.abort()
  const committed = await producer.transaction()
  await committed.send({ topic: 't', messages: [{ value: 'b' }] })
  await committed.commit()
  await producer.disconnect()
  const consumer = client.consumer({ groupId: 'g', readUncommitted: false })
  await consumer.connect()
  await consumer.subscribe({ topic: 't', fromBeginning: true })
  const first = await new Promise(resolve => {
    void consumer.run({ eachMessage: async ({ message }) => resolve(`${message.offset} ${message.value}`) })
  })
  expect(first).toBe('2 b')
  await consumer.disconnect()
}, 30_000)
