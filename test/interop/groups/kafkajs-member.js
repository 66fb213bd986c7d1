// A kafkajs member in a process of its own, so that it can be killed: SERVERS TOPIC SESSION_MS. Prints a line at its
// first record. Never commits.
import { Kafka, logLevel } from 'kafkajs'

const [servers, topic, sessionMs] = process.argv.slice(2)
const kafka = new Kafka({ brokers: [servers], logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({
  groupId: topic,
  sessionTimeout: Number(sessionMs),
  heartbeatInterval: 200,
  maxWaitTimeInMs: 50
})
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await consumer.run({ autoCommit: false, eachMessage: async () => process.stdout.write('reads\n') })
