// One data directory, served by one broker after the other: a real Kafka and ours take it from each other, stopped or
// killed, and find everything as it was. A Java producer writes all the while and notices nothing but pauses.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { startMinikafka } from '../brokers.ts'
import { type EnduringProducer, startEnduringProducer } from '../java/endure.ts'
import { freePorts, startKafka } from '../kafka/kafka.ts'
import { expectSameDumps } from '../kafka-tools/same-dumps.ts'
import { Session } from '../oracle/session.ts'
import { type ClusterView, look } from './look.ts'
import { ENDLESS, STORY_LOOK, Story } from './story.ts'

/** A broker that serves the directory for a while. */
interface Reign {
  readonly broker: 'minikafka' | 'Kafka 4.3.1' | 'Kafka 4.4.0'
  readonly ends: 'stopped' | 'killed'
  readonly staticVoters?: boolean
}

interface Served {
  readonly bootstrapServers: string
  readonly warnings: readonly string[]
  stop(): Promise<void>
  kill(): Promise<void>
}

const REIGNS: Readonly<Record<string, readonly Reign[]>> = {
  'begun by Kafka, and stopped': [
    { broker: 'Kafka 4.3.1', ends: 'stopped' },
    { broker: 'minikafka', ends: 'stopped' },
    { broker: 'Kafka 4.3.1', ends: 'stopped' },
    { broker: 'minikafka', ends: 'stopped' }
  ],
  'begun by Kafka, and killed': [
    { broker: 'Kafka 4.3.1', ends: 'killed' },
    { broker: 'minikafka', ends: 'killed' },
    { broker: 'Kafka 4.3.1', ends: 'killed' },
    { broker: 'minikafka', ends: 'stopped' }
  ],
  'begun by ours, and stopped': [
    { broker: 'minikafka', ends: 'stopped' },
    { broker: 'Kafka 4.3.1', ends: 'stopped', staticVoters: true },
    { broker: 'minikafka', ends: 'stopped' }
  ],
  'begun by ours, and killed': [
    { broker: 'minikafka', ends: 'killed' },
    { broker: 'Kafka 4.4.0', ends: 'killed' },
    { broker: 'minikafka', ends: 'stopped' }
  ]
}

/** Little to wait for: what happens once in minutes happens at once. */
const HASTE = {
  'offsets.topic.num.partitions': 5,
  'log.cleaner.backoff.ms': 100,
  'log.initial.task.delay.ms': 100,
  'log.retention.check.interval.ms': 100
}

/**
 * What Kafka warns of on directories that nobody else has touched; and that ours leaves the folder of a topic it is about
 * to delete without the indexes that were in memory.
 */
const ORDINARY = [
  /Performing controller activation/,
  /Expected partition .* to exist, but it was missing. Creating/,
  /Error processing append operation on partition/,
  /Could not find offset index file .*-delete/,
  /Auto topic creation failed for __consumer_offsets with error 'TOPIC_ALREADY_EXISTS'/
]

let folder: string
let producer: EnduringProducer | undefined
let served: Served | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'takeover-'))
})
afterEach(async () => {
  await producer?.kill()
  await served?.kill()
  producer = undefined
  await rm(folder, { recursive: true })
})

test.each(Object.entries(REIGNS))('a directory %s', { timeout: 600_000 }, async (_, reigns) => {
  onTestFailed(() => console.error(served?.warnings.join('\n')))
  const story = new Story()
  const [port] = await freePorts()
  let known: ClusterView | undefined
  for (const [index, reign] of reigns.entries()) {
    const name = `${index}, ${reign.broker}`
    served = await start(reign, port)
    const session = new Session(served.bootstrapServers)
    if (known !== undefined) {
      expect(await look(session, STORY_LOOK), `what ${name}, finds`).toEqual(known)
      await story.expectProducersToBeKnown(session)
      expect(await look(session, STORY_LOOK), `what ${name}, has after retries`).toEqual(known)
    }
    await story.live(session, { endsClean: reign.ends === 'stopped' })
    producer ??= await startEnduringProducer({ servers: served.bootstrapServers, ...ENDLESS })
    await producer.more(2000)
    if (index === reigns.length - 1) await producer.finish()
    known = await look(session, STORY_LOOK)
    await session.closeAll()
    const warnings = served.warnings.filter(line => !ORDINARY.some(pattern => pattern.test(line)))
    expect(warnings, `what ${name}, warns of`).toEqual([])
    await (reign.ends === 'stopped' ? served.stop() : served.kill())
    // The first two have been one of each kind; what comes later would show nothing new.
    if (index < 2) await expectSameDumps(join(folder, 'data'), reign.ends === 'stopped')
  }
})

async function start({ broker, staticVoters = false }: Reign, port: number): Promise<Served> {
  if (broker === 'minikafka') {
    const set = Object.entries(HASTE).flatMap(([name, value]) => ['--set', `${name}=${value}`])
    return startMinikafka(['--data-dir', join(folder, 'data'), '--port', `${port}`, ...set])
  }
  const version = broker.replace('Kafka ', '')
  return startKafka({ version, releaseVersion: '4.3', dataDir: folder, port, staticVoters, config: HASTE })
}
