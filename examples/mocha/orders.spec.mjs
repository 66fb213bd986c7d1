import assert from 'node:assert/strict'
import { Kafka } from 'kafkajs'

it('an order is produced', async () => {
  const producer = new Kafka({ brokers: [process.env.KAFKA_SERVERS] }).producer()
  await producer.connect()
  const [metadata] = await producer.send({ topic: 'orders', messages: [{ value: 'coffee' }] })
  await producer.disconnect()

  assert.equal(metadata.baseOffset, '0')
})
