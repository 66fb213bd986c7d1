/** A real client whose connections break after its requests were applied: it retries, and each request has one effect. */
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { Server } from '../../src/net/server.ts'
import type { ApiName } from '../../src/protocol/messages/index.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { systemClocks } from '../../src/runtime/time.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { losingAnswers } from '../broker/lost-answers.ts'
import { settingsWith } from '../config/settings-with.ts'

/** The only request of a transaction that kafkajs retries after a broken connection. */
const LOST: readonly ApiName[] = ['Produce']
const ROUNDS = 4

test('a transactional producer of kafkajs loses responses and writes every record once', async () => {
  const ports = { clocks: systemClocks, logger: silentLogger, events: new RecordingEvents() }
  const listeners = [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }]
  const settings = settingsWith()
  const server = await Server.bind({ ...ports, listeners, settings, unref: false })
  const asked = new Map<ApiName, number>()
  const isLost = (api: ApiName) => {
    const count = (asked.get(api) ?? 0) + 1
    asked.set(api, count)
    return LOST.includes(api) && count % 3 === 1
  }
  const stages = { after: [losingAnswers(isLost)] }
  const options = { settings, storage: new MemoryStorage(), random: seededRandom(1), stages }
  const broker = await Broker.start({ ...ports, ...options })
  server.serve(broker.dispatch)
  const retry = { initialRetryTime: 10, maxRetryTime: 50 }
  const brokers = server.endpoints.map(({ host, port }) => `${host}:${port}`)
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry })
  const admin = kafka.admin()
  await admin.createTopics({ topics: [{ topic: 't' }] })
  const producer = kafka.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1, retry })
  await producer.connect()
  for (let round = 0; round < ROUNDS; round++) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 't', messages: [{ value: `${round}` }] })
    await transaction.send({ topic: 't', messages: [{ value: `${round} again` }] })
    const partitions = [{ partition: 0, offset: `${round + 1}` }]
    await transaction.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: 't', partitions }] })
    await transaction.commit()
  }
  for (const api of LOST) expect(asked.get(api), `${api} was asked again`).toBeGreaterThan(ROUNDS)
  // Two records and a marker for each.
  expect((await admin.fetchTopicOffsets('t'))[0]?.high).toBe(String(3 * ROUNDS))
  expect((await admin.fetchOffsets({ groupId: 'g', topics: ['t'] }))[0]?.partitions[0]?.offset).toBe(String(ROUNDS))
  await producer.disconnect()
  await admin.disconnect()
  await server.drain()
  await broker.stop()
  await server.close(1000)
})
