/** The option `records`: initial records and transactions of a broker, read by a real client. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, type KafkaMessage, logLevel, Partitioners } from 'kafkajs'
import { expect, it, onTestFinished } from 'vitest'
import { ConfigError, MiniKafka, type MiniKafkaOptions } from '../../src/index.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'

const CONFIG = { 'group.initial.rebalance.delay.ms': 0 }

async function start(options: MiniKafkaOptions): Promise<MiniKafka> {
  const kafka = await MiniKafka.start({ ...options, config: { ...CONFIG, ...options.config } })
  onTestFinished(() => kafka.stop())
  return kafka
}

function client(kafka: MiniKafka): Kafka {
  return new Kafka({ ...kafka.clientConfig('kafkajs'), logLevel: logLevel.NOTHING })
}

type Received = KafkaMessage & { readonly partition: number }

/** The first `count` messages of a topic, without those of aborted and open transactions. */
async function read(kafka: MiniKafka, topic: string, count: number): Promise<readonly Received[]> {
  const consumer = client(kafka).consumer({ groupId: `readers of ${topic}`, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const received: Received[] = []
  await new Promise<void>(resolve => {
    const eachMessage = async ({ partition, message }: { partition: number; message: KafkaMessage }) => {
      received.push({ ...message, partition })
      if (received.length === count) resolve()
    }
    void consumer.run({ eachMessage })
  })
  await consumer.disconnect()
  return received
}

const values = (messages: readonly KafkaMessage[]) => messages.map(({ value }) => String(value)).sort()

/** The last stable offset of each partition. */
async function endOffsets(kafka: MiniKafka, topic: string): Promise<readonly string[]> {
  const admin = client(kafka).admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => high)
}

/** The message by which `MiniKafka.start` rejects options. */
async function refusal(options: MiniKafkaOptions): Promise<string> {
  const error: unknown = await start(options).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).message
}

it('a client reads keys, values, headers and timestamps of the records', async () => {
  const kafka = await start({
    topics: ['orders'],
    records: [
      {
        topic: 'orders',
        key: 'k',
        value: '{"id":1}',
        headers: { a: 'x', b: ['y', 'z'] },
        timestamp: Date.now() - 1000
      },
      { topic: 'orders', key: new Uint8Array([1, 2]), value: null, timestamp: new Date(Date.now() - 500) },
      { topic: 'orders' }
    ]
  })
  const [first, second, third] = await read(kafka, 'orders', 3)
  expect(String(first?.key)).toBe('k')
  expect(String(first?.value)).toBe('{"id":1}')
  expect(first?.headers).toMatchObject({ a: Buffer.from('x'), b: [Buffer.from('y'), Buffer.from('z')] })
  expect(second).toMatchObject({ key: Buffer.from([1, 2]), value: null })
  expect(third).toMatchObject({ key: null, value: null })
  const times = [first, second, third].map(message => Number(message?.timestamp))
  expect(times).toEqual([...times].sort((a, b) => a - b))
})

