/** Fetch and ListOffsets with read_committed: their last stable offset, their waits and their aborted transactions. */
import { describe, expect, it } from 'vitest'
import { batchesIn } from '../../../../src/protocol/records/batch.ts'
import { batchOf, Harness, valuesIn } from '../../../../src/testing/harness.ts'
import { readCommitted, TransactionalProducer } from '../../transactional.ts'

const READ_COMMITTED = 1
const LATEST = -1n
const DELAYED = { isolationLevel: READ_COMMITTED, maxWaitMs: 60_000 }

async function started(configs: Record<string, string> = {}) {
  const broker = await Harness.start()
  const topic = { name: 't', topicId: await broker.createTopic('t', 1, configs) }
  const producer = new TransactionalProducer(broker, 'tx')
  await producer.init()
  return { broker, topic, producer, ...asking(broker, topic.topicId) }
}

function asking(broker: Harness, topicId: string) {
  const fetch = async (offset: bigint, changes: object = {}) => {
    const request = broker.fetchRequest(topicId, offset, { isolationLevel: READ_COMMITTED, ...changes })
    const data = (await broker.request('Fetch', request)).responses[0]?.partitions[0]
    return { ...data, values: valuesIn(data?.records ?? null) }
  }
  const latest = async (isolationLevel: number, timestamp = LATEST) => {
    const partitions = [{ partitionIndex: 0, timestamp }]
    const answer = await broker.request('ListOffsets', {
      replicaId: -1,
      isolationLevel,
      topics: [{ name: 't', partitions }]
    })
    return answer.topics[0]?.partitions[0]?.offset
  }
  return { fetch, latest }
}

