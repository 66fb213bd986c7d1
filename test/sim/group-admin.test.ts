/**
 * A broker that crashes at every operation on its disk during deletions of groups and offsets: acknowledged deletions survive.
 */
import { expect, test } from 'vitest'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { Harness } from '../../src/testing/harness.ts'
import { type Cause, dieEverywhere, type Life } from './death.ts'
import { Fact } from './promises.ts'

const SYNCED = { 'log.flush.interval.messages': 1 }
const GONE = 'gone'

const cases: { readonly cause: Cause; readonly config: Record<string, number> }[] = [
  { cause: 'process death', config: {} },
  { cause: 'power loss', config: SYNCED },
  { cause: 'power loss without a journal of names', config: SYNCED }
]

/** The known state of each group: GONE, or the partitions with its offsets. */
type Facts = Map<string, Fact<string>>

test.each(cases)('$cause, $config: deleted groups stay deleted', { timeout: 600_000 }, async ({ cause, config }) => {
  const operations = await dieEverywhere(cause, {
    witness: () => new Map<string, Fact<string>>(),
    script: (life, facts: Facts) => play(life, facts, config),
    check: (left, facts) => check(left, facts, config)
  })
  expect(operations).toBeGreaterThan(50)
})

async function play(life: Life, facts: Facts, config: Record<string, number>): Promise<void> {
  const broker = await Harness.start({ storage: life.storage, random: life.random, config })
  life.mustGoOn()
  await broker.createTopic('t', 3)
  await broker.request('FindCoordinator', { coordinatorKeys: ['a'] })
  const groups = ['a', 'b', 'c', 'd']
  for (const round of [1n, 2n]) {
    for (const groupId of groups) await promise(life, facts, groupId, '0 1 2', () => commit(broker, groupId, round))
    await promise(life, facts, 'a', GONE, () => remove(broker, ['a']))
    await promise(life, facts, 'b', '0 2', () => removeOffsets(broker, 'b', [1]))
    await promise(life, facts, 'c', '', () => removeOffsets(broker, 'c', [0, 1, 2]))
    await promise(life, facts, 'b', GONE, () => remove(broker, ['b', 'none']))
    await promise(life, facts, 'c', GONE, () => remove(broker, ['c']))
    await promise(life, facts, 'modern', '', () => comeAndGo(broker, 'modern'))
    await promise(life, facts, 'modern', GONE, () => remove(broker, ['modern']))
  }
  await broker.stop()
}

/** Sends a request whose change must survive once it is acknowledged. */
async function promise(life: Life, facts: Facts, groupId: string, outcome: string, act: () => Promise<unknown>) {
  const fact = facts.get(groupId) ?? new Fact(GONE)
  facts.set(groupId, fact)
  await fact.set(outcome, async () => {
    const errorCode = await act()
    life.mustGoOn()
    expect(errorCode).toBe('NONE')
    return outcome
  })
}

async function commit(broker: Harness, groupId: string, committedOffset: bigint): Promise<unknown> {
  const partitions = [0, 1, 2].map(partitionIndex => ({ partitionIndex, committedOffset, committedMetadata: null }))
  const { topics } = await broker.request(
    'OffsetCommit',
    { groupId, topics: [{ name: 't', partitions }] },
    { version: 9 }
  )
  return topics[0]?.partitions[0]?.errorCode
}

/** A member of the consumer protocol joins and leaves: the group stays as an empty consumer group. */
async function comeAndGo(broker: Harness, groupId: string): Promise<unknown> {
  const member = { groupId, memberId: 'one', rebalanceTimeoutMs: 1000 }
  const joining = { ...member, memberEpoch: 0, subscribedTopicNames: ['t'], topicPartitions: [] }
  const { errorCode } = await broker.request('ConsumerGroupHeartbeat', joining)
  if (errorCode !== 'NONE') return errorCode
  return (await broker.request('ConsumerGroupHeartbeat', { ...member, memberEpoch: -1 })).errorCode
}

async function remove(broker: Harness, groupsNames: string[]): Promise<unknown> {
  return (await broker.request('DeleteGroups', { groupsNames })).results[0]?.errorCode
}

async function removeOffsets(broker: Harness, groupId: string, indexes: number[]): Promise<unknown> {
  const partitions = indexes.map(partitionIndex => ({ partitionIndex }))
  const { errorCode, topics } = await broker.request('OffsetDelete', { groupId, topics: [{ name: 't', partitions }] })
  return errorCode === 'NONE' ? topics[0]?.partitions[0]?.errorCode : errorCode
}

async function check(storage: MemoryStorage, facts: Facts, config: Record<string, number>): Promise<void> {
  await using broker = await Harness.start({ storage, config })
  const { groups } = await broker.request('ListGroups', {})
  for (const [groupId, { possible }] of facts) {
    const isListed = groups.some(group => group.groupId === groupId)
    const { topics } = await broker.request('OffsetFetch', { groupId, topics: null }, { version: 7 })
    const offsets = topics.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex)).sort()
    expect(possible, `group ${groupId}`).toContain(isListed ? offsets.join(' ') : GONE)
    if (!isListed) expect(offsets).toEqual([])
  }
}
