/** Transactions through a whole broker: their effects on consumers, groups and the next process. */
import { describe, expect, test } from 'vitest'
import { deferred } from '../../../../src/runtime/deferred.ts'
import { yieldToEventLoop } from '../../../../src/runtime/pace.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../../src/storage/memory-storage.ts'
import { Harness, type HarnessOptions } from '../../../../src/testing/harness.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'
import { HeldStorage } from '../../../log/partition-log/held-storage.ts'
import {
  committedOffset,
  type Generation,
  readCommitted,
  type TopicName,
  TransactionalProducer
} from '../../transactional.ts'

const CONFIG = { 'offsets.topic.num.partitions': 1, 'transaction.state.log.num.partitions': 1 }
const GENERATIONS: Generation[] = ['classic', 'KIP-890']

async function started(options: HarnessOptions = {}): Promise<{ harness: Harness; topic: TopicName }> {
  const harness = await Harness.start({ ...options, config: { ...CONFIG, ...options.config } })
  return { harness, topic: { name: 't', topicId: await harness.createTopic('t', 3) } }
}

/** The next process on the same disk, after a clean stop or without one. */
async function next({ storage, clock }: Harness, config: HarnessOptions['config'] = {}): Promise<Harness> {
  const left = storage instanceof MemoryStorage ? storage.die() : storage
  return Harness.start({ storage: left, clock: new ManualClock(clock.wall.now()), config: { ...CONFIG, ...config } })
}

async function begun(harness: Harness, generation: Generation, transactionalId = 'tx', timeoutMs = 60_000) {
  const producer = new TransactionalProducer(harness, transactionalId, { generation, timeoutMs })
  await producer.init()
  return producer
}

async function stateOf(harness: Harness, transactionalId = 'tx'): Promise<string> {
  const answer = await harness.request('DescribeTransactions', { transactionalIds: [transactionalId] })
  const [state] = answer.transactionStates
  return state?.errorCode === 'NONE' ? state.transactionState : (state?.errorCode ?? '')
}

const valuesOf = async (harness: Harness, { topicId }: TopicName, partition = 0) =>
  (await readCommitted(harness, topicId, partition)).values

