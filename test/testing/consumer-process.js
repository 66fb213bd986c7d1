/**
 * Consumers of kafkajs in a process of their own, each in its own group. Prints a line for each event: joined,
 * heartbeat; and outlived, after all consumers have lived longer than a session.
 */
import { Kafka, logLevel } from 'kafkajs'

const HEARTBEAT_MS = 100
const [, , broker, ...numbers] = process.argv
const [count, sessionTimeout] = numbers.map(Number)
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
let joinedCount = 0
const tell = event => process.stdout.write(`${event}\n`)
for (let index = 0; index < count; index++) {
  const consumer = kafka.consumer({
    groupId: `group-${index}`,
    sessionTimeout,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: HEARTBEAT_MS
  })
  consumer.on(consumer.events.GROUP_JOIN, () => {
    tell('joined')
    if (++joinedCount === count) setTimeout(tell, 1.5 * sessionTimeout, 'outlived')
  })
  consumer.on(consumer.events.HEARTBEAT, () => tell('heartbeat'))
  await consumer.connect()
  await consumer.subscribe({ topic: 't' })
  await consumer.run({ eachMessage: async () => {} })
}
