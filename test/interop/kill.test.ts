// The broker process is killed repeatedly under an idempotent Java producer with five requests in flight. In the end
// every record is in the log exactly once, in order. MINIKAFKA_KILL_ROUNDS sets the number of kills.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import { Run } from '../cli/minikafka.ts'
import { javaTask } from './java/client.ts'
import { type EnduringProducer, startEnduringProducer } from './java/endure.ts'

const ROUNDS = Number(process.env.MINIKAFKA_KILL_ROUNDS ?? 5)
const ROUND_LIMIT_MS = 20_000
const TOPIC = 'killed'
const PARTITIONS = 3
/**
 * Maximum number of records between two kills. Some rounds have none, because the kill follows directly on the ready
 * line.
 */
const MOST_RECORDS = 2000
const SETTINGS = {
  'with default settings': [],
  'with many small segments': ['log.roll.ms=50', 'log.index.interval.bytes=100'],
  'with a sync before each response': ['log.flush.interval.messages=1']
}

let folder: string
let run: Run | undefined
let producer: EnduringProducer | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'minikafka-killed-'))
})
afterEach(async () => {
  await producer?.kill()
  await run?.stop('SIGKILL')
  await rm(folder, { recursive: true })
})

test.each(Object.entries(SETTINGS))(
  'after kills of the broker, the log has every record once, %s',
  { timeout: 120_000 + ROUNDS * ROUND_LIMIT_MS },
  async (_, settings) => {
    const random = seededRandom(5)
    const servers = await start(settings, '0')
    const port = servers.split(':').at(-1) ?? ''
    await javaTask('4.4.0', 'produce', servers, TOPIC, PARTITIONS, 0, 0, 'none', 'all', true)
    producer = await startEnduringProducer({ servers, topic: TOPIC, partitions: PARTITIONS })
    for (let round = 0; round < ROUNDS; round++) {
      await producer.more(random.below(4) === 0 ? 0 : random.below(MOST_RECORDS))
      await run?.stop('SIGKILL')
      await start(settings, port)
    }
    expect(await producer.finish()).toBeGreaterThan(0)
  }
)

/** Starts the process on the data directory; returns its address. */
async function start(settings: readonly string[], port: string): Promise<string> {
  const set = settings.flatMap(pair => ['--set', pair])
  run = new Run(['start', '--port', port, '--json', '--log-level', 'warn', '--data-dir', folder, ...set])
  return (await run.ready()).bootstrapServers
}