describe.each(GENERATIONS)('a %s producer', generation => {
  test('commits: records and offsets are visible after the response to EndTxn', async () => {
    const { harness, topic } = await started()
    const producer = await begun(harness, generation)
    await producer.send(topic, 0, ['a'])
    await producer.send(topic, 1, ['b'])
    await producer.sendOffset('g', 't', 2, 7n)
    expect(await readCommitted(harness, topic.topicId)).toMatchObject({ values: [], lastStableOffset: 0n })
    expect(await committedOffset(harness, 'g', 't', 2)).toBe('UNSTABLE_OFFSET_COMMIT')
    expect(await committedOffset(harness, 'g', 't', 2, false)).toBe(-1n)
    await producer.commit()
    expect([await valuesOf(harness, topic, 0), await valuesOf(harness, topic, 1)]).toEqual([['a'], ['b']])
    expect(await committedOffset(harness, 'g', 't', 2)).toBe(7n)
    await harness.stop()
  })

  test('begins the next transaction at once, repeatedly', async () => {
    const { harness, topic } = await started()
    const producer = await begun(harness, generation)
    for (let round = 0; round < 20; round++) {
      expect(await producer.trySend(topic, 0, []).catch(() => 'not sent')).not.toBe('CONCURRENT_TRANSACTIONS')
      await producer.send(topic, 0, [`${round}`])
      if (round % 2 === 0) expect(await producer.tryEnd(true)).toBe('NONE')
      else expect(await producer.tryEnd(false)).toBe('NONE')
    }
    expect(await valuesOf(harness, topic)).toEqual(Array.from({ length: 10 }, (_, round) => `${2 * round}`))
    await harness.stop()
  })

  test('aborts: its records are not visible', async () => {
    const { harness, topic } = await started()
    const producer = await begun(harness, generation)
    await producer.send(topic, 0, ['a'])
    await producer.sendOffset('g', 't', 0, 7n)
    await producer.abort()
    await producer.send(topic, 0, ['b'])
    await producer.commit()
    expect(await valuesOf(harness, topic)).toEqual(['b'])
    expect(await committedOffset(harness, 'g', 't')).toBe(-1n)
    await harness.stop()
  })

  test('is fenced by another instance, which finds the transaction aborted', async () => {
    const { harness, topic } = await started()
    const old = await begun(harness, generation)
    await old.send(topic, 0, ['old'])
    await old.sendOffset('g', 't', 0, 7n)
    const young = await begun(harness, generation)
    expect(await old.trySend(topic, 0, ['late'])).toBe('INVALID_PRODUCER_EPOCH')
    expect(await old.trySendOffset('g', 't', 0, 8n)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await old.tryEnd(true)).toBe('PRODUCER_FENCED')
    await young.send(topic, 0, ['young'])
    await young.commit()
    expect(await valuesOf(harness, topic)).toEqual(['young'])
    expect(await committedOffset(harness, 'g', 't')).toBe(-1n)
    await harness.stop()
  })

  test('that exceeds its transaction timeout is fenced, and consumers read on', async () => {
    const { harness, topic } = await started()
    const slow = await begun(harness, generation, 'slow', 10_000)
    const quick = await begun(harness, generation, 'quick')
    await slow.send(topic, 0, ['slow'])
    await quick.send(topic, 0, ['quick'])
    await quick.commit()
    expect(await valuesOf(harness, topic)).toEqual([])
    harness.clock.advance(30_000)
    expect(await valuesOf(harness, topic)).toEqual(['quick'])
    expect(await slow.trySend(topic, 0, ['late'])).toBe('INVALID_PRODUCER_EPOCH')
    await harness.stop()
  })

  test.each(['process death', 'clean stop'])('continues after a %s in the middle of its transaction', async end => {
    const { harness, topic } = await started()
    const producer = await begun(harness, generation)
    await producer.send(topic, 0, ['a'])
    await producer.sendOffset('g', 't', 0, 7n)
    if (end === 'clean stop') await harness.stop()
    const again = await next(harness)
    expect(await stateOf(again)).toBe('Ongoing')
    expect(await committedOffset(again, 'g', 't')).toBe('UNSTABLE_OFFSET_COMMIT')
    producer.reconnect(again)
    await producer.send(topic, 0, ['b'])
    await producer.commit()
    expect(await valuesOf(again, topic)).toEqual(['a', 'b'])
    expect(await committedOffset(again, 'g', 't')).toBe(7n)
    await again.stop()
  })

  test.each([true, false])('with a decided end (commit: %s) finds it completed by the next process', async isCommit => {
    const storage = new MemoryStorage({ canLosePower: true })
    const { harness, topic } = await started({ storage })
    const producer = await begun(harness, generation)
    await producer.send(topic, 0, ['a'])
    await producer.send(topic, 1, ['b'])
    await producer.sendOffset('g', 't', 0, 7n)
    const { producerId, producerEpoch } = producer
    const decided = await diskAfterDecision(storage, () => producer.tryEnd(isCommit))
    const again = await Harness.start({ storage: decided, clock: harness.clock, config: CONFIG })
    expect(await stateOf(again)).toBe(isCommit ? 'CompleteCommit' : 'CompleteAbort')
    expect([await valuesOf(again, topic, 0), await valuesOf(again, topic, 1)]).toEqual(
      isCommit ? [['a'], ['b']] : [[], []]
    )
    expect(await committedOffset(again, 'g', 't')).toBe(isCommit ? 7n : -1n)
    // The response was lost: the client retries.
    producer.reconnect(again)
    Object.assign(producer, { producerId, producerEpoch })
    expect(await producer.tryEnd(isCommit)).toBe('NONE')
    await producer.send(topic, 0, ['c'])
    await producer.commit()
    expect(await valuesOf(again, topic, 0)).toEqual(isCommit ? ['a', 'c'] : ['c'])
    await again.stop()
  })

  test('commits even if a topic of its transaction was deleted', async () => {
    const { harness, topic } = await started()
    const gone = { name: 'gone', topicId: await harness.createTopic('gone') }
    const producer = await begun(harness, generation)
    await producer.send(gone, 0, ['a'])
    await producer.send(topic, 0, ['b'])
    await harness.request('DeleteTopics', { topics: [{ name: 'gone' }], timeoutMs: 1000 })
    await producer.commit()
    expect([await valuesOf(harness, topic), await stateOf(harness)]).toEqual([['b'], 'CompleteCommit'])
    await harness.stop()
  })

  test('can lose its records to DeleteRecords, and no consumer gets stuck', async () => {
    const { harness, topic } = await started()
    const producer = await begun(harness, generation)
    await producer.send(topic, 0, ['a', 'b'])
    await producer.send(topic, 0, ['c'])
    const partitions = [{ partitionIndex: 0, offset: 3n }]
    await harness.request('DeleteRecords', { topics: [{ name: 't', partitions }], timeoutMs: 1000 })
    await producer.send(topic, 0, ['d'])
    await producer.commit()
    const { lastStableOffset, highWatermark } = await readFrom(harness, topic, 3n)
    expect(lastStableOffset).toBe(highWatermark)
    await harness.stop()
  })
})

