import { describe, expect, it } from 'vitest'
import { AnswerBudget } from '../../src/group/answer-budget.ts'
import { type ClassicGroup, emptyGroup } from '../../src/group/classic/group.ts'
import { expireGroup, forgetTopic } from '../../src/group/offset-expiry.ts'
import { decideCommit, type FetchTopic, fetchOffsets, type GroupOffsets, Offsets } from '../../src/group/offsets.ts'
import type { OffsetCommitValue } from '../../src/group/records.ts'
import { ZERO_UUID } from '../../src/protocol/bytes.ts'
import { Stage } from './classic/stage.ts'

const NOW = 1_700_000_000_000
const FOO_ID = 'AAECAwQFBgcICQoLDA0ODw'
const OTHER_ID = 'AQECAwQFBgcICQoLDA0ODw'

function committed(changes: Partial<OffsetCommitValue> = {}): OffsetCommitValue {
  const offset = { offset: 42n, leaderEpoch: 3, metadata: 'm', topicId: FOO_ID }
  return { ...offset, commitTimestamp: BigInt(NOW), expireTimestamp: -1n, ...changes }
}

function offsetsOf(...commits: [topic: string, partition: number, value: OffsetCommitValue][]) {
  const offsets = new Offsets()
  for (const [topic, partition, value] of commits) {
    offsets.apply({ type: 'OffsetCommit', key: { group: 'g', topic, partition }, value })
  }
  return offsets.of('g')
}

describe('a commit', () => {
  const partition = {
    partitionIndex: 0,
    committedOffset: 42n,
    committedLeaderEpoch: 3,
    committedMetadata: 'm' as string | null
  }
  const commit = (retentionTimeMs: bigint, ...partitions: (typeof partition)[]) =>
    decideCommit({ groupId: 'g', retentionTimeMs, topics: [{ name: 'foo', topicId: FOO_ID, partitions }] }, 4, NOW)

  it('becomes a record with the time of the commit', () => {
    expect(commit(-1n, partition)).toEqual({
      records: [{ type: 'OffsetCommit', key: { group: 'g', topic: 'foo', partition: 0 }, value: committed() }],
      topics: [{ name: 'foo', topicId: FOO_ID, partitions: [{ partitionIndex: 0, errorCode: 'NONE' }] }]
    })
  })

  it('with a retention time has an explicit expiry', () => {
    expect(commit(1_000n, partition).records[0]?.value?.expireTimestamp).toBe(BigInt(NOW + 1_000))
  })

  it('without metadata has an empty one', () => {
    expect(commit(-1n, { ...partition, committedMetadata: null }).records[0]?.value?.metadata).toBe('')
  })

  it('whose metadata is too long fails for that partition alone', () => {
    const long = { ...partition, partitionIndex: 1, committedMetadata: '12345' }
    const { records, topics } = commit(-1n, partition, long)
    expect(records).toHaveLength(1)
    expect(topics[0]?.partitions).toEqual([
      { partitionIndex: 0, errorCode: 'NONE' },
      { partitionIndex: 1, errorCode: 'OFFSET_METADATA_TOO_LARGE' }
    ])
  })
})

describe('a fetch', () => {
  const fetch = (offsets: GroupOffsets, topics: readonly FetchTopic[] | null) =>
    fetchOffsets(offsets, topics, new AnswerBudget(), () => false)
  const offsets = offsetsOf(['foo', 0, committed()], ['bar', 1, committed({ topicId: ZERO_UUID, offset: 7n })])
  const found = (partitionIndex: number, committedOffset: bigint) => {
    return { partitionIndex, committedOffset, committedLeaderEpoch: 3, metadata: 'm', errorCode: 'NONE' }
  }
  const missing = (partitionIndex: number) => {
    return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: 'NONE' }
  }

  it('of all topics gives all that the group has', () => {
    expect(fetch(offsets, null)).toEqual([
      { name: 'foo', topicId: ZERO_UUID, partitions: [found(0, 42n)] },
      { name: 'bar', topicId: ZERO_UUID, partitions: [found(1, 7n)] }
    ])
  })

  it.each([
    ['by name', { name: 'foo', topicId: ZERO_UUID, partitionIndexes: [0, 1] }, [found(0, 42n), missing(1)]],
    ['by the id of the commit', { name: 'foo', topicId: FOO_ID, partitionIndexes: [0] }, [found(0, 42n)]],
    ['of a topic made anew', { name: 'foo', topicId: OTHER_ID, partitionIndexes: [0] }, [missing(0)]],
    ['by id, of a commit without one', { name: 'bar', topicId: OTHER_ID, partitionIndexes: [1] }, [found(1, 7n)]],
    ['of an unknown topic', { name: 'nope', topicId: ZERO_UUID, partitionIndexes: [0] }, [missing(0)]]
  ])('%s', (_, topic, partitions) => {
    expect(fetch(offsets, [topic])[0]?.partitions).toEqual(partitions)
  })

  it('of a group that is unknown gives nothing', () => {
    expect(fetch(new Offsets().of('x'), null)).toEqual([])
  })
})

