// The broker process is killed repeatedly under two Java programs: one produces, the other copies the records to
// another topic in transactions with the offsets of its group. In the end the copy holds every record exactly once, in
// order. MINIKAFKA_KILL_ROUNDS sets the number of kills.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import { Run } from '../cli/minikafka.ts'
import { javaProgram, javaTask } from './java/client.ts'
import { type CountingProgram, startCounting } from './java/counting.ts'
import { type EnduringProducer, expectAll, startEnduringProducer } from './java/endure.ts'

const ROUNDS = Number(process.env.MINIKAFKA_KILL_ROUNDS ?? 5)
const ROUND_LIMIT_MS = 30_000
const CLIENT = '4.4.0'
const PARTITIONS = 3
/**
 * Maximum number of copied records between two kills. Some rounds have none, because the kill follows directly on the
 * ready line.
 */
const MOST_RECORDS = 1500

let folder: string
let run: Run | undefined
let producer: EnduringProducer | undefined
let copier: CountingProgram | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'minikafka-killed-'))
})
afterEach(async () => {
  await producer?.kill()
  await copier?.kill()
  await run?.stop('SIGKILL')
  await rm(folder, { recursive: true })
})

test('after kills of the broker, every record has been copied once', {
  timeout: 120_000 + ROUNDS * ROUND_LIMIT_MS
}, async () => {
  const random = seededRandom(11)
  const servers = await start('0')
  const port = servers.split(':').at(-1) ?? ''
  for (const topic of ['input', 'output']) {
    await javaTask(CLIENT, 'produce', servers, topic, PARTITIONS, 0, 0, 'none', 'all', true)
  }
  producer = await startEnduringProducer({ servers, topic: 'input', partitions: PARTITIONS })
  copier = startCounting([...(await javaProgram(CLIENT)), 'transform', servers, 'input', 'output', 'copier'])
  for (let round = 0; round < ROUNDS; round++) {
    if (random.below(4) > 0) await copier.reaches(copier.count + random.below(MOST_RECORDS))
    await run?.stop('SIGKILL')
    await start(port)
  }
  const produced = await producer.finish()
  expect(produced).toBeGreaterThan(0)
  await expectAll({ servers, topic: 'output', partitions: PARTITIONS }, produced, 'read_committed')
  await copier.end()
})

/** Starts the process on the data directory; returns its address. */
async function start(port: string): Promise<string> {
  run = new Run([
    'start',
    '--port',
    port,
    '--json',
    '--log-level',
    'warn',
    '--data-dir',
    folder,
    '--set',
    'group.initial.rebalance.delay.ms=0'
  ])
  return (await run.ready()).bootstrapServers
}
