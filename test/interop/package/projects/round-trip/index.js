// A package in the projects' node_modules: produces a compressed record with kafkajs and reads it back in a group.
const { CompressionTypes, Kafka, logLevel } = require('kafkajs')

exports.roundTrip = async bootstrapServers => {
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'coffee' }], compression: CompressionTypes.GZIP })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: 'kitchen' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  const value = await new Promise(resolve => {
    consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) })
  })
  await consumer.disconnect()
  return value
}
