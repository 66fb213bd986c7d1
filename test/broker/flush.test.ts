/** Responses that wait for the sync of flush.messages, and the requests that do not wait. */
import { describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { batchOf, Harness, valuesIn } from '../../src/testing/harness.ts'
import { HeldStorage } from '../log/partition-log/held-storage.ts'
import { EIO, heldBroker, idempotent, latest, sofar } from './held-broker.ts'

describe('Produce', () => {
  it.each([1, -1])('with acks=%i is answered after the record is synced', async acks => {
    const { storage, broker, topicId } = await heldBroker()
    const produced = broker.produce(topicId, batchOf(['second']), { acks })
    expect(await sofar(produced)).toBe('waits')
    expect(await broker.values(topicId)).toEqual(['first'])
    expect(await latest(broker)).toMatchObject({ errorCode: 'NONE', offset: 1n })
    await storage.release()
    expect(await produced).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    expect(await broker.values(topicId)).toEqual(['first', 'second'])
    expect(await latest(broker)).toMatchObject({ offset: 2n })
  })

  it('with acks=0 does not wait for a sync', async () => {
    const { broker, topicId } = await heldBroker()
    const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf(['second']) }] }]
    const request = { transactionalId: null, acks: 0, timeoutMs: 1000, topicData }
    expect(await sofar(broker.send('Produce', request))).toBeUndefined()
    expect(await broker.values(topicId)).toEqual(['first'])
  })

  it('of any number of producers needs one sync for the batches before it and one for the batches during it', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const first = broker.produce(topicId, batchOf(['second']))
    await yieldToEventLoop()
    const others = Array.from({ length: 50 }, (_, index) => broker.produce(topicId, batchOf([`${index}`])))
    await yieldToEventLoop()
    expect(storage.asked).toHaveLength(1)
    await storage.release()
    expect(await sofar(first)).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    await storage.release()
    const answers = await Promise.all(others)
    expect(answers.map(({ baseOffset }) => baseOffset)).toEqual(others.map((_, index) => BigInt(index + 2)))
    expect(storage.asked).toHaveLength(2)
  })

  it('to partitions without flush.messages does not wait for the sync of other partitions', async () => {
    const { broker, topicId } = await heldBroker()
    const other = await broker.createTopic('other')
    broker.produce(topicId, batchOf(['second']))
    expect(await sofar(broker.produce(other, batchOf(['x'])))).toMatchObject({ errorCode: 'NONE' })
  })

  it('with a retry of a batch waits while the first response waits, and not after the sync', async () => {
    const { storage, broker, topicId } = await heldBroker()
    expect(await sofar(broker.produce(topicId, idempotent('first', 0)))).toMatchObject({ baseOffset: 0n })
    const produced = broker.produce(topicId, idempotent('second', 1))
    const again = broker.produce(topicId, idempotent('second', 1))
    expect(await sofar(again)).toBe('waits')
    await storage.release()
    expect(await again).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    expect(await produced).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    expect(await broker.values(topicId)).toEqual(['first', 'second'])
  })

  it('that is fenced by an unsynced producer epoch waits for the sync', async () => {
    const { storage, broker, topicId } = await heldBroker()
    broker.produce(topicId, idempotent('second', 0, 1))
    const fenced = broker.produce(topicId, idempotent('third', 1))
    expect(await sofar(fenced)).toBe('waits')
    await storage.release()
    expect(await fenced).toMatchObject({ errorCode: 'INVALID_PRODUCER_EPOCH' })
  })

  it('with acks=all gets REQUEST_TIMED_OUT after its timeout, and a retry gets the offset', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const produced = broker.produce(topicId, idempotent('second', 1))
    const leaderOnly = broker.produce(topicId, batchOf(['third']), { acks: 1 })
    await yieldToEventLoop()
    broker.clock.advance(999)
    expect(await sofar(produced)).toBe('waits')
    broker.clock.advance(1)
    expect(await sofar(produced)).toMatchObject({ errorCode: 'REQUEST_TIMED_OUT', baseOffset: 1n })
    expect(await sofar(leaderOnly)).toBe('waits')
    const again = broker.produce(topicId, idempotent('second', 1))
    await storage.flow()
    expect(await again).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    expect(await leaderOnly).toMatchObject({ errorCode: 'NONE', baseOffset: 2n })
    expect(broker.clock.nextAlarmInMs).toBeGreaterThan(1000)
  })

  it('is answered when the broker stops', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const produced = broker.produce(topicId, batchOf(['second']))
    await yieldToEventLoop()
    const stopped = broker.stop()
    await storage.flow()
    expect(await produced).toMatchObject({ errorCode: 'NONE' })
    await stopped
  })

  it('gets an error when its topic is deleted during the sync', async () => {
    const { broker, topicId } = await heldBroker()
    const produced = broker.produce(topicId, batchOf(['second']))
    await yieldToEventLoop()
    await broker.request('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
    expect(await sofar(produced)).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER' })
  })
})

