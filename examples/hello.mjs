import { Kafka } from 'kafkajs'

const kafka = new Kafka({ clientId: 'hello', brokers: ['localhost:9092'] })

const producer = kafka.producer()
await producer.connect()
await producer.send({
  topic: 'greetings',
  messages: [
    { key: 'en', value: 'hello' },
    { key: 'fr', value: 'bonjour' }
  ]
})
await producer.disconnect()

const consumer = kafka.consumer({ groupId: 'readers' })
await consumer.connect()
await consumer.subscribe({ topic: 'greetings', fromBeginning: true })
await consumer.run({
  eachMessage: async ({ message }) => console.log(`${message.offset}: ${message.key} = ${message.value}`)
})
