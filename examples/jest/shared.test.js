const { Kafka } = require('kafkajs')
const { sharedKafka } = require('minikafka/jest')

test('an order is produced', async () => {
  const kafka = sharedKafka()
  const producer = new Kafka(kafka.clientConfig('kafkajs')).producer()
  await producer.connect()
  const topic = kafka.topic('orders')
  const [metadata] = await producer.send({ topic, messages: [{ value: 'coffee' }] })
  await producer.disconnect()

  expect(metadata).toMatchObject({ topicName: topic, errorCode: 0 })
})