describe('a delayed Fetch', () => {
  const patient = { maxWaitMs: 10_000 }

  it('completes with the sync, not with the append', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const fetched = broker.request('Fetch', broker.fetchRequest(topicId, 1n, patient))
    broker.produce(topicId, batchOf(['second']))
    expect(await sofar(fetched)).toBe('waits')
    await storage.release()
    expect(valuesIn((await fetched).responses[0]?.partitions[0]?.records ?? null)).toEqual(['second'])
  })

  it('counts only bytes below the high watermark', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const size = batchOf(['second']).length
    const fetched = broker.request('Fetch', broker.fetchRequest(topicId, 1n, { ...patient, minBytes: 2 * size }))
    broker.produce(topicId, batchOf(['second']))
    await yieldToEventLoop()
    broker.produce(topicId, batchOf(['third!']))
    await storage.release()
    expect(await sofar(fetched)).toBe('waits')
    await storage.release()
    expect(valuesIn((await fetched).responses[0]?.partitions[0]?.records ?? null)).toEqual(['second', 'third!'])
  })

  it('gets an error when the disk fails', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const fetched = broker.request('Fetch', broker.fetchRequest(topicId, 1n, patient))
    broker.produce(topicId, batchOf(['second']))
    await yieldToEventLoop()
    await storage.fail(EIO)
    expect((await fetched).responses[0]?.partitions[0]).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
  })
})

it('OffsetForLeaderEpoch returns an end offset after it is synced', async () => {
  const { storage, broker, topicId } = await heldBroker()
  broker.produce(topicId, batchOf(['second']))
  await yieldToEventLoop()
  const request = { topics: [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }] }
  const answered = broker.request('OffsetForLeaderEpoch', { replicaId: -1, ...request })
  expect(await sofar(answered)).toBe('waits')
  await storage.release()
  expect((await answered).topics[0]?.partitions[0]).toMatchObject({ errorCode: 'NONE', endOffset: 2n })
})

it('DeleteRecords deletes up to the high watermark while later records wait for the sync', async () => {
  const { broker, topicId } = await heldBroker()
  broker.produce(topicId, batchOf(['second']))
  await yieldToEventLoop()
  const upTo = async (offset: bigint) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
    return (await broker.request('DeleteRecords', { topics, timeoutMs: 1000 })).topics[0]?.partitions[0]
  }
  expect(await upTo(2n)).toMatchObject({ errorCode: 'OFFSET_OUT_OF_RANGE' })
  expect(await upTo(-1n)).toMatchObject({ errorCode: 'NONE', lowWatermark: 1n })
})

describe('flush settings', () => {
  it('the broker config log.flush.interval.messages applies to all topics and can change at run time', async () => {
    const storage = new HeldStorage()
    const broker = await Harness.start({ storage })
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a']))
    storage.hold()
    expect(await sofar(broker.produce(topicId, batchOf(['b'])))).toMatchObject({ errorCode: 'NONE' })
    const set = (value: string) =>
      broker.request('IncrementalAlterConfigs', {
        resources: [
          {
            resourceType: 4,
            resourceName: '',
            configs: [{ name: 'log.flush.interval.messages', configOperation: 0, value }]
          }
        ]
      })
    await set('1')
    const produced = broker.produce(topicId, batchOf(['c']))
    expect(await sofar(produced)).toBe('waits')
    expect(await broker.values(topicId)).toEqual(['a', 'b'])
    await storage.flow()
    expect(await produced).toMatchObject({ errorCode: 'NONE' })
  })

  it('log.flush.interval.ms syncs without a delay of requests', async () => {
    const storage = new HeldStorage()
    const broker = await Harness.start({ storage, config: { 'log.flush.interval.ms': 500 } })
    const topicId = await broker.createTopic('t')
    expect(await sofar(broker.produce(topicId, batchOf(['a'])))).toMatchObject({ errorCode: 'NONE' })
    expect(storage.asked).not.toContain('t-0')
    broker.clock.advance(500)
    await yieldToEventLoop()
    expect(storage.asked).toContain('t-0/00000000000000000000.log')
  })
})
