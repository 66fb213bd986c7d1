import { describe, expect, it } from 'vitest'
import { ClassicGroup } from '../../../src/group/classic/group.ts'
import { expireGroup, forgetTopic } from '../../../src/group/offsets/offset-expiry.ts'
import {
  decideCommit,
  type FetchTopic,
  fetchOffsets,
  type GroupOffsets,
  Offsets
} from '../../../src/group/offsets/offsets.ts'
import { PendingTransactionalOffsets } from '../../../src/group/offsets/pending-transactional-offsets.ts'
import type { OffsetCommitValue } from '../../../src/group/records.ts'
import { ResponseBudget } from '../../../src/group/response-budget.ts'
import { ZERO_UUID } from '../../../src/protocol/wire/bytes.ts'
import { ClassicGroupDriver } from '../classic/classic-group-driver.ts'

const NOW = 1_700_000_000_000
const FOO_ID = 'AAECAwQFBgcICQoLDA0ODw'
const OTHER_ID = 'AQECAwQFBgcICQoLDA0ODw'
const NOTHING_HELD = new PendingTransactionalOffsets()

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

describe('records of commits', () => {
  const partition = {
    partitionIndex: 0,
    committedOffset: 42n,
    committedLeaderEpoch: 3,
    committedMetadata: 'm' as string | null
  }
  const commit = (retentionTimeMs: bigint, ...partitions: (typeof partition)[]) =>
    decideCommit({ groupId: 'g', retentionTimeMs, topics: [{ name: 'foo', topicId: FOO_ID, partitions }] }, 4, NOW)

  it('a commit becomes a record with the time of the commit', () => {
    expect(commit(-1n, partition)).toEqual({
      records: [{ type: 'OffsetCommit', key: { group: 'g', topic: 'foo', partition: 0 }, value: committed() }],
      topics: [{ name: 'foo', topicId: FOO_ID, partitions: [{ partitionIndex: 0, errorCode: 'NONE' }] }]
    })
  })

  it('a commit with a retention time has an explicit expiry', () => {
    expect(commit(1_000n, partition).records[0]?.value?.expireTimestamp).toBe(BigInt(NOW + 1_000))
  })

  it('a commit without metadata has empty metadata', () => {
    expect(commit(-1n, { ...partition, committedMetadata: null }).records[0]?.value?.metadata).toBe('')
  })

  it('a commit with too long metadata fails for its partition only', () => {
    const long = { ...partition, partitionIndex: 1, committedMetadata: '12345' }
    const { records, topics } = commit(-1n, partition, long)
    expect(records).toHaveLength(1)
    expect(topics[0]?.partitions).toEqual([
      { partitionIndex: 0, errorCode: 'NONE' },
      { partitionIndex: 1, errorCode: 'OFFSET_METADATA_TOO_LARGE' }
    ])
  })
})

describe('OffsetFetch', () => {
  const fetch = (offsets: GroupOffsets, topics: readonly FetchTopic[] | null) =>
    fetchOffsets(offsets, topics, new ResponseBudget(), () => false)
  const offsets = offsetsOf(['foo', 0, committed()], ['bar', 1, committed({ topicId: ZERO_UUID, offset: 7n })])
  const found = (partitionIndex: number, committedOffset: bigint) => {
    return { partitionIndex, committedOffset, committedLeaderEpoch: 3, metadata: 'm', errorCode: 'NONE' }
  }
  const missing = (partitionIndex: number) => {
    return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: 'NONE' }
  }

  it('OffsetFetch of all topics returns all offsets of the group', () => {
    expect(fetch(offsets, null)).toEqual([
      { name: 'foo', topicId: ZERO_UUID, partitions: [found(0, 42n)] },
      { name: 'bar', topicId: ZERO_UUID, partitions: [found(1, 7n)] }
    ])
  })

  it.each([
    ['by name', { name: 'foo', topicId: ZERO_UUID, partitionIndexes: [0, 1] }, [found(0, 42n), missing(1)]],
    ['by the id of the commit', { name: 'foo', topicId: FOO_ID, partitionIndexes: [0] }, [found(0, 42n)]],
    ['of a topic that was created again', { name: 'foo', topicId: OTHER_ID, partitionIndexes: [0] }, [missing(0)]],
    ['by id, of a commit without one', { name: 'bar', topicId: OTHER_ID, partitionIndexes: [1] }, [found(1, 7n)]],
    ['of an unknown topic', { name: 'nope', topicId: ZERO_UUID, partitionIndexes: [0] }, [missing(0)]]
  ])('OffsetFetch %s returns the committed offset, or -1 without a commit', (_, topic, partitions) => {
    expect(fetch(offsets, [topic])[0]?.partitions).toEqual(partitions)
  })

  it('OffsetFetch of an unknown group returns no topics', () => {
    expect(fetch(new Offsets().of('x'), null)).toEqual([])
  })
})

