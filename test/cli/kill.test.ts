/** A process that is killed while clients write: acknowledged records survive, and the log accepts further ones. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Consumer, Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Run } from './minikafka.ts'

const TOPIC = 'survives'
const PARTITIONS = 3
const ROUNDS = Number(process.env.MINIKAFKA_KILL_ROUNDS ?? 3)
const ACKNOWLEDGED_PER_ROUND = 300

let directory: string
let run: Run | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-kill-'))
})
afterEach(async () => {
  await run?.stop('SIGKILL')
  rmSync(directory, { recursive: true })
})

async function start(): Promise<Kafka> {
  run = new Run(['start', '--port', '0', '--json', '--data-dir', directory, '--set', `num.partitions=${PARTITIONS}`])
  const { bootstrapServers } = await run.ready()
  return new Kafka({ brokers: bootstrapServers.split(','), logLevel: logLevel.NOTHING, retry: { retries: 0 } })
}

/** Writes to all partitions until the broker is killed; adds acknowledged values to the set. */
async function writeUntilKilled(kafka: Kafka, round: number, acknowledged: Set<string>): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: true })
  await producer.connect()
  await producer.send({ topic: TOPIC, messages: [{ value: `${round} begins`, partition: 0 }] })
  const goal = acknowledged.size + ACKNOWLEDGED_PER_ROUND
  const write = async (partition: number) => {
    for (let index = 0; ; index++) {
      const value = `round ${round}, partition ${partition}, record ${index}`
      await producer.send({ topic: TOPIC, acks: -1, messages: [{ value, partition }] })
      acknowledged.add(value)
      if (acknowledged.size === goal) run?.child.kill('SIGKILL')
    }
  }
  await Promise.allSettled(Array.from({ length: PARTITIONS }, (_, partition) => write(partition)))
  await run?.ended()
  await producer.disconnect()
}

/** Every value below the high watermark of each partition. */
async function readAll(kafka: Kafka, groupId: string): Promise<Map<string, number>> {
  const admin = kafka.admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets(TOPIC)
  await admin.disconnect()
  const total = offsets.reduce((sum, { high }) => sum + Number(high), 0)
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  const seen = await collect(consumer, total)
  await consumer.disconnect()
  return seen
}

function collect(consumer: Consumer, total: number): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  let count = 0
  return new Promise(resolve => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        const value = String(message.value)
        seen.set(value, (seen.get(value) ?? 0) + 1)
        count++
        if (count === total) resolve(seen)
      }
    })
  })
}

it('a broker keeps every acknowledged record through repeated kill -9', { timeout: 60_000 * ROUNDS }, async () => {
  const acknowledged = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    await writeUntilKilled(await start(), round, acknowledged)
    const seen = await readAll(await start(), `reader ${round}`)
    expect([...acknowledged].filter(value => seen.get(value) !== 1)).toEqual([])
    await run?.stop('SIGKILL')
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(ROUNDS * ACKNOWLEDGED_PER_ROUND)
})
