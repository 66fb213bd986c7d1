import { describe, expect, it } from 'vitest'
import { MemoryStorage } from '../../../../src/storage/memory-storage.ts'
import { batchOf, Harness } from '../../../../src/testing/harness.ts'

describe('topics', () => {
  it('survive a restart with ids, configs and records', async () => {
    const storage = new MemoryStorage()
    const before = await Harness.start({ storage })
    const topicId = await before.createTopic('t', 2, { 'retention.ms': '1234' })
    await before.produce(topicId, batchOf(['a', 'b']))
    await before.stop()
    await using after = await Harness.start({ storage })
    const { topics } = await after.request('Metadata', { topics: null })
    expect(topics).toMatchObject([{ name: 't', topicId, partitions: [{ leaderId: 1 }, { leaderId: 1 }] }])
    expect(await after.values(topicId)).toEqual(['a', 'b'])
    const { results } = await after.request('DescribeConfigs', {
      resources: [{ resourceType: 2, resourceName: 't', configurationKeys: ['retention.ms'] }]
    })
    expect(results[0]?.configs).toMatchObject([{ name: 'retention.ms', value: '1234', configSource: 1 }])
  })

  it.each(['created', 'created by Metadata'])(
    'a deleted topic leaves none of its configs to a topic of the same name that is %s',
    async how => {
      await using broker = await Harness.start()
      const first = await broker.createTopic('t', 1, { 'max.message.bytes': '100' })
      expect(await broker.produce(first, batchOf(['x'.repeat(200)]))).toMatchObject({ errorCode: 'MESSAGE_TOO_LARGE' })
      await broker.request('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
      if (how === 'created') await broker.createTopic('t')
      const { topics } = await broker.request('Metadata', { topics: [{ name: 't' }], allowAutoTopicCreation: true })
      const second = await broker.produce(topics[0]?.topicId ?? '', batchOf(['x'.repeat(200)]))
      expect(second).toMatchObject({ errorCode: 'NONE' })
    }
  )

  it('are created by Metadata if the client and the broker allow it', async () => {
    await using broker = await Harness.start({ config: { 'num.partitions': 3 } })
    const sendRequest = (name: string, allowAutoTopicCreation: boolean) =>
      broker.request('Metadata', { topics: [{ name }], allowAutoTopicCreation })
    expect((await sendRequest('auto', false)).topics[0]?.errorCode).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect((await sendRequest('auto', true)).topics[0]?.partitions).toHaveLength(3)
    expect((await sendRequest('bad name!', true)).topics[0]?.errorCode).toBe('INVALID_TOPIC_EXCEPTION')
  })

  it('are not created by Metadata if the broker forbids it', async () => {
    await using broker = await Harness.start({ config: { 'auto.create.topics.enable': false } })
    const { topics } = await broker.request('Metadata', { topics: [{ name: 't' }], allowAutoTopicCreation: true })
    expect(topics[0]?.errorCode).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  it('are found by id, and a recreated topic has another id', async () => {
    await using broker = await Harness.start()
    const first = await broker.createTopic('t')
    await broker.produce(first, batchOf(['old']))
    await broker.request('DeleteTopics', { topics: [{ name: null, topicId: first }], timeoutMs: 1000 })
    const second = await broker.createTopic('t')
    expect(second).not.toBe(first)
    expect(await broker.values(second)).toEqual([])
    const { topics } = await broker.request('Metadata', { topics: [{ topicId: first, name: null }] })
    expect(topics).toMatchObject([{ errorCode: 'UNKNOWN_TOPIC_ID', name: null }])
  })

  it('are not created with validateOnly', async () => {
    await using broker = await Harness.start()
    const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1 }]
    const answer = await broker.request('CreateTopics', { topics, validateOnly: true })
    expect(answer.topics).toMatchObject([{ errorCode: 'NONE', numPartitions: 1 }])
    expect((await broker.request('Metadata', { topics: null })).topics).toEqual([])
  })

  it('are created with a response that has their configs', async () => {
    await using broker = await Harness.start()
    const topics = [
      { name: 't', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'max.message.bytes', value: '99' }] }
    ]
    const answer = await broker.request('CreateTopics', { topics })
    expect(answer.topics[0]?.configs).toContainEqual(
      expect.objectContaining({ name: 'max.message.bytes', value: '99', configSource: 1 })
    )
  })

  it('get more partitions, which accept records', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const { results } = await broker.request('CreatePartitions', { topics: [{ name: 't', count: 3 }], timeoutMs: 1000 })
    expect(results).toMatchObject([{ errorCode: 'NONE' }])
    expect((await broker.produce(topicId, batchOf(['a']), { index: 2 })).errorCode).toBe('NONE')
  })

  it('use changed configs at once', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const alter = (value: string) =>
      broker.request('IncrementalAlterConfigs', {
        resources: [
          { resourceType: 2, resourceName: 't', configs: [{ name: 'max.message.bytes', configOperation: 0, value }] }
        ],
        validateOnly: false
      })
    await alter('70')
    expect((await broker.produce(topicId, batchOf(['a'.repeat(100)]))).errorCode).toBe('MESSAGE_TOO_LARGE')
    await alter('1000')
    expect((await broker.produce(topicId, batchOf(['a'.repeat(100)]))).errorCode).toBe('NONE')
  })

  it('lose records by DeleteRecords, limited by the high watermark', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a', 'b', 'c']))
    const remove = async (offset: bigint) => {
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
      return (await broker.request('DeleteRecords', { topics, timeoutMs: 1000 })).topics[0]?.partitions[0]
    }
    expect(await remove(2n)).toMatchObject({ errorCode: 'NONE', lowWatermark: 2n })
    expect((await remove(4n))?.errorCode).toBe('OFFSET_OUT_OF_RANGE')
    expect(await remove(-1n)).toMatchObject({ errorCode: 'NONE', lowWatermark: 3n })
  })

  it('are returned in pages by DescribeTopicPartitions', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('a', 3)
    await broker.createTopic('b', 2)
    const seen: string[] = []
    let cursor: Cursor = null
    do {
      const page = await pageOf(broker, cursor)
      for (const { name, partitions } of page.topics) {
        seen.push(...partitions.map(({ partitionIndex }) => `${name}-${partitionIndex}`))
      }
      cursor = page.nextCursor
    } while (cursor)
    expect(seen).toEqual(['a-0', 'a-1', 'a-2', 'b-0', 'b-1'])
  })
})

