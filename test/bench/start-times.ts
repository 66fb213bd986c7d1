/** Start time of a broker with many partitions, each with a record: after a clean stop and after a kill. */
import { Kafka, logLevel } from 'kafkajs'
import { type BrokerProcess, startBroker } from './broker-process.ts'
import { median, show, whole } from './figures.ts'

const COUNTS = [1, 1000, 10_000]
const STARTS = 3
/** Created, and filled, with one request for each topic. */
const PARTITIONS_OF_TOPIC = 2000

/** Uses one directory for each number of partitions. */
export async function startTimes(directory: string): Promise<void> {
  for (const count of COUNTS) {
    const dataDir = `${directory}/${count}`
    const first = await startBroker(dataDir)
    await fill(first, count)
    await first.end('SIGKILL')
    const killed = await startBroker(dataDir)
    await killed.end()
    const clean: number[] = []
    for (let round = 0; round < STARTS; round++) {
      const broker = await startBroker(dataDir)
      clean.push(broker.readyMs)
      await broker.end()
    }
    show(`start, ${whole(count)} partitions`, `clean ${whole(median(clean))} ms`, `killed ${whole(killed.readyMs)} ms`)
  }
}

/** Creates the partitions and writes a record to each, so that each has files. */
async function fill(broker: BrokerProcess, count: number): Promise<void> {
  const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.ERROR, requestTimeout: 120_000 })
  const admin = kafka.admin()
  await admin.connect()
  const producer = kafka.producer()
  await producer.connect()
  for (let first = 0; first < count; first += PARTITIONS_OF_TOPIC) {
    const numPartitions = Math.min(PARTITIONS_OF_TOPIC, count - first)
    const topic = `from-${first}`
    await admin.createTopics({ topics: [{ topic, numPartitions }], timeout: 100_000 })
    const messages = Array.from({ length: numPartitions }, (_, partition) => ({ partition, value: 'x' }))
    await producer.send({ topic, messages, timeout: 100_000 })
  }
  await admin.disconnect()
  await producer.disconnect()
}
