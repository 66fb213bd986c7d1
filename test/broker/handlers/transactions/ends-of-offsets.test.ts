/** Expiration of the offsets of consumer groups, and offsets of a deleted topic whose name is used again. */
import { expect, it } from 'vitest'
import { MemoryStorage } from '../../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../../src/storage/storage.ts'
import { Harness } from '../../../../src/testing/harness.ts'

const MINUTE_MS = 60_000

const CONFIG = {
  'offsets.retention.minutes': 1,
  'offsets.retention.check.interval.ms': 10_000,
  'offsets.topic.num.partitions': 3,
  'group.consumer.session.timeout.ms': 45_000
}

function heartbeat(broker: Harness, memberEpoch: number) {
  const subscription = { rebalanceTimeoutMs: 1000, subscribedTopicNames: ['foo'], topicPartitions: [] }
  const member = { groupId: 'g', memberId: 'm', memberEpoch }
  return broker.request('ConsumerGroupHeartbeat', { ...member, ...(memberEpoch === 0 && subscription) })
}

/** A group with a member that subscribes to foo and has committed offsets of foo and bar. */
async function founded(broker: Harness): Promise<number> {
  await broker.request('FindCoordinator', { coordinatorKeys: ['g'] })
  await broker.createTopic('foo')
  await broker.createTopic('bar')
  const { memberEpoch } = await heartbeat(broker, 0)
  await commit(broker, 'm', memberEpoch)
  return memberEpoch
}

async function commit(broker: Harness, memberId = '', generationIdOrMemberEpoch = -1): Promise<void> {
  const partitions = [{ partitionIndex: 0, committedOffset: 5n, committedMetadata: null }]
  const topics = ['foo', 'bar'].map(name => ({ name, partitions }))
  const answer = await broker.request(
    'OffsetCommit',
    { groupId: 'g', memberId, generationIdOrMemberEpoch, topics },
    { version: 9 }
  )
  expect(answer.topics[0]?.partitions[0]?.errorCode).toBe('NONE')
}

/** Topics with offsets, as a client without topic ids reads them. */
async function topicsWithOffsets(broker: Harness): Promise<string[]> {
  const all = await broker.request('OffsetFetch', { groupId: 'g', topics: null }, { version: 7 })
  return all.topics.map(({ name }) => name).sort()
}

async function groupsIn(broker: Harness): Promise<string[]> {
  const { groups } = await broker.request('ListGroups', {})
  return groups.map(({ groupType, groupState }) => `${groupType} ${groupState}`)
}

it('offsets of a consumer group expire, except for topics that members subscribe to', async () => {
  await using broker = await Harness.start({ config: CONFIG })
  const epoch = await founded(broker)
  for (let waited = 0; waited < 2 * MINUTE_MS; waited += 10_000) {
    broker.clock.advance(10_000)
    await heartbeat(broker, epoch)
  }
  expect(await topicsWithOffsets(broker)).toEqual(['foo'])
  expect(await groupsIn(broker)).toEqual(['consumer Stable'])
})

it('an empty consumer group is removed with its last offset and does not return', async () => {
  const first = await Harness.start({ config: CONFIG })
  await founded(first)
  await heartbeat(first, -1)
  first.clock.advance(MINUTE_MS - 1)
  expect(await topicsWithOffsets(first)).toEqual(['bar', 'foo'])
  expect(await groupsIn(first)).toEqual(['consumer Empty'])
  first.clock.advance(10_000)
  expect(await topicsWithOffsets(first)).toEqual([])
  expect(await groupsIn(first)).toEqual([])
  await first.stop()
  await using again = await Harness.start({ config: CONFIG, storage: first.storage, clock: first.clock })
  expect(await groupsIn(again)).toEqual([])
  expect((await heartbeat(again, 0)).memberEpoch).toBe(2)
})

it('a topic does not inherit the offsets of a deleted topic of its name, even if a member outlives the deletion', async () => {
  await using broker = await Harness.start({ config: { ...CONFIG, 'group.consumer.assignment.interval.ms': 0 } })
  const epoch = await founded(broker)
  await broker.request('DeleteTopics', { topics: [{ name: 'foo' }], timeoutMs: 1000 })
  const without = await heartbeat(broker, epoch)
  const topicId = await broker.createTopic('foo', 2)
  expect(await topicsWithOffsets(broker)).toEqual(['bar'])
  const claim = { groupId: 'g', memberId: 'm', memberEpoch: without.memberEpoch, topicPartitions: [] }
  const { assignment } = await broker.request('ConsumerGroupHeartbeat', claim)
  expect(assignment?.topicPartitions).toEqual([{ topicId, partitions: [0, 1] }])
})

it('a topic does not inherit offsets if the broker crashed before it wrote their tombstones', async () => {
  let isDead = false
  const fault = ({ name, path }: { name: string; path: string }) =>
    isDead && name === 'append' && path.startsWith('__consumer_offsets')
      ? { error: new StorageError('failed', 'the process is dead') }
      : undefined
  const first = await Harness.start({ config: CONFIG, storage: new MemoryStorage({ fault }) })
  await first.request('FindCoordinator', { coordinatorKeys: ['g'] })
  await first.createTopic('foo')
  await first.createTopic('bar')
  await commit(first)
  isDead = true
  await first.request('DeleteTopics', { topics: [{ name: 'foo' }], timeoutMs: 1000 })
  await first.stop()
  isDead = false
  await using again = await Harness.start({ config: CONFIG, storage: first.storage, clock: first.clock })
  await again.createTopic('foo')
  expect(await topicsWithOffsets(again)).toEqual(['bar'])
})