it('keyed records are in the partitions that a client chooses, and records without a key in turns', async () => {
  const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`)
  const records = keys.map(key => ({ topic: 'seeded', key, value: key }))
  const kafka = await start({
    topics: ['seeded', 'produced'].map(name => ({ name, partitions: 5 })),
    records: [...records, ...['a', 'b', 'c', 'd', 'e', 'f'].map(value => ({ topic: 'turns', value }))],
    config: { 'num.partitions': 3 }
  })
  const producer = client(kafka).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic: 'produced', messages: keys.map(key => ({ key, value: key })) })
  await producer.disconnect()
  const partitions = async (topic: string) =>
    Object.fromEntries((await read(kafka, topic, keys.length)).map(({ key, partition }) => [String(key), partition]))
  expect(await partitions('seeded')).toEqual(await partitions('produced'))
  expect(await endOffsets(kafka, 'turns')).toEqual(['2', '2', '2'])
})

it('a record is in the partition that it names', async () => {
  const kafka = await start({
    topics: [{ name: 'orders', partitions: 3 }],
    records: [{ topic: 'orders', key: 'k', value: 'v', partition: 2 }]
  })
  expect(await endOffsets(kafka, 'orders')).toEqual(['0', '0', '1'])
})

it.each([0, 1, 2])('transactions commit, abort or stay open with transaction.version %i', async version => {
  const kafka = await start({
    topics: [{ name: 'orders', partitions: 2 }, 'open'],
    config: { 'minikafka.transaction.version': version },
    records: [
      { topic: 'orders', value: 'plain', partition: 0 },
      {
        transactionalId: 'pay-1',
        records: [
          { topic: 'orders', value: 'committed', partition: 0 },
          { topic: 'orders', value: 'committed too', partition: 1 },
          { topic: 'orders', value: 'committed with it', partition: 1 }
        ]
      },
      { transactionalId: 'pay-1', result: 'abort', records: [{ topic: 'orders', value: 'aborted', partition: 0 }] },
      { transactionalId: 'pay-1', result: 'commit', records: [{ topic: 'orders', value: 'last', partition: 1 }] },
      { topic: 'open', value: 'before' },
      { transactionalId: 'pay-2', result: 'open', records: [{ topic: 'open', value: 'undecided' }] },
      { topic: 'open', value: 'behind' }
    ]
  })
  expect(values(await read(kafka, 'orders', 5))).toEqual([
    'committed',
    'committed too',
    'committed with it',
    'last',
    'plain'
  ])
  expect(values(await read(kafka, 'open', 1))).toEqual(['before'])
  expect(await endOffsets(kafka, 'open')).toEqual(['1'])
  const producer = client(kafka).producer({ transactionalId: 'pay-2', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'open', messages: [{ value: 'end' }] })
  await transaction.commit()
  await producer.disconnect()
  expect(await endOffsets(kafka, 'open')).toEqual(['6'])
})

it('many records of different sizes are read in order', async () => {
  const sizes = Array.from({ length: 3000 }, (_, index) => (index % 100 === 0 ? 200_000 : index % 50))
  const kafka = await start({
    records: sizes.map((size, index) => ({ topic: 'orders', key: `${index}`, value: 'x'.repeat(size) }))
  })
  const messages = await read(kafka, 'orders', sizes.length)
  expect(messages.map(({ key }) => String(key))).toEqual(sizes.map((_, index) => `${index}`))
})

it('batches are split by the max.message.bytes of their topic', async () => {
  const kafka = await start({
    topics: [{ name: 'small', config: { 'max.message.bytes': 200 } }],
    records: Array.from({ length: 100 }, (_, index) => ({ topic: 'small', value: `${index}` }))
  })
  expect(await endOffsets(kafka, 'small')).toEqual(['100'])
})

it('a refused record leaves earlier ones in a topic that existed, and the error says so', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'records-'))
  try {
    await (await start({ dataDir, topics: ['orders'] })).stop()
    const value = 'x'.repeat(400_000)
    const records = [
      ...Array.from({ length: 3 }, () => ({ topic: 'orders', value })),
      { topic: 'new', value },
      { topic: 'orders', partition: 7 }
    ]
    await expect(start({ dataDir, records })).rejects.toThrow(
      'MiniKafka.start: records[4]: partition is 7, but topic orders has partition 0 alone; records that were already written remain in orders, and later starts skip them: delete the topic to write all records again'
    )
    expect(readFileSync(join(dataDir, 'minikafka-partial-topics'), 'utf8')).toBe('orders\n')
  } finally {
    rmSync(dataDir, { recursive: true })
  }
})

it('a start that is killed while it writes records leaves a warning for the next, until the topic is written wholly', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'records-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const records = [
    { topic: 'orders', value: 'tea' },
    { topic: 'payments', value: '3' }
  ]
  const warnings = async () => {
    const logger = new RecordingLogger()
    await (await start({ dataDir, records, logger })).stop()
    return logger.messages('warn')
  }
  expect(await warnings()).toEqual([])
  expect(readdirSync(dataDir)).not.toContain('minikafka-partial-topics')
  // A killed start leaves its mark file.
  writeFileSync(join(dataDir, 'minikafka-partial-topics'), 'orders\n')
  const warning =
    'topic orders may have only a part of its initial records, because an earlier start was interrupted; delete the topic to write all records again'
  expect([await warnings(), await warnings()]).toEqual([[warning], [warning]])
  const kafka = await start({ dataDir })
  const admin = client(kafka).admin()
  await admin.deleteTopics({ topics: ['orders'] })
  await admin.disconnect()
  await kafka.stop()
  expect([await warnings(), await warnings()]).toEqual([[], []])
  expect(readdirSync(dataDir)).not.toContain('minikafka-partial-topics')
})

it('records are written once: a topic of a kept directory that has held records gets none', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'records-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const records = [
    { topic: 'orders', value: 'one coffee' },
    { transactionalId: 'pay-1', records: [{ topic: 'payments', value: '3' }] }
  ]
  const first = await start({ dataDir, records })
  await first.stop()
  const logger = new RecordingLogger()
  const more = [
    ...records,
    { topic: 'users', value: 'u' },
    { transactionalId: 'pay-2', records: [{ topic: 'users', value: 'v' }, { topic: 'orders' }] }
  ]
  const second = await start({ dataDir, records: more, logger })
  expect(await endOffsets(second, 'orders')).toEqual(['1'])
  expect(await endOffsets(second, 'payments')).toEqual(['2'])
  expect(await endOffsets(second, 'users')).toEqual(['1'])
  expect(logger.messages('info').filter(message => message.includes('had records'))).toEqual([
    'no records are written to topic orders, because it has had records before',
    'no records are written to topic payments, because it has had records before',
    'no transaction of pay-1 is written, because topic payments has had records before',
    'no transaction of pay-2 is written, because topic orders has had records before'
  ])
})

it('a start that fails takes back the topics that it has created, and a corrected one writes all records', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'records-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const orders = { topic: 'orders', value: 'one coffee' }
  expect(await refusal({ dataDir, topics: ['empty'], records: [orders, { topic: 'orders', partition: 1 }] })).toContain(
    'partition is 1'
  )
  const kafka = await start({ dataDir, records: [orders] })
  expect(await endOffsets(kafka, 'orders')).toEqual(['1'])
  const admin = client(kafka).admin()
  expect(await admin.listTopics()).not.toContain('empty')
  await admin.disconnect()
})

it('clients that connect during the start wait until all records are written', async () => {
  const probe = await start({})
  const port = Number(probe.bootstrapServers.split(':')[1])
  await probe.stop()
  const records = Array.from({ length: 20_000 }, (_, index) => ({ topic: 'orders', value: `${index}` }))
  const starting = start({ port, records })
  const admin = new Kafka({ brokers: [`localhost:${port}`], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  expect(await admin.fetchTopicOffsets('orders')).toMatchObject([{ high: '20000' }])
  await admin.disconnect()
  await starting
})

it.each<{ options: MiniKafkaOptions; message: string }>([
  {
    options: { topics: [{ name: 'orders', partitions: 3 }], records: [{ topic: 'orders', partition: 3 }] },
    message: 'MiniKafka.start: records[0]: partition is 3, but topic orders has partitions 0 to 2'
  },
  {
    options: { records: [{ topic: 'orders' }, { topic: 'or/ders' }] },
    message: `MiniKafka.start: records[1]: topic or/ders cannot be created: Topic name is invalid: 'or/ders' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  },
  {
    options: {
      topics: [{ name: 'users', config: { 'cleanup.policy': 'compact' } }],
      records: [
        { topic: 'users', key: 'u' },
        { topic: 'users', value: 'no key' }
      ]
    },
    message:
      'MiniKafka.start: records[1]: topic users refuses the record: INVALID_RECORD (Compacted topic cannot accept message without key in topic partition users-0)'
  },
  {
    options: {
      records: [
        { topic: 'orders', value: 'small' },
        { topic: 'orders', value: new Uint8Array(2_000_000) }
      ]
    },
    message:
      'MiniKafka.start: records[1]: topic orders refuses the record: MESSAGE_TOO_LARGE (it has about 2000032 bytes, more than max.message.bytes or segment.bytes of the topic)'
  },
  {
    options: { records: [{ topic: '__consumer_offsets', value: 'v' }] },
    message: 'MiniKafka.start: records[0]: topic __consumer_offsets refuses the record: INVALID_TOPIC_EXCEPTION'
  },
  {
    options: {
      records: [
        { transactionalId: 'pay-1', result: 'open', records: [{ topic: 'orders' }] },
        { transactionalId: 'pay-1', records: [{ topic: 'orders' }] }
      ]
    },
    message:
      'MiniKafka.start: records[1]: an earlier element keeps a transaction of pay-1 open; use another transactionalId'
  },
  {
    options: { records: [{ transactionalId: 'pay-1', records: [{ topic: 'a' }, { topic: 'a', partition: 9 }] }] },
    message: 'MiniKafka.start: records[0], records[1]: partition is 9, but topic a has partition 0 alone'
  }
])('a record that the broker cannot take ends the start: $message', async ({ options, message }) => {
  expect(await refusal(options)).toBe(message)
})

