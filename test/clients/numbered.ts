// Numbered records through kafkajs, and the check that consumers read all of them. Number i goes to partition i % partitions, so
// each partition must hold p, p + partitions, p + 2 partitions ...: any loss, duplicate or swap is visible.
import type { CompressionTypes, Kafka } from 'kafkajs'

const BATCH = 5000

/** The records to send: `size` bytes each. */
export interface Numbered {
  readonly topic: string
  readonly partitions: number
  readonly count: number
  readonly size: number
  readonly compression?: CompressionTypes
}

/** Sends the records with acks=all. */
export async function produceNumbered(
  kafka: Kafka,
  { topic, partitions, count, size, ...rest }: Numbered
): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  for (let first = 0; first < count; first += BATCH) {
    const messages = Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => ({
      partition: (first + index) % partitions,
      value: `${first + index}`.padStart(size, '.')
    }))
    await producer.send({ topic, messages, ...rest })
  }
  await producer.disconnect()
}

/** Reads all records in a group of one member; throws on a record out of order. */
export async function consumeNumbered(kafka: Kafka, { topic, partitions, count, size }: Numbered): Promise<number> {
  const consumer = kafka.consumer({ groupId: `${topic}-readers`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const next = Array.from({ length: partitions }, (_, partition) => partition)
  let seen = 0
  await new Promise<void>((resolve, reject) => {
    const eachBatch = async ({ batch }: { batch: { partition: number; messages: { value: Buffer | null }[] } }) => {
      for (const { value } of batch.messages) {
        const expected = next[batch.partition] ?? -1
        const number = Number(value?.toString().replace(/^\.+/, ''))
        if (number !== expected || value?.length !== size) {
          reject(new Error(`partition ${batch.partition} has ${value} where ${expected} must come`))
        }
        next[batch.partition] = expected + partitions
        seen++
      }
      if (seen >= count) resolve()
    }
    consumer.run({ eachBatch }).catch(reject)
  })
  await consumer.disconnect()
  return seen
}