type Cursor = { topicName: string; partitionIndex: number } | null

function pageOf(broker: Harness, cursor: Cursor) {
  return broker.request('DescribeTopicPartitions', { topics: [], responsePartitionLimit: 2, cursor })
}

describe('ListOffsets', () => {
  const list = async (broker: Harness, timestamp: bigint, version?: number) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }]
    const answer = await broker.request(
      'ListOffsets',
      { replicaId: -1, isolationLevel: 0, topics },
      version === undefined ? {} : { version }
    )
    return answer.topics[0]?.partitions[0]
  }

  it('finds the first and last offset, a timestamp, and the record with the largest one', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    for (const timestamp of [1000n, 3000n, 2000n]) await broker.produce(topicId, batchOf(['x'], {}, timestamp))
    expect(await list(broker, -2n)).toMatchObject({ offset: 0n, timestamp: -1n, leaderEpoch: 0 })
    expect(await list(broker, -1n)).toMatchObject({ offset: 3n, timestamp: -1n })
    expect(await list(broker, 1500n)).toMatchObject({ offset: 1n, timestamp: 3000n })
    expect(await list(broker, 3001n)).toMatchObject({ errorCode: 'NONE', offset: -1n, timestamp: -1n })
    expect(await list(broker, -3n)).toMatchObject({ offset: 1n, timestamp: 3000n })
  })

  it('accepts special timestamps from the version that introduced them', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t')
    expect((await list(broker, -3n, 6))?.errorCode).toBe('UNSUPPORTED_VERSION')
    expect((await list(broker, -3n, 7))?.errorCode).toBe('NONE')
    expect((await list(broker, -9n))?.errorCode).toBe('UNSUPPORTED_VERSION')
  })
})
