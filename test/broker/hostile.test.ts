/** Small requests that cause much work, and a disk that fails during a metadata change. */
import { describe, expect, it } from 'vitest'
import { APIS } from '../../src/protocol/messages/index.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'

/** Counts the writes to the metadata log. */
class CountingStorage extends MemoryStorage {
  metadataAppends = 0
  override append(path: string, bytes: Buffer): void {
    if (path.startsWith('__cluster_metadata-0') && path.endsWith('.log')) this.metadataAppends++
    super.append(path, bytes)
  }
}

/** Storage that can be set to have no free space. */
class FillingStorage extends MemoryStorage {
  isFull = false
  override append(path: string, bytes: Buffer): void {
    if (this.isFull) throw new StorageError('full', 'no room')
    super.append(path, bytes)
  }
}

/** Refuses to rename one folder. */
class StubbornStorage extends MemoryStorage {
  override rename(from: string, to: string): void {
    if (from === 'doomed-1') throw new StorageError('other', 'that folder cannot be renamed')
    super.rename(from, to)
  }
}

describe('a small request', () => {
  it('with many missing topics creates them by one write', async () => {
    const storage = new CountingStorage()
    await using broker = await Harness.start({ storage })
    const before = storage.metadataAppends
    const topics = Array.from({ length: 500 }, (_, index) => ({ name: `auto-${index}` }))
    const answer = await broker.request('Metadata', { topics, allowAutoTopicCreation: true })
    expect(answer.topics.filter(({ errorCode }) => errorCode === 'NONE')).toHaveLength(500)
    expect(storage.metadataAppends - before).toBe(1)
  })

  it('with more missing topics than one request may create is refused topic by topic', async () => {
    await using broker = await Harness.start()
    const topics = Array.from({ length: 10_001 }, (_, index) => ({ name: `auto-${index}` }))
    const answer = await broker.request('Metadata', { topics, allowAutoTopicCreation: true })
    expect(new Set(answer.topics.map(({ errorCode }) => errorCode))).toEqual(new Set(['POLICY_VIOLATION']))
    expect((await broker.request('Metadata', { topics: null })).topics).toEqual([])
  })

  it('that fetches one partition many times reads it once', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a']))
    const partitions = Array.from({ length: 1000 }, () => ({ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1000 }))
    const request = broker.fetchRequest(topicId, 0n, { topics: [{ topicId, partitions }] })
    expect((await broker.request('Fetch', request)).responses[0]?.partitions).toHaveLength(1)
  })

  it('that names one transaction or the producers of one partition many times gets each once', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t')
    await broker.request('FindCoordinator', { keyType: 1, coordinatorKeys: ['tx'] })
    const transactionalIds = Array.from({ length: 1000 }, () => 'tx')
    const { transactionStates } = await broker.request('DescribeTransactions', { transactionalIds })
    expect(transactionStates).toHaveLength(1)
    const partitionIndexes = Array.from({ length: 1000 }, () => 0)
    const twice = { name: 't', partitionIndexes }
    const { topics } = await broker.request('DescribeProducers', { topics: [twice, twice] })
    expect(topics).toMatchObject([{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 'NONE' }] }])
  })

  it('that adds one topic to a transaction in thousands of pieces is processed in one pass', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t')
    const v3AndBelowTopics = Array.from({ length: 40_000 }, (_, index) => ({ name: 't', partitions: [index] }))
    const producer = { v3AndBelowTransactionalId: 'tx', v3AndBelowProducerId: 7n, v3AndBelowProducerEpoch: 0 }
    const answer = await broker.request('AddPartitionsToTxn', { ...producer, v3AndBelowTopics }, { version: 3 })
    expect(answer.resultsByTopicV3AndBelow).toHaveLength(40_000)
  })

  it('with acks=0 that fails in all partitions is logged in one short line', async () => {
    await using broker = await Harness.start()
    const partitionData = Array.from({ length: 1000 }, (_, index) => ({ index, records: batchOf(['a']) }))
    const topicData = [{ topicId: await broker.createTopic('t', 1), partitionData }]
    const sent = broker.send('Produce', { transactionalId: null, acks: 0, timeoutMs: 0, topicData })
    await expect(sent).rejects.toMatchObject({ reason: { failures: { length: 3 }, failureCount: 999 } })
  })
})