/** True if a promise has settled after all pending work. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(() => {
    settled = true
  })
  await new Promise(setImmediate)
  return settled
}

describe('a read_committed Fetch', () => {
  it('waits at an open transaction, despite other appends, until a marker moves the last stable offset', async () => {
    const { broker, topic, producer, fetch } = await started()
    await using _ = broker
    await producer.send(topic, 0, ['a'])
    const delayed = fetch(0n, DELAYED)
    await producer.send(topic, 0, ['b'])
    await broker.produce(topic.topicId, batchOf(['beside']))
    expect(await isSettled(delayed)).toBe(false)
    await producer.commit()
    expect(await delayed).toMatchObject({ errorCode: 'NONE', lastStableOffset: 4n, abortedTransactions: [] })
    expect((await delayed).values.slice(0, 3)).toEqual(['a', 'b', 'beside'])
  })

  it('completes with an append if no transaction is open', async () => {
    const { broker, topic, fetch } = await started()
    await using _ = broker
    const delayed = fetch(0n, DELAYED)
    await broker.produce(topic.topicId, batchOf(['a']))
    expect((await delayed).values).toEqual(['a'])
  })

  it('counts only stable bytes towards fetch.min.bytes', async () => {
    const { broker, topic, producer, fetch } = await started()
    await using _ = broker
    const other = new TransactionalProducer(broker, 'other')
    await other.init()
    await broker.produce(topic.topicId, batchOf(['before']))
    await producer.send(topic, 0, ['a'])
    await other.send(topic, 0, ['x'.repeat(500)])
    const delayed = fetch(0n, { ...DELAYED, minBytes: 400 })
    await producer.commit()
    // Only the records before the other transaction are stable now.
    expect(await isSettled(delayed)).toBe(false)
    await other.commit()
    expect((await delayed).values.slice(0, 3)).toEqual(['before', 'a', 'x'.repeat(500)])
  })

  it('does not loop at a transaction that stays open over full segments', async () => {
    const { broker, topic, producer, fetch } = await started({ 'segment.bytes': '1048576' })
    await using _ = broker
    await producer.send(topic, 0, ['a'])
    for (const _ of [1, 2, 3]) await broker.produce(topic.topicId, batchOf(['x'.repeat(600_000)]))
    const delayed = fetch(0n, DELAYED)
    expect(await isSettled(delayed)).toBe(false)
    await broker.produce(topic.topicId, batchOf(['x'.repeat(600_000)]))
    expect(await isSettled(delayed)).toBe(false)
    await producer.abort()
    expect((await delayed).lastStableOffset).toBe(6n)
  })

  it('does not wait in a full segment that is stable', async () => {
    const { broker, topic, producer, fetch } = await started({ 'segment.bytes': '1048576' })
    await using _ = broker
    await producer.send(topic, 0, ['a'])
    const delayed = fetch(0n, { ...DELAYED, minBytes: 50_000_000, maxBytes: 100_000_000 })
    for (const _ of [1, 2]) await broker.produce(topic.topicId, batchOf(['x'.repeat(600_000)]))
    await producer.commit()
    expect((await delayed).values[0]).toBe('a')
  })

  it('gets exactly the aborted transactions that overlap its records', async () => {
    const { broker, topic, producer, fetch } = await started({ 'segment.bytes': '1048576' })
    await using _ = broker
    const { producerId } = producer
    for (const number of [0, 1, 2, 3, 4, 5]) {
      await producer.send(topic, 0, [`${number} ${'x'.repeat(400_000)}`])
      await (number % 2 === 0 ? producer.abort() : producer.commit())
    }
    // The transactions at offsets 0, 4 and 8 were aborted, with markers at 1, 5 and 9, in segments of two batches.
    const aborted = async (offset: bigint) => (await fetch(offset, { maxBytes: 1 })).abortedTransactions
    expect(await aborted(0n)).toContainEqual({ producerId, firstOffset: 0n })
    expect(await aborted(2n)).not.toContainEqual({ producerId, firstOffset: 0n })
    expect(await aborted(10n)).toEqual([])
    expect((await fetch(0n, { isolationLevel: 0 })).abortedTransactions).toBeNull()
    const { values } = await readCommitted(broker, topic.topicId)
    expect(values.map(value => value[0])).toEqual(['1', '3', '5'])
  })

  it('keeps its position in a fetch session at an open transaction', async () => {
    const { broker, topic, producer } = await started()
    await using _ = broker
    await producer.send(topic, 0, ['a'])
    const sendRequest = (changes: object) =>
      broker.request('Fetch', broker.fetchRequest(topic.topicId, 0n, { isolationLevel: READ_COMMITTED, ...changes }))
    const begun = await sendRequest({ sessionEpoch: 0 })
    expect(begun.responses[0]?.partitions[0]?.lastStableOffset).toBe(0n)
    const next = { sessionId: begun.sessionId, topics: [] }
    expect((await sendRequest({ ...next, sessionEpoch: 1 })).responses).toEqual([])
    await producer.commit()
    const answer = await sendRequest({ ...next, sessionEpoch: 2 })
    expect(answer.responses[0]?.partitions[0]?.lastStableOffset).toBe(2n)
  })
})

describe('offsets of transactions', () => {
  it('the latest offset for read_committed is the last stable offset', async () => {
    const { broker, topic, producer, latest } = await started()
    await using _ = broker
    await broker.produce(topic.topicId, batchOf(['before']))
    await producer.send(topic, 0, ['a'])
    expect([await latest(0), await latest(READ_COMMITTED)]).toEqual([2n, 1n])
    // A search by timestamp returns only offsets below it.
    expect([await latest(0, 1n), await latest(READ_COMMITTED, 1n)]).toEqual([0n, 0n])
    expect(await latest(READ_COMMITTED, 1_700_000_000_001n)).toBe(-1n)
    await producer.commit()
    expect([await latest(0), await latest(READ_COMMITTED)]).toEqual([3n, 3n])
  })

  it('DeleteRecords into an open transaction moves the last stable offset too', async () => {
    const { broker, topic, producer, fetch, latest } = await started()
    await using _ = broker
    await producer.send(topic, 0, ['a'])
    await producer.send(topic, 0, ['b'])
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset: 1n }] }]
    await broker.request('DeleteRecords', { topics, timeoutMs: 1000 })
    expect(await latest(READ_COMMITTED)).toBe(1n)
    expect(await fetch(1n)).toMatchObject({ logStartOffset: 1n, lastStableOffset: 1n, values: [] })
    const all = [{ name: 't', partitions: [{ partitionIndex: 0, offset: -1n }] }]
    const deleted = await broker.request('DeleteRecords', { topics: all, timeoutMs: 1000 })
    expect(deleted.topics[0]?.partitions[0]).toMatchObject({ errorCode: 'NONE', lowWatermark: 2n })
    expect(await latest(READ_COMMITTED)).toBe(2n)
    await producer.commit()
    expect(await latest(READ_COMMITTED)).toBe(3n)
  })

  it('transactional offset commits of a group are written in batches with base sequence 0, as in Kafka', async () => {
    const { broker, producer } = await started()
    await using _ = broker
    for (const offset of [1n, 2n]) await producer.sendOffset('g', 't', 0, offset)
    await producer.commit()
    const { storage } = broker
    const folders = storage.list('').filter(({ name }) => name.startsWith('__consumer_offsets-'))
    const paths = folders.map(({ name }) => `${name}/00000000000000000000.log`).filter(path => storage.exists(path))
    const batches = paths.flatMap(path => [...batchesIn(storage.read(path, 0, storage.size(path)))])
    const inTransaction = batches.filter(({ isTransactional, isControl }) => isTransactional && !isControl)
    expect(inTransaction.map(({ baseSequence }) => baseSequence)).toEqual([0, 0])
  })

  it('all offsets are the same after a restart, including open and aborted transactions', async () => {
    const { broker, topic, producer } = await started()
    await producer.send(topic, 0, ['gone'])
    await producer.abort()
    await producer.send(topic, 0, ['kept'])
    await producer.commit()
    await producer.send(topic, 0, ['open'])
    const before = await readCommitted(broker, topic.topicId)
    expect(before).toMatchObject({ values: ['kept'], lastStableOffset: 4n, highWatermark: 5n })
    await broker.stop()
    await using again = await Harness.start({ storage: broker.storage })
    expect(await readCommitted(again, topic.topicId)).toEqual(before)
    const { latest } = asking(again, topic.topicId)
    expect(await latest(READ_COMMITTED)).toBe(4n)
  })
})