it.each<{ records: unknown; message: string }>([
  {
    records: 'orders',
    message: ` is "orders", but must be an array of records, as in [{ topic: 'orders', key: 'k', value: 'v' }]`
  },
  { records: [7], message: `[0] is 7, but must be an object, as in { topic: 'orders', key: 'k', value: 'v' }` },
  { records: [{ topic: 'a' }, { value: 'v' }], message: '[1] lacks the field topic: the name of the topic' },
  { records: [{ topic: 'a', valeu: 'v' }], message: '[0] has no field valeu; did you mean value?' },
  {
    records: [{ topic: 'a', value: { id: 1 } }],
    message: '[0].value is an object, but must be a string, a Uint8Array or null'
  },
  { records: [{ topic: 'a', key: 7 }], message: '[0].key is 7, but must be a string, a Uint8Array or null' },
  {
    records: [{ topic: 'a', key: new Uint16Array(1) }],
    message: '[0].key is an object of class Uint16Array, but must be a string, a Uint8Array or null'
  },
  {
    records: [{ topic: 'a', partition: -1 }],
    message: '[0].partition is -1, but must be a whole number from 0 to 2147483647'
  },
  {
    records: [{ topic: 'a', timestamp: Number.NaN }],
    message: '[0].timestamp is NaN, but must be milliseconds since 1970 as a whole number from 0, or a valid Date'
  },
  {
    records: [{ topic: 'a', timestamp: new Date(Number.NaN) }],
    message:
      '[0].timestamp is Invalid Date, but must be milliseconds since 1970 as a whole number from 0, or a valid Date'
  },
  {
    records: [{ topic: 'a', timestamp: '2024-01-01' }],
    message:
      '[0].timestamp is "2024-01-01", but must be milliseconds since 1970 as a whole number from 0, or a valid Date'
  },
  {
    records: [{ topic: 'a', headers: ['x'] }],
    message: `[0].headers is an array, but must be an object of header values, as in { source: 'test' }`
  },
  {
    records: [{ topic: 'a', headers: new Map() }],
    message: `[0].headers is an object of class Map, but must be an object of header values, as in { source: 'test' }`
  },
  {
    records: [{ topic: 'a', headers: { h: 7 } }],
    message: '[0].headers.h is 7, but must be a string, a Uint8Array, null, or an array of these'
  },
  {
    records: [{ topic: 'a', headers: { 'x-y': ['a', 7] } }],
    message: '[0].headers["x-y"][1] is 7, but must be a string, a Uint8Array or null'
  },
  {
    records: [{ transactionalId: 't', records: [] }],
    message: '[0].records is an empty array, but must be an array of one record or more'
  },
  { records: [{ transactionalId: 't' }], message: '[0] lacks the field records: the records of the transaction' },
  {
    records: [{ records: [{ topic: 'a' }] }],
    message: '[0] lacks the field transactionalId: the transactional id of a producer'
  },
  {
    records: [{ transactionalId: 't', result: 'comit', records: [{ topic: 'a' }] }],
    message: `[0].result is "comit", but must be "commit", "abort" or "open"; did you mean commit?`
  },
  {
    records: [{ transactionalId: 't', records: [{ topic: 'a' }, { transactionalId: 'u', records: [] }] }],
    message: '[0].records[1] has no field transactionalId'
  }
])('a record of a wrong shape is refused before the broker starts: records$message', async ({ records, message }) => {
  expect(await refusal({ records: records as [] })).toBe(`MiniKafka.start: records${message}`)
})
