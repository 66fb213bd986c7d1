/** The same in plain JavaScript with Node's own test runner: `node --test examples/orders.node.test.js`. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { MiniKafka } from 'minikafka'

let kafka
before(async () => {
  kafka = await MiniKafka.start({ topics: ['orders'] })
})
after(() => kafka.stop())

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
    consumer.run({ eachMessage: async ({ message }) => resolve(`${message.key}: ${message.value}`) })
  })
  await consumer.disconnect()

  assert.equal(order, '17: one coffee')
})
