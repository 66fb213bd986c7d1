// Kafka's command line tools for groups print the same for minikafka as for a real Kafka 4.4, step by step. For 4.3
// they print another TARGET-ASSIGNMENT-EPOCH of an empty consumer group: since 4.4 a group that becomes empty gets a
// new assignment at once, as in minikafka.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningBroker, startMinikafka, subject } from './brokers.ts'
import { freePorts, startKafka } from './kafka/kafka.ts'
import { Tools } from './kafka-tools/consumer-groups.ts'
import { Commands } from './kafka-tools/group-commands.ts'
import { memberScenarios } from './kafka-tools/member-scenarios.ts'
import { offsetScenarios } from './kafka-tools/offset-scenarios.ts'
import { createTopics } from './kafkajs-topics.ts'
import { Session } from './oracle/session.ts'
import { arrange } from './oracle/transcript.ts'
import { Group } from './oracle/transcripts/group.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** 2024-01-01. The records of `orders` have timestamps from then on, an hour apart. */
const NEW_YEAR_MS = 1_704_067_200_000
const PARTITIONS = { orders: 3, trimmed: 1, recent: 1, unread: 1, doomed: 1 }

const files = mkdtempSync(join(tmpdir(), 'consumer-groups-'))
const tools = await Tools.start()
const commands = new Commands(tools, files)
/** Starts the broker of a session, on its own directory and port. */
const starts = new Map<Session, () => Promise<RunningBroker>>()
const running = new Map<Session, RunningBroker>()
const restart = arrange('the broker is started again', async session => {
  await session.closeAll()
  await running.get(session)?.stop()
  await start(session)
})
const scenarios = { ...offsetScenarios(commands), ...memberScenarios(commands, tools, restart) }

beforeAll(async () => {
  const [theirs, own] = await freePorts()
  const folders = ['theirs', 'own'].map(name => join(files, name))
  for (const folder of folders) mkdirSync(folder)
  const [theirFolder = '', ownFolder = ''] = folders
  const kafka = (dataDir: string, port: number) => () => startKafka({ dataDir, port })
  const minikafka = () => startMinikafka(['--data-dir', ownFolder, '--port', `${own}`])
  starts.set(new Session(`localhost:${theirs}`), kafka(theirFolder, theirs))
  starts.set(new Session(`localhost:${own}`), subject.name === 'kafka' ? kafka(ownFolder, own) : minikafka)
  await Promise.all([...starts.keys()].map(start))
  for (const session of starts.keys()) {
    await fill(session.bootstrapServers)
    await new Group('first').found().play(session)
  }
})

afterAll(async () => {
  await tools.close()
  for (const session of running.keys()) await session.closeAll()
  for (const broker of running.values()) await broker.stop()
  rmSync(files, { recursive: true })
})

async function start(session: Session): Promise<void> {
  const broker = await starts.get(session)?.()
  if (broker !== undefined) running.set(session, broker)
}

describe.each(Object.entries(scenarios))('%s', (_, steps) => {
  for (const step of steps) {
    test(step.name.replaceAll(files, '.'), async () => {
      const [kafka, ours] = await Promise.allSettled([...starts.keys()].map(session => step.play(session)))
      for (const outcome of [kafka, ours]) if (outcome?.status === 'rejected') throw outcome.reason
      expect(ours).toEqual(kafka)
    })
  }
})

/** Writes the same topics and records with the same timestamps to each broker. */
async function fill(servers: string): Promise<void> {
  const kafka = new Kafka({ brokers: [servers], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = [{ name: 'retention.ms', value: '-1' }]
  const topics = Object.entries(PARTITIONS).map(([topic, numPartitions]) => ({ topic, numPartitions, configEntries }))
  await createTopics(admin, topics)
  const producer = kafka.producer()
  await producer.connect()
  const send = (topic: string, partition: number, times: readonly number[]) =>
    producer.send({ topic, messages: times.map(time => ({ partition, value: 'a', timestamp: `${time}` })) })
  const hours = (count: number) => Array.from({ length: count }, (_, hour) => NEW_YEAR_MS + hour * HOUR_MS)
  await send('orders', 0, hours(10))
  await send('orders', 1, hours(6))
  await send('trimmed', 0, hours(8))
  await send('doomed', 0, hours(2))
  const daysAgo = (days: number) => Date.now() - days * DAY_MS
  await send('recent', 0, [5, 4, 3, 2, 1].map(daysAgo))
  // kafkajs knows the leader of a topic only after an earlier request for that topic.
  await admin.fetchTopicOffsets('trimmed')
  await admin.deleteTopicRecords({ topic: 'trimmed', partitions: [{ partition: 0, offset: '3' }] })
  await producer.disconnect()
  await admin.disconnect()
}
