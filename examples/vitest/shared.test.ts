import { Kafka, logLevel } from 'kafkajs'
import { sharedKafka } from 'minikafka/vitest'
import { expect, test } from 'vitest'

test('an order is produced', async () => {
  const kafka = sharedKafka()
  const producer = new Kafka({ ...kafka.clientConfig('kafkajs'), logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const topic = kafka.topic('orders')
  const [metadata] = await producer.send({ topic, messages: [{ value: 'coffee' }] })
  await producer.disconnect()

  expect(metadata).toMatchObject({ topicName: topic, errorCode: 0 })
})
