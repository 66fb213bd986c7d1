// Our dump of a data folder and that of Kafka's own tool, line by line: over files that we wrote and files that Kafka wrote.
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMinikafka } from './brokers.ts'
import { javaTask, streamsTask } from './java/client.ts'
import { startKafka } from './kafka/kafka.ts'
import { dumpLog } from './kafka-tools/dump-log-segments.ts'
import { expectSameDump, filesOf } from './kafka-tools/same-dumps.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const CLIENT = '4.4.0'

interface Writer {
  readonly name: string
  /** Starts a broker on a folder; answers where it listens, and how to stop it. */
  start(dataDir: string): Promise<{ bootstrapServers: string; stop(): Promise<void> }>
}

const WRITERS: readonly Writer[] = [
  { name: 'minikafka', start: dataDir => startMinikafka(['--data-dir', join(dataDir, 'data')]) },
  { name: 'kafka', start: dataDir => startKafka({ dataDir, version: '4.3.1' }) }
]

describe.each(WRITERS)('files that $name wrote', ({ start }) => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dump-log-'))
    const broker = await start(folder)
    await fill(broker.bootstrapServers)
    await broker.stop()
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const named = (pattern: RegExp) => filesOf(join(folder, 'data'), pattern)
  const compare = async (pattern: RegExp, ...options: readonly string[]) => {
    const files = await named(pattern)
    expect(files).not.toEqual([])
    await expectSameDump(files, options)
  }

  test('batches of every codec', () => compare(/^codec-.*\.log$/))
  test.each(CODECS)('records compressed by %s', codec =>
    compare(RegExp(`^codec-${codec}-0/.*\\.log$`), '--print-data-log')
  )
  test('records without their metadata', () =>
    compare(/^codec-gzip-0\/.*\.log$/, '--print-data-log', '--skip-record-metadata'))
  test('a part of a log', () => compare(/^codec-none-0\/.*\.log$/, '--deep-iteration', '--max-bytes', '40000'))
  test('numbers as values', () =>
    compare(/^codec-lz4-0\/.*\.log$/, '--value-decoder-class', 'org.apache.kafka.tools.api.LongDecoder'))
  test('the records of groups', () => compare(/^__consumer_offsets-\d+\/.*\.log$/, '--offsets-decoder'))
  test('records of every type that groups have', async () => {
    const files = (await named(/^__consumer_offsets-\d+\/.*\.log$/)).join()
    const { stdout } = await dumpLog(['--offsets-decoder', '--files', files])
    const types = new Set(stdout.match(/(?<=key: \{"type":")\d+/g))
    expect(types).toEqual(new Set(['1', '2', '3', '4', '5', '6', '7', '8', '16']))
    for (const once of ['"classicMemberMetadata":{', '"assignmentEpochs":[', '"metadataHash":', '"instanceId":"fixed"'])
      expect(stdout).toContain(once)
  })
  test('the cluster metadata', () => compare(/^__cluster_metadata-0\/.*\.log$/, '--cluster-metadata-decoder'))
  test('checkpoints', () => compare(/\.checkpoint$/, '--cluster-metadata-decoder'))
  test.each([[], ['--index-sanity-check'], ['--verify-index-only']])('indexes %j', async (...args) => {
    if ((await named(/\.(time)?index$/)).length > 0) await compare(/^codec-.*\.(time)?index$/, ...args)
  })
  test('producers', async () => {
    if ((await named(/\.snapshot$/)).length > 0) await compare(/\.snapshot$/)
  })

  test('transactional batches and markers', () => compare(/^txn-\d+\/.*\.log$/, '--print-data-log'))
  test('lists of aborted transactions', () => compare(/^txn-\d+\/.*\.txnindex$/))
  test('the state of transactions', () => compare(/^__transaction_state-\d+\/.*\.log$/, '--transaction-log-decoder'))

  test('how every transaction ended', async () => {
    const { stdout } = await dumpLog(['--transactions', '--files', join(folder, 'data', 'txn-0')])
    expect(stdout.match(/(?<=records: )\d+ result: \w+/g)).toEqual([
      '2 result: COMMIT',
      '2 result: ABORT',
      '2 result: COMMIT',
      '2 result: ABORT',
      '1 result: OPEN'
    ])
  })

  test('a log that is cut off', async () => {
    const [file = ''] = await named(/^codec-zstd-0\/.*\.log$/)
    await truncate(file, 5000)
    await compare(/^codec-zstd-0\/.*\.log$/, '--deep-iteration')
  })

  test('nothing is wrong with those that are whole', async () => {
    const data = (await readdir(join(folder, 'data'))).filter(name => /-\d+$/.test(name) && name !== 'codec-zstd-0')
    const files = data.map(name => join(folder, 'data', name)).join()
    // Where something is wrong, what that is shows in the failure.
    const { stdout } = await dumpLog(['--verify', '--files', files]).catch((error: { stdout: string }) => error)
    expect(stdout).toMatch(/^\d+ files verified, no problems found\n$/)
  })
})

/** Records by every codec, one topic each, and groups that have committed. */
async function fill(servers: string): Promise<void> {
  for (const codec of CODECS)
    await javaTask(CLIENT, 'produce', servers, `codec-${codec}`, 1, 3000, 100, codec, 'all', true)
  await javaTask(CLIENT, 'consume', servers, 'codec-none', 1, 3000, 100, 'readers')
  await streamsTask('consumer-groups', servers, 'modern')
  await transact(servers)
  const admin = new Kafka({ brokers: servers.split(','), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'set', configEntries: [{ name: 'retention.ms', value: '1000' }] }] })
  await admin.disconnect()
}

/** Committed and aborted transactions in turn, offsets of a group in some, and one that is left open. */
async function transact(servers: string): Promise<void> {
  const kafka = new Kafka({ brokers: servers.split(','), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'txn', numPartitions: 1 }] })
  await admin.disconnect()
  const messages = [{ key: 'a', value: '1' }, { value: '2' }]
  const producer = kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  for (const isCommitted of [true, false, true, false]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'txn', messages })
    const topics = [{ topic: 'txn', partitions: [{ partition: 0, offset: '2' }] }]
    await transaction.sendOffsets({ consumerGroupId: 'group', topics })
    await (isCommitted ? transaction.commit() : transaction.abort())
  }
  const other = kafka.producer({ transactionalId: 'open', maxInFlightRequests: 1, idempotent: true })
  await other.connect()
  await (await other.transaction()).send({ topic: 'txn', messages: messages.slice(1) })
  for (const client of [producer, other]) await client.disconnect()
}
