/**
 * A full disk: requests that write are refused and leave no partial change, other requests are served, and writes work again with
 * free space.
 */
import { expect, it } from 'vitest'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { MemoryStorage, type StorageFault, type StorageOperation } from '../../src/storage/memory-storage.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const CONFIG = { 'offsets.topic.num.partitions': 1, 'offsets.topic.replication.factor': 1 }
const TOPIC_CONFIG = { 'internal.segment.bytes': '250', 'index.interval.bytes': '100' }
const NEEDS_ROOM: ReadonlySet<string> = new Set(['append', 'makeDirectory'])

/** Storage that can be full. It then writes half of the bytes and fails. */
class Disk {
  isFull = false
  readonly storage = new MemoryStorage({ fault: operation => this.#fault(operation) })

  #fault({ name, bytes }: StorageOperation): StorageFault | undefined {
    if (!this.isFull || !NEEDS_ROOM.has(name)) return undefined
    return { error: new StorageError('full', 'no room'), writtenBytes: bytes >> 1 }
  }
}

/** Client requests that need disk space. Each returns its error code. */
class Client {
  readonly broker: Harness
  readonly topicId: string
  sequence = 0

  private constructor(broker: Harness, topicId: string) {
    this.broker = broker
    this.topicId = topicId
  }

  static async start(storage: MemoryStorage): Promise<Client> {
    const broker = await Harness.start({ storage, config: CONFIG })
    const topicId = await broker.createTopic('t', 2, TOPIC_CONFIG)
    await broker.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    const client = new Client(broker, topicId)
    for (let record = 0; record < 5; record++) expect(await client.produce()).toBe('NONE')
    expect(await client.commit(1n)).toBe('NONE')
    return client
  }

  async produce(): Promise<string> {
    const options = { producerId: 5n, producerEpoch: 0, baseSequence: this.sequence }
    const { errorCode } = await this.broker.produce(this.topicId, batchOf([`${this.sequence}`], options))
    if (errorCode === 'NONE') this.sequence++
    return errorCode
  }

  /** To a partition without earlier requests. */
  async produceElsewhere(): Promise<string> {
    return (await this.broker.produce(this.topicId, batchOf(['elsewhere']), { index: 1 })).errorCode
  }

  async commit(committedOffset: bigint): Promise<string | undefined> {
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: null }]
    const request = { groupId: 'g', generationIdOrMemberEpoch: -1, topics: [{ name: 't', partitions }] }
    return (await this.broker.request('OffsetCommit', request, { version: 9 })).topics[0]?.partitions[0]?.errorCode
  }

  async committed(): Promise<bigint | undefined> {
    const groups = [{ groupId: 'g', memberId: null, topics: [{ name: 't', partitionIndexes: [0] }] }]
    const [group] = (await this.broker.request('OffsetFetch', { groups }, { version: 9 })).groups
    return group?.topics[0]?.partitions[0]?.committedOffset
  }

  async create(name: string): Promise<string | undefined> {
    const topics = [{ name, numPartitions: 1, replicationFactor: 1 }]
    return (await this.broker.request('CreateTopics', { topics })).topics[0]?.errorCode
  }
}

/** All records of the first partition, segment by segment. */
async function valuesOf(broker: Harness, topicId: string): Promise<string[]> {
  const values: string[] = []
  for (let more = await broker.values(topicId); more.length > 0; ) {
    values.push(...more)
    more = await broker.values(topicId, BigInt(values.length))
  }
  return values
}

const count = (length: number) => Array.from({ length }, (_, index) => `${index}`)

it('a broker on a full disk refuses requests that write, serves the others, and recovers with free space', async () => {
  const disk = new Disk()
  const client = await Client.start(disk.storage)
  for (let round = 0; round < 4; round++) {
    disk.isFull = true
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await client.produce()).toBe('KAFKA_STORAGE_ERROR')
      if (round === 0) expect(await client.produceElsewhere()).toBe('KAFKA_STORAGE_ERROR')
      expect(await client.commit(9n)).not.toBe('NONE')
      expect(await client.create(`u${round}`)).toBe('KAFKA_STORAGE_ERROR')
      // Checkpoints are due.
      client.broker.clock.advance(60_000)
      await yieldToEventLoop()
    }
    expect(await valuesOf(client.broker, client.topicId)).toEqual(count(client.sequence))
    expect(await client.committed()).toBe(BigInt(round + 1))
    disk.isFull = false
    for (let record = 0; record < 3; record++) expect(await client.produce()).toBe('NONE')
    expect(await client.produceElsewhere()).toBe('NONE')
    expect(await client.commit(BigInt(round + 2))).toBe('NONE')
    expect(await client.create(`u${round}`)).toBe('NONE')
  }
  expect(await valuesOf(client.broker, client.topicId)).toEqual(count(17))
})

it('a broker on a full disk deletes old records by retention and by DeleteRecords', async () => {
  const disk = new Disk()
  const storage = disk.storage
  const broker = await Harness.start({ storage, config: CONFIG })
  const topicId = await broker.createTopic('t', 1, { ...TOPIC_CONFIG, 'retention.ms': '60000' })
  const logs = () => storage.list('t-0').filter(({ name }) => name.endsWith('.log')).length
  const timestamp = BigInt(broker.clock.wall.now())
  for (let record = 0; record < 10; record++) await broker.produce(topicId, batchOf([`${record}`], {}, timestamp))
  expect(logs()).toBe(4)
  disk.isFull = true
  const partitions = [{ partitionIndex: 0, offset: 4n }]
  const { topics } = await broker.request('DeleteRecords', { topics: [{ name: 't', partitions }], timeoutMs: 1000 })
  expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: 'NONE', lowWatermark: 4n })
  broker.clock.advance(400_000)
  await yieldToEventLoop()
  // There is no space for the new segment that must exist before the last one is deleted.
  expect(logs()).toBe(1)
  disk.isFull = false
  broker.clock.advance(400_000)
  await yieldToEventLoop()
  await broker.stop()
  expect(storage.list('t-0').map(({ name }) => name)).toContain('00000000000000000010.log')
  expect(logs()).toBe(1)
  const epochs = 't-0/leader-epoch-checkpoint'
  expect(storage.read(epochs, 0, storage.size(epochs)).toString()).toBe('0\n1\n0 10\n')
})

it('a start after a kill finds no trace of the refused requests', async () => {
  const disk = new Disk()
  const client = await Client.start(disk.storage)
  disk.isFull = true
  await client.produce()
  await client.create('u')
  disk.isFull = false
  const again = await Harness.start({ storage: disk.storage.die(), config: CONFIG, clock: new ManualClock() })
  expect(await valuesOf(again, client.topicId)).toEqual(count(5))
  const { topics } = await again.request('Metadata', { topics: [{ name: 'u' }], allowAutoTopicCreation: false })
  expect(topics[0]?.errorCode).toBe('UNKNOWN_TOPIC_OR_PARTITION')
})

it('a start on a full disk fails as a whole, and the next start succeeds', async () => {
  const disk = new Disk()
  const client = await Client.start(disk.storage)
  await client.broker.stop()
  disk.isFull = true
  await expect(Harness.start({ storage: disk.storage, config: CONFIG })).rejects.toMatchObject({ kind: 'full' })
  disk.isFull = false
  const again = await Harness.start({ storage: disk.storage, config: CONFIG })
  expect(await valuesOf(again, client.topicId)).toEqual(count(5))
})
