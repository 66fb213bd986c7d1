// A disk that fails under the records of a partition or under the metadata log.
import { describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import type { StorageOperation } from '../../src/storage/memory-storage.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { EIO, heldBroker, latest } from './held-broker.ts'

describe('a failed sync', () => {
  it('fails all waiting requests and takes only that partition offline', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const waiting = [0, 1, -1].map(acks => broker.produce(topicId, batchOf([`acks ${acks}`]), { acks: acks || 1 }))
    await yieldToEventLoop()
    await storage.fail(EIO)
    for (const answer of await Promise.all(waiting)) {
      expect(answer).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR', baseOffset: -1n })
    }
    await storage.flow()
    const fetched = await broker.request('Fetch', broker.fetchRequest(topicId, 0n))
    expect(fetched.responses[0]?.partitions[0]).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(await broker.produce(topicId, batchOf(['x']))).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(await latest(broker)).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(await broker.produce(topicId, batchOf(['y']), { index: 1 })).toMatchObject({ errorCode: 'NONE' })
    await broker.stop()
    storage.loseUnsynced()
    await using again = await Harness.start({ storage })
    expect(await again.values(topicId)).toEqual(['first'])
    expect(await again.values(topicId, 0n, 1)).toEqual(['y'])
    expect(await again.produce(topicId, batchOf(['z']))).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
  })
})

describe('the disk of the metadata log', () => {
  const METADATA = '__cluster_metadata-0/'

  async function create(broker: Harness, name: string) {
    const topics = [{ name, numPartitions: 1, replicationFactor: 1 }]
    return (await broker.request('CreateTopics', { topics })).topics[0]?.errorCode
  }

  it('a failed disk refuses metadata changes until a restart, and Produce continues', async () => {
    let isBroken = false
    const fault = ({ name, path }: StorageOperation) =>
      isBroken && name === 'sync' && path.startsWith(METADATA) ? { error: EIO } : undefined
    const { storage, broker, topicId } = await heldBroker({}, { fault })
    await storage.flow()
    isBroken = true
    expect(await create(broker, 'u')).toBe('KAFKA_STORAGE_ERROR')
    isBroken = false
    expect(await create(broker, 'v')).toBe('KAFKA_STORAGE_ERROR')
    const producer = await broker.request('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1000 })
    expect(producer).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(await broker.produce(topicId, batchOf(['second']))).toMatchObject({ errorCode: 'NONE' })
    await broker.stop()
    await using again = await Harness.start({ storage })
    expect(await again.values(topicId)).toEqual(['first', 'second'])
    expect(await create(again, 'v')).toBe('NONE')
  })

  it('a full disk refuses a metadata change without a trace', async () => {
    let isFull = false
    const fault = ({ name, path }: StorageOperation) =>
      isFull && name === 'append' && path.startsWith(METADATA)
        ? { error: new StorageError('full', 'no room'), writtenBytes: 30 }
        : undefined
    const { storage, broker } = await heldBroker({}, { fault })
    await storage.flow()
    isFull = true
    expect(await create(broker, 'u')).toBe('KAFKA_STORAGE_ERROR')
    isFull = false
    expect(await create(broker, 'v')).toBe('NONE')
    await using again = await Harness.start({ storage: storage.die() })
    expect(await create(again, 'v')).toBe('TOPIC_ALREADY_EXISTS')
    expect(await create(again, 'u')).toBe('NONE')
  })
})
