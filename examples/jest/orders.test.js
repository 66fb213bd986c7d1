const { Kafka } = require('kafkajs')
const { useKafka } = require('minikafka/jest')

const kafka = useKafka({ topics: ['orders'] })

test('an order is produced', async () => {
  const producer = new Kafka(kafka.clientConfig('kafkajs')).producer()
  await producer.connect()
  const [metadata] = await producer.send({ topic: 'orders', messages: [{ value: 'coffee' }] })
  await producer.disconnect()

  expect(metadata.baseOffset).toBe('0')
})
