import { Kafka, logLevel } from 'kafkajs'
import { useKafka } from 'minikafka/vitest'
import { expect, test } from 'vitest'

const kafka = useKafka({ topics: ['orders'] })

test('an order that was produced is consumed', async () => {
  const client = new Kafka({ ...kafka.clientConfig('kafkajs'), logLevel: logLevel.NOTHING })
  const producer = client.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ key: '17', value: 'coffee' }] })
  await producer.disconnect()

  const consumer = client.consumer({ groupId: 'kitchen' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  const order = await new Promise(resolve => {
    void consumer.run({ eachMessage: async ({ message }) => resolve(`${message.key}: ${message.value}`) })
  })
  await consumer.disconnect()

  expect(order).toBe('17: coffee')
})