describe('expiration of offsets', () => {
  const RETENTION = 1_000
  const emptied = (stateTimestamp: number | null): ClassicGroup => {
    return new ClassicGroup('g', { protocolType: 'consumer', subscribedTopics: new Set(), stateTimestamp })
  }
  const stable = ClassicGroupDriver.stable(['a']).group
  const rebalancing = new ClassicGroup('g', { ...stable, state: 'PreparingRebalance' })
  const connect = new ClassicGroup('g', { ...stable, protocolType: 'connect', subscribedTopics: null })
  const at = (ageMs: number) => NOW + ageMs

  it.each([
    ['a simple group, by the time of the commit', new ClassicGroup('g', { stateTimestamp: 0 }), 'bar', RETENTION, true],
    ['a simple group, before its time', new ClassicGroup('g', { stateTimestamp: 0 }), 'bar', RETENTION - 1, false],
    ['an emptied group, by the time it emptied', emptied(NOW + 500), 'bar', RETENTION + 500, true],
    ['an emptied group, before its time', emptied(NOW + 500), 'bar', RETENTION + 499, false],
    ['an emptied group of old brokers, by the time of the commit', emptied(null), 'bar', RETENTION, true],
    ['a stable group, a topic that it has left', stable, 'bar', RETENTION, true],
    ['a stable group, a topic that it reads', stable, 'foo', 10 * RETENTION, false],
    ['a group that rebalances', rebalancing, 'bar', 10 * RETENTION, false],
    ['a group whose topics we cannot know', connect, 'bar', 10 * RETENTION, false]
  ])('an offset expires as in Kafka for %s', (_, group, topic, age, expires) => {
    const tombstones = expireGroup(group, offsetsOf([topic, 0, committed()]), NOTHING_HELD, at(age), RETENTION)
    expect(tombstones.filter(({ type }) => type === 'OffsetCommit')).toHaveLength(expires ? 1 : 0)
  })

  it('an explicit expiry takes precedence over the retention', () => {
    const early = offsetsOf(['bar', 0, committed({ expireTimestamp: BigInt(NOW + 10) })])
    expect(expireGroup(new ClassicGroup('g', { stateTimestamp: 0 }), early, NOTHING_HELD, at(9), RETENTION)).toEqual([])
    expect(
      expireGroup(new ClassicGroup('g', { stateTimestamp: 0 }), early, NOTHING_HELD, at(10), RETENTION)
    ).toHaveLength(2)
    const late = offsetsOf(['bar', 0, committed({ expireTimestamp: BigInt(NOW + 10 * RETENTION) })])
    expect(
      expireGroup(new ClassicGroup('g', { stateTimestamp: 0 }), late, NOTHING_HELD, at(RETENTION), RETENTION)
    ).toEqual([])
  })

  it('an empty group is deleted together with its last offset', () => {
    const offsets = offsetsOf(['bar', 0, committed()], ['bar', 1, committed({ commitTimestamp: BigInt(NOW + 1) })])
    const group = new ClassicGroup('g', { stateTimestamp: 0 })
    expect(expireGroup(group, offsets, NOTHING_HELD, at(RETENTION), RETENTION).map(({ type }) => type)).toEqual([
      'OffsetCommit'
    ])
    const all = expireGroup(group, offsets, NOTHING_HELD, at(RETENTION + 1), RETENTION)
    expect(all.map(({ type }) => type)).toEqual(['OffsetCommit', 'OffsetCommit', 'GroupMetadata'])
  })

  it('a group without offsets is deleted if it is empty, and stays if it has members', () => {
    expect(expireGroup(emptied(NOW), offsetsOf(), NOTHING_HELD, NOW, RETENTION)).toEqual([
      { type: 'GroupMetadata', key: { group: 'g' }, value: null }
    ])
    expect(expireGroup(stable, offsetsOf(), NOTHING_HELD, NOW, RETENTION)).toEqual([])
  })

  it('offsets are removed with their topic, and not with another topic of the same name', () => {
    const offsets = offsetsOf(
      ['foo', 0, committed()],
      ['foo', 1, committed({ topicId: OTHER_ID })],
      ['foo', 2, committed({ topicId: ZERO_UUID })],
      ['bar', 0, committed()]
    )
    expect(forgetTopic('g', offsets, [], { name: 'foo', topicId: FOO_ID }).map(({ key }) => key.partition)).toEqual([
      0, 2
    ])
  })

  it('removed offsets leave no entries in memory', () => {
    const offsets = new Offsets()
    const key = { group: 'g', topic: 'foo', partition: 0 }
    offsets.apply({ type: 'OffsetCommit', key, value: committed() })
    offsets.apply({ type: 'OffsetCommit', key, value: null })
    offsets.apply({ type: 'OffsetCommit', key, value: null })
    expect(offsets.of('g').size).toBe(0)
  })
})

