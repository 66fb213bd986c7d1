// Consumers of kafkajs in a process of their own, each in its own group. Tells on stdout what they do, a word a line: joined, heartbeat.
import { Kafka, logLevel } from 'kafkajs'

const [, , broker, count] = process.argv
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
for (let index = 0; index < Number(count); index++) {
  const consumer = kafka.consumer({
    groupId: `group-${index}`,
    sessionTimeout: 30_000,
    heartbeatInterval: 50,
    maxWaitTimeInMs: 100
  })
  consumer.on(consumer.events.GROUP_JOIN, () => process.stdout.write('joined\n'))
  consumer.on(consumer.events.HEARTBEAT, () => process.stdout.write('heartbeat\n'))
  await consumer.connect()
  await consumer.subscribe({ topic: 't' })
  await consumer.run({ eachMessage: async () => {} })
}
