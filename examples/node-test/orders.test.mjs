import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kafka } from 'kafkajs'
import { useKafka } from 'minikafka/node-test'

const kafka = useKafka({ topics: ['orders'] })

test('an order is produced', async () => {
  const producer = new Kafka(kafka.clientConfig('kafkajs')).producer()
  await producer.connect()
  const [metadata] = await producer.send({ topic: 'orders', messages: [{ value: 'coffee' }] })
  await producer.disconnect()

  assert.equal(metadata.baseOffset, '0')
})