describe('offsets of open transactions', () => {
  const key = (partition: number, group = 'g') => ({ group, topic: 'foo', partition })
  const record = (partition: number, offset: bigint, group = 'g') => {
    return { type: 'OffsetCommit' as const, key: key(partition, group), value: committed({ offset }) }
  }
  const offsetOf = (offsets: Offsets, partition: number) => offsets.of('g').get('foo')?.get(partition)?.offset

  it('a pending offset becomes the committed offset if its transaction commits, and is dropped if it aborts', () => {
    const offsets = new Offsets()
    offsets.addPending(record(0, 1n), 7n)
    offsets.addPending(record(0, 2n), 8n)
    expect(offsetOf(offsets, 0)).toBeUndefined()
    offsets.endTransaction(8n, 'ABORT')
    expect(offsets.pending.isPending('g', 'foo', 0)).toBe(true)
    expect(offsets.endTransaction(7n, 'COMMIT').map(each => each.key)).toEqual([key(0)])
    expect(offsetOf(offsets, 0)).toBe(1n)
    expect([offsets.pending.isPending('g', 'foo', 0), offsets.pending.hasPending('g')]).toEqual([false, false])
  })

  it('a pending offset does not replace a newer commit, in any order of the transactions', () => {
    const offsets = new Offsets()
    offsets.addPending(record(0, 1n), 7n)
    offsets.apply(record(0, 5n))
    offsets.addPending(record(1, 1n), 7n)
    offsets.addPending(record(1, 2n), 8n)
    offsets.endTransaction(8n, 'COMMIT')
    offsets.endTransaction(7n, 'COMMIT')
    expect([offsetOf(offsets, 0), offsetOf(offsets, 1)]).toEqual([5n, 2n])
  })

  it('the last pending offset of a producer becomes the committed offset', () => {
    const offsets = new Offsets()
    for (const offset of [1n, 2n, 3n]) offsets.addPending(record(0, offset), 7n)
    offsets.endTransaction(7n, 'COMMIT')
    expect(offsetOf(offsets, 0)).toBe(3n)
  })

  it('a tombstone of an offset removes pending offsets of that partition', () => {
    const offsets = new Offsets()
    offsets.addPending(record(0, 1n), 7n)
    offsets.addPending(record(0, 1n, 'other'), 7n)
    offsets.apply({ ...record(0, 1n), value: null })
    expect([offsets.pending.hasPending('g'), offsets.pending.hasPending('other')]).toEqual([false, true])
    offsets.endTransaction(7n, 'COMMIT')
    expect(offsetOf(offsets, 0)).toBeUndefined()
  })

  it('a pending offset keeps its group and the committed offset from expiration', () => {
    const offsets = new Offsets()
    offsets.apply(record(0, 1n))
    offsets.apply(record(1, 1n))
    offsets.addPending(record(0, 2n), 7n)
    const expire = () =>
      expireGroup(new ClassicGroup('g', { stateTimestamp: 0 }), offsets.of('g'), offsets.pending, NOW + 5000, 5000)
    expect(expire().map(each => each.key)).toEqual([key(1)])
    offsets.endTransaction(7n, 'ABORT')
    expect(expire().map(({ type }) => type)).toEqual(['OffsetCommit', 'OffsetCommit', 'GroupMetadata'])
    const onlyPending = new Offsets()
    onlyPending.addPending(record(0, 2n), 7n)
    expect(
      expireGroup(
        new ClassicGroup('g', { stateTimestamp: 0 }),
        onlyPending.of('g'),
        onlyPending.pending,
        NOW + 5000,
        5000
      )
    ).toEqual([])
  })

  it('a deleted topic removes pending offsets', () => {
    const offsets = new Offsets()
    offsets.apply(record(0, 1n))
    offsets.addPending(record(0, 2n), 7n)
    offsets.addPending(record(1, 2n), 7n)
    const gone = { name: 'foo', topicId: FOO_ID }
    expect(forgetTopic('g', offsets.of('g'), offsets.pending.of('g'), gone).map(each => each.key)).toEqual([
      key(0),
      key(1)
    ])
    expect(forgetTopic('g', offsets.of('g'), offsets.pending.of('g'), { ...gone, topicId: OTHER_ID })).toEqual([])
  })
})
