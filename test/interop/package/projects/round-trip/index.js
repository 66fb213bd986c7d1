// A package in the projects' node_modules: clients of kafkajs.
const { CompressionTypes, Kafka, logLevel } = require('kafkajs')

/** Produces a compressed record and reads it back in a group. */
exports.roundTrip = async (bootstrapServers, topic = 'orders', groupId = 'kitchen') => {
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'coffee' }], compression: CompressionTypes.GZIP })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const value = await new Promise(resolve => {
    consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) })
  })
  await consumer.disconnect()
  return value
}

/** The names of the topics, sorted. */
exports.topics = async bootstrapServers => {
  const admin = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const names = await admin.listTopics()
  await admin.disconnect()
  return names.filter(name => !name.startsWith('__')).sort()
}
