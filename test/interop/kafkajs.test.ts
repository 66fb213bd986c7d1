// A million records of 100 bytes through kafkajs, read in order without loss or duplicates.
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { consumeNumbered, produceNumbered } from '../clients/numbered.ts'
import { brokers } from './brokers.ts'
import { createTopics } from './kafkajs-topics.ts'

const { Kafka, logLevel } = kafkajs

test.each(brokers.map(({ name, start }) => [name, start] as const))(
  'a million records of kafkajs pass through %s in order',
  async (_, start) => {
    const broker = await start()
    const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING })
    const numbered = { topic: 'million', partitions: 3, count: 1_000_000, size: 100 }
    const admin = kafka.admin()
    await admin.connect()
    await createTopics(admin, [{ topic: 'million', numPartitions: 3 }])
    await admin.disconnect()
    await produceNumbered(kafka, numbered)
    expect(await consumeNumbered(kafka, numbered)).toBe(1_000_000)
    await broker.stop()
  }
)