/** The disk after the next state was written and before its effects. */
async function diskAfterDecision(storage: MemoryStorage, decide: () => Promise<unknown>): Promise<MemoryStorage> {
  const left = deferred<MemoryStorage>()
  const append = storage.append.bind(storage)
  storage.append = (path, bytes, position) => {
    append(path, bytes, position)
    if (path.startsWith('__transaction_state') && path.endsWith('.log')) left.resolve(storage.die())
  }
  await decide()
  return left.promise
}

async function readFrom(harness: Harness, { topicId }: TopicName, offset: bigint) {
  const answer = await harness.request('Fetch', harness.fetchRequest(topicId, offset, { isolationLevel: 1 }))
  const data = answer.responses[0]?.partitions[0]
  expect(data?.errorCode).toBe('NONE')
  return { lastStableOffset: data?.lastStableOffset, highWatermark: data?.highWatermark }
}

test('partitions that were added without records get their marker, and the transaction completes', async () => {
  const { harness, topic } = await started()
  const producer = await begun(harness, 'classic')
  expect(await producer.tryAdd('t', 0)).toBe('NONE')
  expect(await producer.tryAdd('t', 1)).toBe('NONE')
  await producer.send(topic, 1, ['a'])
  await producer.commit()
  expect(await readCommitted(harness, topic.topicId, 0)).toMatchObject({ values: [], highWatermark: 1n })
  expect(await stateOf(harness)).toBe('CompleteCommit')
  await harness.stop()
})

test('a group keeps its offsets while a transaction commits one of them, and loses them afterwards', async () => {
  const { harness } = await started({ config: { 'offsets.retention.minutes': 1 } })
  const producer = await begun(harness, 'KIP-890', 'tx', 800_000)
  const partitions = [0, 1].map(partitionIndex => ({ partitionIndex, committedOffset: 5n, committedMetadata: null }))
  await committedOffset(harness, 'g', 't')
  const commit = { groupId: 'g', generationIdOrMemberEpoch: -1, topics: [{ name: 't', partitions }] }
  await harness.request('OffsetCommit', commit, { version: 9 })
  await producer.sendOffset('g', 't', 0, 7n)
  harness.clock.advance(660_000)
  expect(await committedOffset(harness, 'g', 't', 0, false)).toBe(5n)
  expect(await committedOffset(harness, 'g', 't', 1, false)).toBe(-1n)
  await producer.commit()
  expect(await committedOffset(harness, 'g', 't', 0)).toBe(7n)
  harness.clock.advance(660_000)
  expect(await committedOffset(harness, 'g', 't', 0)).toBe(-1n)
  await harness.stop()
})

