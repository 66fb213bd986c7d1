/** A vitest test with a broker of its own: kafkajs produces, a consumer group reads it back. */
import { Kafka, logLevel } from 'kafkajs'
import { MiniKafka } from 'minikafka'
import { afterAll, beforeAll, expect, test } from 'vitest'

let kafka: MiniKafka
beforeAll(async () => {
  kafka = await MiniKafka.start({ topics: ['orders', { name: 'payments', partitions: 3 }] })
})
afterAll(() => kafka.stop())

test('an order that was produced is consumed', async () => {
  const client = new Kafka({ brokers: [kafka.bootstrapServers], logLevel: logLevel.NOTHING })
  const producer = client.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ key: '17', value: 'one coffee' }] })
  await producer.disconnect()

  const consumer = client.consumer({ groupId: 'kitchen' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  const order = await new Promise(resolve => {
    void consumer.run({ eachMessage: async ({ message }) => resolve(`${message.key}: ${message.value}`) })
  })
  await consumer.disconnect()

  expect(order).toBe('17: one coffee')
})