describe('the end of offsets', () => {
  const RETENTION = 1_000
  const emptied = (stateTimestamp: number | null): ClassicGroup => {
    return { ...emptyGroup('g', NOW), protocolType: 'consumer', subscribedTopics: new Set(), stateTimestamp }
  }
  const stable = Stage.stable(['a']).group
  const rebalancing: ClassicGroup = { ...stable, state: 'PreparingRebalance' }
  const connect: ClassicGroup = { ...stable, protocolType: 'connect', subscribedTopics: null }
  const at = (ageMs: number) => NOW + ageMs

  it.each([
    ['a simple group, by the time of the commit', emptyGroup('g', 0), 'bar', RETENTION, true],
    ['a simple group, before its time', emptyGroup('g', 0), 'bar', RETENTION - 1, false],
    ['an emptied group, by the time it emptied', emptied(NOW + 500), 'bar', RETENTION + 500, true],
    ['an emptied group, before its time', emptied(NOW + 500), 'bar', RETENTION + 499, false],
    ['an emptied group of old brokers, by the time of the commit', emptied(null), 'bar', RETENTION, true],
    ['a stable group, a topic that it has left', stable, 'bar', RETENTION, true],
    ['a stable group, a topic that it reads', stable, 'foo', 10 * RETENTION, false],
    ['a group that rebalances', rebalancing, 'bar', 10 * RETENTION, false],
    ['a group whose topics we cannot know', connect, 'bar', 10 * RETENTION, false]
  ])('%s', (_, group, topic, age, expires) => {
    const tombstones = expireGroup(group, offsetsOf([topic, 0, committed()]), at(age), RETENTION)
    expect(tombstones.filter(({ type }) => type === 'OffsetCommit')).toHaveLength(expires ? 1 : 0)
  })

  it('an explicit expiry goes before the retention', () => {
    const early = offsetsOf(['bar', 0, committed({ expireTimestamp: BigInt(NOW + 10) })])
    expect(expireGroup(emptyGroup('g', 0), early, at(9), RETENTION)).toEqual([])
    expect(expireGroup(emptyGroup('g', 0), early, at(10), RETENTION)).toHaveLength(2)
    const late = offsetsOf(['bar', 0, committed({ expireTimestamp: BigInt(NOW + 10 * RETENTION) })])
    expect(expireGroup(emptyGroup('g', 0), late, at(RETENTION), RETENTION)).toEqual([])
  })

  it('an empty group goes with its last offset, after it', () => {
    const offsets = offsetsOf(['bar', 0, committed()], ['bar', 1, committed({ commitTimestamp: BigInt(NOW + 1) })])
    const group = emptyGroup('g', 0)
    expect(expireGroup(group, offsets, at(RETENTION), RETENTION).map(({ type }) => type)).toEqual(['OffsetCommit'])
    const all = expireGroup(group, offsets, at(RETENTION + 1), RETENTION)
    expect(all.map(({ type }) => type)).toEqual(['OffsetCommit', 'OffsetCommit', 'GroupMetadata'])
  })

  it('a group without offsets goes when it is empty, and stays while it has members', () => {
    expect(expireGroup(emptied(NOW), offsetsOf(), NOW, RETENTION)).toEqual([
      { type: 'GroupMetadata', key: { group: 'g' }, value: null }
    ])
    expect(expireGroup(stable, offsetsOf(), NOW, RETENTION)).toEqual([])
  })

  it('offsets go with their topic, not with another of the same name', () => {
    const offsets = offsetsOf(
      ['foo', 0, committed()],
      ['foo', 1, committed({ topicId: OTHER_ID })],
      ['foo', 2, committed({ topicId: ZERO_UUID })],
      ['bar', 0, committed()]
    )
    expect(forgetTopic('g', offsets, { name: 'foo', topicId: FOO_ID }).map(({ key }) => key.partition)).toEqual([0, 2])
  })

  it('nothing is left behind by offsets that are gone', () => {
    const offsets = new Offsets()
    const key = { group: 'g', topic: 'foo', partition: 0 }
    offsets.apply({ type: 'OffsetCommit', key, value: committed() })
    offsets.apply({ type: 'OffsetCommit', key, value: null })
    offsets.apply({ type: 'OffsetCommit', key, value: null })
    expect(offsets.of('g').size).toBe(0)
  })
})
