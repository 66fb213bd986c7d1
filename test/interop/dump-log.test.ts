// Compares dump-log with Kafka's DumpLogSegments, line by line, for files that minikafka wrote and files that Kafka
// wrote.
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
import { createTopics } from './kafkajs-topics.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const CLIENT = '4.4.0'

interface Writer {
  readonly name: string
  /** Starts a broker on a directory; returns its address, and a function that stops it. */
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

  test("dump-log prints batches of every codec like Kafka's tool", () => compare(/^codec-.*\.log$/))
  test.each(CODECS)("dump-log prints records compressed with %s like Kafka's tool", codec =>
    compare(RegExp(`^codec-${codec}-0/.*\\.log$`), '--print-data-log')
  )
  test("dump-log prints records without metadata like Kafka's tool", () =>
    compare(/^codec-gzip-0\/.*\.log$/, '--print-data-log', '--skip-record-metadata'))
  test("dump-log prints the beginning of a log like Kafka's tool", () =>
    compare(/^codec-none-0\/.*\.log$/, '--deep-iteration', '--max-bytes', '40000'))
  test("dump-log prints values as numbers like Kafka's tool", () =>
    compare(/^codec-lz4-0\/.*\.log$/, '--value-decoder-class', 'org.apache.kafka.tools.api.LongDecoder'))
  test("dump-log prints the records of groups like Kafka's tool", () =>
    compare(/^__consumer_offsets-\d+\/.*\.log$/, '--offsets-decoder'))
  test('the files contain group records of all types', async () => {
    const files = (await named(/^__consumer_offsets-\d+\/.*\.log$/)).join()
    const { stdout } = await dumpLog(['--offsets-decoder', '--files', files])
    const types = new Set(stdout.match(/(?<=key: \{"type":")\d+/g))
    expect(types).toEqual(new Set(['1', '2', '3', '4', '5', '6', '7', '8', '16']))
    for (const once of ['"classicMemberMetadata":{', '"assignmentEpochs":[', '"metadataHash":', '"instanceId":"fixed"'])
      expect(stdout).toContain(once)
  })
  test("dump-log prints the cluster metadata like Kafka's tool", () =>
    compare(/^__cluster_metadata-0\/.*\.log$/, '--cluster-metadata-decoder'))
  test("dump-log prints metadata snapshots like Kafka's tool", () =>
    compare(/\.checkpoint$/, '--cluster-metadata-decoder'))
  test.each([[], ['--index-sanity-check'], ['--verify-index-only']])(
    "dump-log prints indexes like Kafka's tool, with options %j",
    async (...args) => {
      if ((await named(/\.(time)?index$/)).length > 0) await compare(/^codec-.*\.(time)?index$/, ...args)
    }
  )
  test("dump-log prints producer snapshots like Kafka's tool", async () => {
    if ((await named(/\.snapshot$/)).length > 0) await compare(/\.snapshot$/)
  })

  test("dump-log prints transactional batches and markers like Kafka's tool", () =>
    compare(/^txn-\d+\/.*\.log$/, '--print-data-log'))
  test("dump-log prints aborted transactions like Kafka's tool", () => compare(/^txn-\d+\/.*\.txnindex$/))
  test("dump-log prints the records of the transaction coordinator like Kafka's tool", () =>
    compare(/^__transaction_state-\d+\/.*\.log$/, '--transaction-log-decoder'))

  test('dump-log --transactions prints the result of every transaction', async () => {
    const { stdout } = await dumpLog(['--transactions', '--files', join(folder, 'data', 'txn-0')])
    expect(stdout.match(/(?<=records: )\d+ result: \w+/g)).toEqual([
      '2 result: COMMIT',
      '2 result: ABORT',
      '2 result: COMMIT',
      '2 result: ABORT',
      '1 result: OPEN'
    ])
  })

  test("dump-log prints a truncated log like Kafka's tool", async () => {
    const [file = ''] = await named(/^codec-zstd-0\/.*\.log$/)
    await truncate(file, 5000)
    await compare(/^codec-zstd-0\/.*\.log$/, '--deep-iteration')
  })

  test('dump-log --verify finds no problems in complete logs', async () => {
    const data = (await readdir(join(folder, 'data'))).filter(name => /-\d+$/.test(name) && name !== 'codec-zstd-0')
    const files = data.map(name => join(folder, 'data', name)).join()
    // If a problem is found, the failed assertion shows it.
    const { stdout } = await dumpLog(['--verify', '--files', files]).catch((error: { stdout: string }) => error)
    expect(stdout).toMatch(/^\d+ files verified, no problems found\n$/)
  })
})

/** Writes records with each codec, one topic each, and groups with committed offsets. */
async function fill(servers: string): Promise<void> {
  for (const codec of CODECS)
    await javaTask(CLIENT, 'produce', servers, `codec-${codec}`, 1, 3000, 100, codec, 'all', true)
  await javaTask(CLIENT, 'consume', servers, 'codec-none', 1, 3000, 100, 'readers')
  await streamsTask('consumer-groups', servers, 'modern')
  await transact(servers)
  const admin = new Kafka({ brokers: servers.split(','), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await createTopics(admin, [{ topic: 'set', configEntries: [{ name: 'retention.ms', value: '1000' }] }])
  await admin.disconnect()
}

/** Writes committed and aborted transactions, some with offsets of a group, and one that stays open. */
async function transact(servers: string): Promise<void> {
  const kafka = new Kafka({ brokers: servers.split(','), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await createTopics(admin, [{ topic: 'txn', numPartitions: 1 }])
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
