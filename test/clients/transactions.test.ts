// Transactions through kafkajs with a broker in the same process.
import { type Consumer, type EachMessagePayload, Kafka, logLevel, type Producer } from 'kafkajs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MiniKafka } from '../../src/index.ts'
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts'
import { Session } from '../interop/oracle/session.ts'

const PARTITIONS = 3

let kafka: MiniKafka
let client: Kafka
let opened: (Producer | Consumer)[]

beforeEach(async () => {
  const topics = ['t', 'input'].map(name => ({ name, partitions: PARTITIONS }))
  const config = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '50' }
  kafka = await MiniKafka.start({ topics, config })
  client = new Kafka({ brokers: [kafka.bootstrapServers], logLevel: logLevel.NOTHING })
  opened = []
})
afterEach(async () => {
  for (const client of opened) await client.disconnect()
  await kafka.stop()
})

test('a producer commits and aborts over several partitions', async () => {
  const producer = await transactional('tx')
  const aborted = await producer.transaction()
  await aborted.send({ topic: 't', messages: words('a', 'b', 'c') })
  await aborted.abort()
  const committed = await producer.transaction()
  await committed.send({ topic: 't', messages: words('d', 'e', 'f') })
  await committed.commit()
  expect(await read(3)).toEqual(['0/2 d', '1/2 e', '2/2 f'])
})

test('records are visible when the commit is answered, and the next transaction can begin', async () => {
  const producer = await transactional('tx')
  for (let offset = 0; offset < 40; offset += 2) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 't', messages: words('a') })
    await transaction.commit()
    expect(await stable()).toBe(`${offset + 2}`)
  }
})

test('a read_committed consumer waits at an open transaction, then continues behind it', async () => {
  const producer = await transactional('tx')
  const plain = await started(client.producer())
  await plain.send({ topic: 't', messages: words('before') })
  const transaction = await producer.transaction()
  await transaction.send({ topic: 't', messages: words('within') })
  await plain.send({ topic: 't', messages: words('after', 'elsewhere') })
  expect(await stable()).toBe('1')
  expect(await read(2)).toEqual(['0/0 before', '1/0 elsewhere'])
  await transaction.commit()
  expect(await read(4, 'later')).toEqual(['0/0 before', '0/1 within', '0/2 after', '1/0 elsewhere'])
})

test('a second producer of the same transactional id fences the first one and aborts its transaction', async () => {
  const first = await transactional('tx')
  const lost = await first.transaction()
  await lost.send({ topic: 't', messages: words('lost') })
  const second = await transactional('tx')
  const kept = await second.transaction()
  await kept.send({ topic: 't', messages: words('kept') })
  await kept.commit()
  await expect(lost.commit()).rejects.toMatchObject({ type: expect.stringMatching(/EPOCH|FENCED/) })
  expect(await read(1)).toEqual(['0/2 kept'])
})

test('a transaction beyond its timeout is aborted, and its producer fenced', async () => {
  const late = await started(
    client.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1, transactionTimeout: 100 })
  )
  const transaction = await late.transaction()
  await transaction.send({ topic: 't', messages: words('late') })
  await expect.poll(stable, { timeout: 20_000 }).toBe('2')
  await expect(transaction.commit()).rejects.toMatchObject({ type: expect.stringMatching(/EPOCH|FENCED/) })
})

test('offsets are committed with the records of their transaction or not at all', async () => {
  const plain = await started(client.producer())
  await plain.send({ topic: 'input', messages: words('a', 'b', 'c') })
  const producer = await transactional('tx')
  for (const isCommitted of [false, true]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 't', messages: words('A', 'B', 'C') })
    const partitions = [0, 1, 2].map(partition => ({ partition, offset: '1' }))
    await transaction.sendOffsets({ consumerGroupId: 'copier', topics: [{ topic: 'input', partitions }] })
    await (isCommitted ? transaction.commit() : transaction.abort())
    expect(await committed('copier')).toEqual(isCommitted ? ['1', '1', '1'] : ['-1', '-1', '-1'])
  }
  expect(await read(3)).toEqual(['0/2 A', '1/2 B', '2/2 C'])
})

test('an empty transaction can be committed and aborted', async () => {
  const producer = await transactional('tx')
  await (await producer.transaction()).commit()
  await (await producer.transaction()).abort()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 't', messages: words('a') })
  await transaction.commit()
  expect(await stable()).toBe('2')
})

/** The values go to the partitions in turn. */
function words(...values: string[]): { partition: number; value: string }[] {
  return values.map((value, index) => ({ partition: index % PARTITIONS, value }))
}

async function transactional(transactionalId: string): Promise<Producer> {
  return started(client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 }))
}

async function started<Client extends Producer | Consumer>(client: Client): Promise<Client> {
  await client.connect()
  opened.push(client)
  return client
}

/** The first records of the topic that a read_committed consumer finds, by partition and offset. */
async function read(count: number, groupId = 'readers'): Promise<string[]> {
  const consumer = await started(client.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 50 }))
  await consumer.subscribe({ topic: 't', fromBeginning: true })
  const seen: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ partition, message }: EachMessagePayload) => {
      if (seen.push(`${partition}/${message.offset} ${message.value}`) === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  return seen.sort()
}

/** The end offset of the first partition for read_committed, which kafkajs cannot request. */
async function stable(): Promise<string> {
  const session = new Session(kafka.bootstrapServers)
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1n, currentLeaderEpoch: -1 }] }]
  const answer = await session.sendRequest(ListOffsets, 8, { replicaId: -1, isolationLevel: 1, topics })
  await session.closeAll()
  return typeof answer === 'string' ? answer : `${answer.topics[0]?.partitions[0]?.offset}`
}

async function committed(groupId: string): Promise<string[]> {
  const admin = client.admin()
  await admin.connect()
  const [offsets] = await admin.fetchOffsets({ groupId, topics: ['input'] })
  await admin.disconnect()
  return (offsets?.partitions ?? []).sort((a, b) => a.partition - b.partition).map(({ offset }) => offset)
}