test('pending transactional offsets survive the compaction of __consumer_offsets and a restart', async () => {
  const { harness } = await started({ config: { 'log.cleaner.backoff.ms': 10_000 } })
  const producer = await begun(harness, 'KIP-890', 'tx', 800_000)
  await committedOffset(harness, 'g', 't')
  const configs = [{ name: 'internal.segment.bytes', configOperation: 0, value: '300' }]
  const resources = [{ resourceType: 2, resourceName: '__consumer_offsets', configs }]
  await harness.request('IncrementalAlterConfigs', { resources })
  await producer.sendOffset('g', 't', 0, 7n)
  for (let offset = 0n; offset < 20n; offset++) {
    const partitions = [{ partitionIndex: 1, committedOffset: offset, committedMetadata: null }]
    const commit = { groupId: 'g', generationIdOrMemberEpoch: -1, topics: [{ name: 't', partitions }] }
    await harness.request('OffsetCommit', commit, { version: 9 })
  }
  for (let step = 0; step < 10; step++) {
    harness.clock.advance(10_000)
    await yieldToEventLoop()
  }
  await harness.stop()
  const again = await next(harness)
  expect(await committedOffset(again, 'g', 't', 0)).toBe('UNSTABLE_OFFSET_COMMIT')
  producer.reconnect(again)
  await producer.commit()
  expect([await committedOffset(again, 'g', 't', 0), await committedOffset(again, 'g', 't', 1)]).toEqual([7n, 19n])
  await again.stop()
})

test('a deleted topic removes its pending transactional offsets', async () => {
  const { harness } = await started()
  const producer = await begun(harness, 'KIP-890')
  await producer.sendOffset('g', 't', 0, 7n)
  await harness.request('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
  await harness.createTopic('t')
  await producer.commit()
  expect(await committedOffset(harness, 'g', 't')).toBe(-1n)
  await harness.stop()
})

describe('a disk that is synced by each message', () => {
  test.each([0, 1, 2, 3, 4, 5, 6])(
    'a transaction that recovery found aborted stays aborted after a power failure (seed %i)',
    async seed => {
      const storage = new MemoryStorage({ canLosePower: true })
      const config = { ...CONFIG, 'log.flush.interval.messages': 1 }
      const harness = await Harness.start({ storage, config })
      const topic = { name: 't', topicId: await harness.createTopic('t', 1, { 'internal.segment.bytes': '400' }) }
      const producer = await begun(harness, 'KIP-890')
      for (const value of ['a', 'b', 'c', 'd', 'e']) {
        await producer.send(topic, 0, [value])
        if (value === 'e') await producer.commit()
        else await producer.abort()
      }
      const afterDeath = storage.die({ canLosePower: true })
      const clock = new ManualClock(harness.clock.wall.now())
      await (await Harness.start({ storage: afterDeath, clock, config })).stop()
      const afterLoss = afterDeath.losePower(seededRandom(seed), 'any', { canLosePower: true })
      const again = await Harness.start({ storage: afterLoss, clock: new ManualClock(clock.wall.now()), config })
      expect(await valuesOf(again, topic)).toEqual(['e'])
      await again.stop()
    }
  )

  test('no record is written before its partition is in the transaction log', async () => {
    const storage = new HeldStorage()
    const { harness, topic } = await started({ storage, config: { 'log.flush.interval.messages': 1 } })
    const producer = await begun(harness, 'classic')
    storage.hold(path => path.startsWith('__transaction_state'))
    const added = producer.tryAdd('t', 0)
    const sent = producer.trySend(topic, 0, ['a'])
    await yieldToEventLoop()
    expect(await harness.values(topic.topicId)).toEqual([])
    await storage.flow()
    expect([await added, await sent]).toEqual(['NONE', 'NONE'])
    await producer.commit()
    expect(await valuesOf(harness, topic)).toEqual(['a'])
    await harness.stop()
  })
})
