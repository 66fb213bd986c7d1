// Kafka Streams counts words exactly once while Streams and the broker are killed: the counts of each word are 1, 2, 3
// and so on, up to the number of its occurrences.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Run } from '../cli/minikafka.ts'
import { javaTask, streamsProgram, streamsTask } from './java/client.ts'
import { type CountingProgram, startCounting } from './java/counting.ts'
import { type EnduringProducer, startEnduringProducer } from './java/endure.ts'

const PARTITIONS = 2
const STEP = 1000

let folder: string
let run: Run | undefined
let producer: EnduringProducer | undefined
let counter: CountingProgram | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'minikafka-streams-'))
})
afterEach(async () => {
  await producer?.kill()
  await counter?.kill()
  await run?.stop('SIGKILL')
  await rm(folder, { recursive: true })
})

test('after kills of Kafka Streams and the broker, every word has been counted once', {
  timeout: 300_000
}, async () => {
  const servers = await startBroker('0')
  const port = servers.split(':').at(-1) ?? ''
  for (const topic of ['lines', 'counted']) {
    await javaTask('4.4.0', 'produce', servers, topic, PARTITIONS, 0, 0, 'none', 'all', true)
  }
  producer = await startEnduringProducer({ servers, topic: 'lines', partitions: PARTITIONS })
  counter = await startCounter(servers)
  await counter.reaches(STEP)
  await counter.kill()
  counter = await startCounter(servers)
  await counter.reaches(STEP)
  await run?.stop('SIGKILL')
  await startBroker(port)
  await counter.reaches(counter.count + STEP)
  await run?.stop()
  await startBroker(port)
  const total = await producer.finish()
  expect(await streamsTask('counts', servers, 'counted', total)).toEqual({ words: 17, total })
  await counter.end()
})

async function startBroker(port: string): Promise<string> {
  const args = [
    '--json',
    '--log-level',
    'warn',
    '--data-dir',
    join(folder, 'broker'),
    '--set',
    'group.initial.rebalance.delay.ms=0'
  ]
  run = new Run(['start', '--port', port, ...args])
  return (await run.ready()).bootstrapServers
}

async function startCounter(servers: string): Promise<CountingProgram> {
  const args = ['word-count', servers, 'lines', 'counted', join(folder, 'streams')]
  return startCounting([...(await streamsProgram()), ...args])
}