describe('a change of metadata', () => {
  it('that is in the metadata log takes effect even if a folder cannot be renamed', async () => {
    await using broker = await Harness.start({ storage: new StubbornStorage() })
    const doomed = await broker.createTopic('doomed', 3)
    for (const index of [0, 1, 2]) await broker.produce(doomed, batchOf(['a']), { index })
    const waiting = broker.request('Fetch', broker.fetchRequest(doomed, 1n, { maxWaitMs: 60_000 }, 2))
    const answer = await broker.request('DeleteTopics', { topics: [{ name: 'doomed' }], timeoutMs: 1000 })
    expect(answer.responses).toMatchObject([{ errorCode: 'NONE' }])
    expect((await waiting).responses[0]?.partitions[0]?.errorCode).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(broker.storage.exists('doomed-2')).toBe(false)
  })

  it('that cannot be appended is an error of every topic and has no effect', async () => {
    const storage = new FillingStorage()
    await using broker = await Harness.start({ storage })
    await broker.createTopic('old')
    storage.isFull = true
    const topics = [{ name: 'new', numPartitions: 1, replicationFactor: 1 }]
    expect((await broker.request('CreateTopics', { topics })).topics).toMatchObject([
      { errorCode: 'KAFKA_STORAGE_ERROR' }
    ])
    const removed = await broker.request('DeleteTopics', { topics: [{ name: 'old' }], timeoutMs: 1000 })
    expect(removed.responses).toMatchObject([{ errorCode: 'KAFKA_STORAGE_ERROR' }])
    const grown = await broker.request('CreatePartitions', { topics: [{ name: 'old', count: 2 }], timeoutMs: 1000 })
    expect(grown.results).toMatchObject([{ errorCode: 'KAFKA_STORAGE_ERROR' }])
    storage.isFull = false
    expect((await broker.request('Metadata', { topics: null })).topics.map(({ name }) => name)).toEqual(['old'])
  })
})

it('a full disk is logged once a minute for any number of requests', async () => {
  const storage = new FillingStorage()
  const logger = new RecordingLogger()
  await using broker = await Harness.start({ storage, logger })
  const topicId = await broker.createTopic('t')
  storage.isFull = true
  for (let count = 0; count < 3; count++) {
    expect((await broker.produce(topicId, batchOf(['a']))).errorCode).toBe('KAFKA_STORAGE_ERROR')
  }
  storage.isFull = false
  expect(logger.messages('error').filter(message => message.includes('no room'))).toHaveLength(1)
})

describe('a request that is refused as a whole', () => {
  it('is answered topic by topic if the response has no top-level error code', async () => {
    await using broker = await Harness.start()
    const cursor = { topicName: 'b', partitionIndex: 0 }
    const paged = await broker.request('DescribeTopicPartitions', {
      topics: [{ name: 'a' }],
      responsePartitionLimit: 9,
      cursor
    })
    expect(paged.topics).toMatchObject([{ name: 'a', errorCode: 'INVALID_REQUEST' }])
    const byId = { topics: [{ name: 'x', topicId: 'AAECAwQFBgcICQoLDA0ODw' }] }
    const old = await broker.request('Metadata', byId, { version: 11 })
    expect(old.topics).toMatchObject([{ name: 'x', errorCode: 'INVALID_REQUEST' }])
  })

  it('is COORDINATOR_NOT_AVAILABLE if __consumer_offsets cannot be created', async () => {
    await using broker = await Harness.start({ config: { 'offsets.topic.replication.factor': 3 } })
    const { coordinators } = await broker.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    expect(coordinators).toMatchObject([{ errorCode: 'COORDINATOR_NOT_AVAILABLE', nodeId: -1 }])
  })
})

describe('a start that fails', () => {
  it('leaves no timer behind', async () => {
    const storage = new MemoryStorage()
    const first = await Harness.start({ storage })
    await first.stop()
    const snapshot = '__cluster_metadata-0/00000000000000000000-0000000000.checkpoint'
    storage.truncate(snapshot, storage.size(snapshot) - 1)
    const { clock } = first
    await expect(Harness.start({ storage, clock })).rejects.toThrow()
    expect(clock.pendingAlarms).toBe(0)
  })
})

it('a partition has a leader epoch before its first record, as in Kafka', async () => {
  await using broker = await Harness.start()
  await broker.createTopic('t')
  const topics = [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: 0, leaderEpoch: 0 }] }]
  const answer = await broker.request('OffsetForLeaderEpoch', { replicaId: -1, topics })
  expect(answer.topics[0]?.partitions).toMatchObject([{ errorCode: 'NONE', leaderEpoch: 0, endOffset: 0n }])
})

it('a broker does not create the topics of missing coordinators', async () => {
  await using broker = await Harness.start()
  const topics = [{ name: '__share_group_state' }]
  const answer = await broker.request('Metadata', { topics, allowAutoTopicCreation: true })
  expect(answer.topics.map(({ errorCode }) => errorCode)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION'])
  expect(APIS).not.toHaveProperty('ShareFetch')
})

it('the files of a deleted topic stay for the file.delete.delay.ms of the topic, also after a restart', async () => {
  const storage = new MemoryStorage()
  const first = await Harness.start({ storage })
  const topicId = await first.createTopic('t', 1, { 'file.delete.delay.ms': '5000' })
  await first.produce(topicId, batchOf(['a']))
  await first.stop()
  await using broker = await Harness.start({ storage })
  await broker.request('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
  const deleted = () => storage.list('').filter(({ name }) => name.endsWith('-delete'))
  expect(deleted()).toHaveLength(1)
  broker.clock.advance(5000)
  await yieldToEventLoop()
  expect(deleted()).toHaveLength(0)
})
