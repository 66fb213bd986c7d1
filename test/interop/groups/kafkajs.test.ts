// Consumer groups of kafkajs: members join, leave and crash during production; a consumer pauses, seeks and commits
// explicitly; an admin inspects and resets the group; the broker is stopped and killed while members run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Admin, type Consumer, Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RunningBroker } from '../brokers.ts'
import { createTopics } from '../kafkajs-topics.ts'
import { groupBrokers } from './brokers.ts'
import { KafkajsGroup, PARTITIONS } from './kafkajs-group.ts'
import { RESTARTING } from './restarting.ts'

const SHORT_SESSION_MS = 2000

describe.each(groupBrokers)('%s', (_, share) => {
  let broker: RunningBroker
  let kafka: Kafka
  let admin: Admin
  let topics = 0
  let topic: string
  let group: KafkajsGroup

  beforeAll(async () => {
    broker = await share()
    kafka = client(broker.bootstrapServers)
    admin = kafka.admin()
    await admin.connect()
  })
  afterAll(async () => {
    await admin?.disconnect()
    await broker?.stop()
  })
  beforeEach(async () => {
    topic = `kafkajs-${topics++}`
    await createTopics(admin, [{ topic, numPartitions: PARTITIONS }])
    group = new KafkajsGroup(kafka, topic)
  })
  afterEach(() => group.end())

  test('a group grows to five members and shrinks to one, and all share the partitions evenly', async () => {
    await group.produceOn()
    const shares: string[] = []
    for (let count = 1; count <= 5; count++) {
      await group.join(`member ${count}`)
      shares.push(await group.balance(count))
    }
    for (let count = 4; count >= 1; count--) {
      await group.leave(`member ${5 - count}`)
      shares.push(await group.balance(count))
    }
    await group.drain()
    const out = ['5+5', '3+3+4', '2+2+3+3']
    expect(shares).toEqual(['10', ...out, '2+2+2+2+2', ...out.reverse(), '10'])
  })

  test('a killed member leaves the group when its session expires', async () => {
    await group.produceOn()
    await group.join('survivor')
    await group.balance(1)
    const program = join(import.meta.dirname, 'kafkajs-member.js')
    const args = [program, broker.bootstrapServers, topic, `${SHORT_SESSION_MS}`]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    expect(group.owned('survivor')).toBe(PARTITIONS / 2)
    child.kill('SIGKILL')
    await group.balance(1)
    await group.drain()
  })

  test('a paused partition has no records until it is resumed', async () => {
    const { consumer, read } = await reader(kafka, topic)
    consumer.pause([{ topic, partitions: [0] }])
    await group.send(0, 'a', 'b')
    await group.send(1, 'c')
    expect(await read(1)).toBe('c')
    expect(consumer.paused()).toEqual([{ topic, partitions: [0] }])
    consumer.resume([{ topic, partitions: [0] }])
    expect(await read(2)).toBe('ab')
    await consumer.disconnect()
  })

  test('a consumer seeks back, and to the beginning', async () => {
    await group.send(0, 'a', 'b', 'c')
    const { consumer, read } = await reader(kafka, topic)
    expect(await read(3)).toBe('abc')
    consumer.seek({ topic, partition: 0, offset: '1' })
    expect(await read(2)).toBe('bc')
    consumer.seek({ topic, partition: 0, offset: '-2' })
    expect(await read(3)).toBe('abc')
    await consumer.disconnect()
  })

  test('a new member starts at explicitly committed offsets', async () => {
    await group.send(0, 'a', 'b', 'c')
    const first = await reader(kafka, topic, false)
    expect(await first.read(3)).toBe('abc')
    await first.consumer.commitOffsets([{ topic, partition: 0, offset: '2', metadata: 'words' }])
    await first.consumer.disconnect()
    const [found] = await admin.fetchOffsets({ groupId: topic, topics: [topic] })
    expect(found?.partitions.find(({ partition }) => partition === 0)).toMatchObject({ offset: '2', metadata: 'words' })
    const second = await reader(kafka, topic)
    expect(await second.read(1)).toBe('c')
    await second.consumer.disconnect()
  })

  test('an admin lists and describes a group, resets its offsets, and deletes it', async () => {
    await group.send(0, 'a', 'b')
    const { consumer, read } = await reader(kafka, topic)
    await read(2)
    const listed = async () => (await admin.listGroups()).groups.filter(({ groupId }) => groupId === topic)
    expect(await listed()).toEqual([{ groupId: topic, protocolType: 'consumer' }])
    const [stable] = (await admin.describeGroups([topic])).groups
    expect(stable).toMatchObject({ state: 'Stable', protocol: 'RoundRobinAssigner', protocolType: 'consumer' })
    expect(stable?.members).toHaveLength(1)
    const set = () => admin.setOffsets({ groupId: topic, topic, partitions: [{ partition: 0, offset: '1' }] })
    await expect(set()).rejects.toThrow(/must have no running instances/)
    await expect(admin.deleteGroups([topic])).rejects.toMatchObject({
      groups: [{ error: { type: 'NON_EMPTY_GROUP' } }]
    })
    await consumer.disconnect()
    expect((await admin.describeGroups([topic])).groups[0]).toMatchObject({ state: 'Empty', members: [] })
    await set()
    const again = await reader(kafka, topic)
    expect(await again.read(1)).toBe('b')
    await again.consumer.disconnect()
    expect(await admin.deleteGroups([topic])).toEqual([{ groupId: topic, errorCode: 0 }])
    expect(await listed()).toEqual([])
    expect((await admin.describeGroups([topic])).groups[0]).toMatchObject({ state: 'Dead' })
  })
})

test('members continue after the broker was stopped and killed', async () => {
  const broker = await RESTARTING[process.env.INTEROP_RESTARTING ?? 'minikafka']?.()
  if (!broker) throw new Error('no such broker')
  const kafka = client(broker.bootstrapServers)
  const admin = kafka.admin()
  await createTopics(admin, [{ topic: 'enduring', numPartitions: PARTITIONS }])
  await admin.disconnect()
  const group = new KafkajsGroup(kafka, 'enduring')
  await group.produceOn()
  for (const name of ['first', 'second', 'third']) await group.join(name)
  await group.balance(3)
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    await group.readsOn()
    await broker.restart(signal)
  }
  await group.readsOn()
  await group.drain()
  await group.end()
  await broker.stop()
})

function client(servers: string): Kafka {
  const retry = { initialRetryTime: 20, maxRetryTime: 200, retries: 100 }
  return new Kafka({ brokers: [servers], logLevel: logLevel.NOTHING, retry })
}

interface Reader {
  readonly consumer: Consumer
  /** The next values, at least `count`, sorted. */
  read(count: number): Promise<string>
}

/** A group with a single member. */
async function reader(kafka: Kafka, topic: string, autoCommit = true): Promise<Reader> {
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 50, heartbeatInterval: 200 })
  const values: string[] = []
  let changed = () => {}
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const joined = new Promise(resolve => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    autoCommit,
    eachMessage: async ({ message }) => {
      values.push(`${message.value}`)
      changed()
    }
  })
  await joined
  return {
    consumer,
    async read(count) {
      while (values.length < count) await new Promise<void>(resolve => (changed = resolve))
      return values.splice(0).sort().join('')
    }
  }
}
