// The test tool itself: a real Kafka starts, responds, and keeps its data over a restart.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { startKafka } from './kafka.ts'

test('a real Kafka keeps its topics over a kill and a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'kafka-restart-'))
  const first = await startKafka({ dataDir })
  await withAdmin(first.bootstrapServers, admin => admin.createTopics({ topics: [{ topic: 'kept' }] }))
  await first.kill()
  const second = await startKafka({ dataDir, config: { 'auto.create.topics.enable': false } })
  expect(await withAdmin(second.bootstrapServers, admin => admin.listTopics())).toContain('kept')
  await second.stop()
  await rm(dataDir, { recursive: true })
})

async function withAdmin<T>(broker: string, use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}
