import { beforeEach, describe, expect, it } from 'vitest'
import { GroupAdmin } from '../../src/group/admin.ts'
import { ClassicGroup } from '../../src/group/classic/group.ts'
import { groupMetadataOf } from '../../src/group/classic/record.ts'
import { GroupOperations, type GroupShard } from '../../src/group/operations.ts'
import { decodeRecord, type GroupRecord } from '../../src/group/records.ts'
import { MAX_RESPONSE_BYTES, ResponseBudget } from '../../src/group/response-budget.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/wire/bytes.ts'
import { BackgroundLoops } from '../../src/runtime/background.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { settingsWith } from '../config/settings-with.ts'
import { MemoryStateLog } from '../coordinator/memory-state-log.ts'
import { ClassicGroupDriver } from './classic/classic-group-driver.ts'
import { ClusterTopics } from './consumer/cluster-topics.ts'
import { subscriptionOf } from './embedded.ts'
import { raise } from './group-coordinator-driver.ts'
import { groupShard } from './group-shard.ts'

const NOW = 1_700_000_000_000
const PRODUCER = { producerId: 5n, producerEpoch: 0 }

let log: MemoryStateLog
let shard: GroupShard
let admin: GroupAdmin

/** The operations of a coordinator with a shard on each log. */
function operationsOn(...logs: readonly MemoryStateLog[]): GroupOperations {
  const clocks = new ManualClock(NOW)
  return new GroupOperations({
    topic: {
      topic: '__consumer_offsets',
      partitionCount: () => logs.length,
      leads: () => true,
      log: index => logs[index] ?? log
    },
    ...{ clocks, events: new RecordingEvents(), settings: settingsWith({}), topics: new ClusterTopics() },
    background: new BackgroundLoops({ clocks, failed: raise })
  })
}

function shardAt(operations: GroupOperations, index: number): GroupShard {
  const found = operations.runtime.at(index)
  if (!found) throw new Error(`there is no shard ${index}`)
  return found
}

beforeEach(() => {
  log = new MemoryStateLog()
  const operations = operationsOn(log)
  shard = shardAt(operations, 0)
  admin = new GroupAdmin(operations)
})

function commit(topic: string, index: number, group = 'g'): GroupRecord {
  const times = { commitTimestamp: BigInt(NOW), expireTimestamp: -1n }
  const value = { offset: 1n, leaderEpoch: -1, metadata: '', topicId: ZERO_UUID, ...times }
  return { type: 'OffsetCommit', key: { group, topic, partition: index }, value }
}

/** Stores a group as an operation does. */
function store(group: ClassicGroup): void {
  shard.commit({
    records: [{ type: 'GroupMetadata', key: { group: group.groupId }, value: groupMetadataOf(group) }],
    apply: () => shard.state.put(group)
  })
}

/** A group whose last member has left. */
function emptied(): ClassicGroup {
  const driver = ClassicGroupDriver.stable(['a'])
  driver.leave('a')
  return driver.group
}

/** A group that waits for members to rejoin. */
function rebalancing(): ClassicGroup {
  const driver = ClassicGroupDriver.stable(['a', 'b'])
  driver.leave('b')
  return driver.group
}

/** A group of Connect workers. */
function ofWorkers(): ClassicGroup {
  const driver = new ClassicGroupDriver()
  driver.admit('w', { protocolType: 'connect', protocols: [{ name: 'eager', metadata: subscriptionOf(['foo']) }] })
  driver.syncAll()
  return driver.group
}

const named = (...topics: (readonly [name: string, ...indexes: number[]])[]) =>
  topics.map(([name, ...indexes]) => {
    return { name, topicId: ZERO_UUID, partitions: indexes.map(partitionIndex => ({ partitionIndex })) }
  })

/** The records of the batches from `count` on. */
function writtenBy(count: number): unknown[] {
  return log.batches
    .slice(count)
    .flatMap(batch => batch.map(record => decodeRecord(record)))
    .map(record => (record.type === 'Skipped' ? record : [Object.values(record.key).join('/'), record.value]))
}

const stateOf = async (groupId: string) => (await admin.describe(groupId)).groupState

describe('ListGroups', () => {
  const ids = async (states: readonly string[] = [], types: readonly string[] = []) =>
    (await admin.list({ states, types })).groups.map(({ groupId }) => groupId)

  beforeEach(() => {
    shard.commit({ records: [commit('foo', 0, 'simple')] })
    store(new ClassicGroup('rebalancing', rebalancing()))
    store(new ClassicGroup('stable', ClassicGroupDriver.stable(['a']).group))
  })

  it('ListGroups returns every group with its state and types', async () => {
    expect(await admin.list({ states: [], types: [] })).toMatchObject({
      errorCode: 'NONE',
      groups: [
        { groupId: 'simple', type: 'classic', state: 'Empty', protocolType: '' },
        { groupId: 'rebalancing', type: 'classic', state: 'PreparingRebalance', protocolType: 'consumer' },
        { groupId: 'stable', type: 'classic', state: 'Stable', protocolType: 'consumer' }
      ]
    })
  })

  it.each([[['Stable']], [['stable', 'nonsense']], [[' STABLE ']]])(
    'ListGroups with the states %j returns the groups in these states',
    async states => {
      expect(await ids(states)).toEqual(['stable'])
    }
  )

  it.each([[['classic']], [['Classic', 'nonsense']]])(
    'ListGroups with the types %j returns the classic groups',
    async types => {
      expect(await ids([], types)).toEqual(['simple', 'rebalancing', 'stable'])
    }
  )

  it.each([
    [['nonsense'], []],
    [[''], []],
    [[], ['consumer']],
    [[], [' classic']],
    [['Stable'], ['share']]
  ])('ListGroups with the states %j and the types %j returns no groups', async (states, types) => {
    expect(await ids(states, types)).toEqual([])
  })

  it('ListGroups omits a partition that is not served any more', async () => {
    const lost = new MemoryStateLog()
    const operations = operationsOn(log, lost)
    shardAt(operations, 0)
    shardAt(operations, 1).commit({ records: [commit('foo', 0, 'lost')] })
    admin = new GroupAdmin(operations)
    lost.syncing = Promise.reject(new KafkaError('KAFKA_STORAGE_ERROR', 'the disk is gone'))
    expect(await ids()).toEqual(['simple', 'rebalancing', 'stable'])
  })

  it('ListGroups is refused when a partition cannot be read', async () => {
    log.syncing = Promise.reject(new KafkaError('NOT_ENOUGH_REPLICAS', 'alone'))
    expect(await admin.list({ states: [], types: [] })).toEqual({ errorCode: 'COORDINATOR_NOT_AVAILABLE', groups: [] })
  })
})

describe('DescribeGroups', () => {
  it('DescribeGroups of a stable group returns the metadata and assignments of its members', async () => {
    store(ClassicGroupDriver.stable(['a', 'b']).group)
    const member = (memberId: string) => ({
      ...{ memberId, groupInstanceId: null, clientId: 'client', clientHost: '/127.0.0.1' },
      memberMetadata: subscriptionOf(['foo']),
      memberAssignment: Buffer.from(`for ${memberId}`)
    })
    expect(await admin.describe('g')).toEqual({
      ...{ groupId: 'g', errorCode: 'NONE', errorMessage: null },
      ...{ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' },
      members: [member('a'), member('b')]
    })
  })

  it('DescribeGroups during a rebalance returns the previous assignments', async () => {
    store(rebalancing())
    const { groupState, protocolData, members } = await admin.describe('g')
    expect({ groupState, protocolData }).toEqual({ groupState: 'PreparingRebalance', protocolData: '' })
    expect(members).toMatchObject([{ memberMetadata: Buffer.alloc(0), memberAssignment: Buffer.from('for a') }])
  })

  it('DescribeGroups of an unknown group returns GROUP_ID_NOT_FOUND and the state Dead', async () => {
    const nothing = { protocolType: '', protocolData: '', members: [] }
    const errorMessage = 'Group g not found.'
    const dead = { errorCode: 'GROUP_ID_NOT_FOUND', errorMessage, groupState: 'Dead' }
    expect(await admin.describe('g')).toEqual({ groupId: 'g', ...dead, ...nothing })
  })

  it('DescribeGroups waits for the sync of the state that it returns', async () => {
    store(ClassicGroupDriver.stable(['a']).group)
    const synced = deferred<void>()
    log.syncing = synced.promise
    let isAnswered = false
    const description = admin.describe('g').then(() => {
      isAnswered = true
    })
    await Promise.resolve()
    expect(isAnswered).toBe(false)
    synced.resolve()
    await description
  })

  it('a group that is described repeatedly counts each time against the size of the response', async () => {
    const driver = new ClassicGroupDriver()
    driver.admit('a', { protocols: [{ name: 'range', metadata: Buffer.alloc(1_000_000) }] })
    driver.syncAll()
    store(driver.group)
    const budget = new ResponseBudget()
    const answers = Array.from({ length: 20 }, () => admin.describe('g', budget))
    const codes = (await Promise.all(answers)).map(({ errorCode }) => errorCode)
    expect(codes.filter(code => code === 'NONE')).toHaveLength(Math.floor(MAX_RESPONSE_BYTES / 1_000_000))
    expect(new Set(codes)).toEqual(new Set(['NONE', 'INVALID_REQUEST']))
  })
})

describe('DeleteGroups', () => {
  it('DeleteGroups writes tombstones of all offsets, also of open transactions, and then of the group', async () => {
    store(emptied())
    shard.commit({ records: [commit('foo', 0), commit('bar', 1)] })
    shard.commit({ records: [commit('foo', 0), commit('foo', 1)], producer: PRODUCER })
    shard.commit({ records: [commit('foo', 1)], producer: { ...PRODUCER, producerId: 6n } })
    const before = log.batches.length
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'NONE' })
    expect(log.batches).toHaveLength(before + 1)
    expect(writtenBy(before)).toEqual([
      ['g/foo/0', null],
      ['g/bar/1', null],
      ['g/foo/1', null],
      ['g', null]
    ])
    expect(await stateOf('g')).toBe('Dead')
  })

  it('a deleted group stays deleted after transactions end and after a restart', async () => {
    shard.commit({ records: [commit('foo', 0)], producer: PRODUCER })
    await admin.delete('g')
    for (const { state } of [shard, groupShard(log)]) {
      state.endTransaction(PRODUCER.producerId, 'COMMIT', NOW)
      expect(state.groups.size).toBe(0)
      expect(state.offsets.of('g').size).toBe(0)
    }
  })

  it.each([
    ['stable', () => ClassicGroupDriver.stable(['a']).group],
    ['rebalancing', rebalancing],
    ['of workers', ofWorkers]
  ])('a group (%s) gets NON_EMPTY_GROUP from DeleteGroups', async (_, group) => {
    store(group())
    const { state } = group()
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'NON_EMPTY_GROUP' })
    expect(await stateOf('g')).toBe(state)
  })

  it('an unknown group gets GROUP_ID_NOT_FOUND from DeleteGroups', async () => {
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'GROUP_ID_NOT_FOUND' })
    expect(log.batches).toEqual([])
  })

  it('a deletion whose append fails changes nothing', async () => {
    store(emptied())
    shard.commit({ records: [commit('foo', 0)] })
    log.failure = new KafkaError('KAFKA_STORAGE_ERROR', 'full')
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'NOT_COORDINATOR' })
    expect(await stateOf('g')).toBe('Empty')
    expect(shard.state.offsets.of('g').size).toBe(1)
  })

  it('a deletion that exceeds the batch size is written in several batches with the group in the last one', async () => {
    for (let index = 0; index < 20; index++) shard.commit({ records: [commit('foo', index)] })
    const before = log.batches.length
    log.maxBytes = 100
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'NONE' })
    expect(log.batches.length).toBeGreaterThan(before + 1)
    expect(writtenBy(before)).toHaveLength(21)
    expect(writtenBy(before).at(-1)).toEqual(['g', null])
  })
})

describe('OffsetDelete', () => {
  const codes = async (...topics: (readonly [name: string, ...indexes: number[]])[]) => {
    const answer = await admin.deleteOffsets('g', named(...topics))
    const ofTopics = answer.topics.map(({ name, partitions }) => [name, ...partitions.map(result => result.errorCode)])
    return [answer.errorCode, ...ofTopics]
  }

  it('OffsetDelete writes one tombstone for each existing offset', async () => {
    shard.commit({ records: [commit('foo', 0), commit('bar', 1)] })
    shard.commit({ records: [commit('foo', 2)], producer: PRODUCER })
    const before = log.batches.length
    const expected = ['NONE', ['foo', 'NONE', 'NONE', 'NONE', 'NONE'], ['bar', 'NONE']]
    expect(await codes(['foo', 0, 1, 2, 0], ['bar', 0])).toEqual(expected)
    expect(writtenBy(before)).toEqual([
      ['g/foo/0', null],
      ['g/foo/2', null]
    ])
    shard.state.endTransaction(PRODUCER.producerId, 'COMMIT', NOW)
    expect([...shard.state.offsets.of('g').keys()]).toEqual(['bar'])
  })

  it('OffsetDelete writes nothing if no offset exists', async () => {
    store(emptied())
    const before = log.batches.length
    expect(await codes(['foo', 0])).toEqual(['NONE', ['foo', 'NONE']])
    expect(log.batches).toHaveLength(before)
  })

  it.each([
    ['stable', () => ClassicGroupDriver.stable(['a']).group],
    ['rebalancing', rebalancing]
  ])('OffsetDelete refuses topics that members of a %s group are subscribed to', async (_, group) => {
    store(group())
    shard.commit({ records: [commit('foo', 0), commit('bar', 0)] })
    expect(await codes(['foo', 0, 1], ['bar', 0])).toEqual([
      'NONE',
      ['foo', 'GROUP_SUBSCRIBED_TO_TOPIC', 'GROUP_SUBSCRIBED_TO_TOPIC'],
      ['bar', 'NONE']
    ])
    expect([...shard.state.offsets.of('g').keys()]).toEqual(['foo'])
  })

  it('OffsetDelete refuses all topics if a subscription of a member cannot be parsed', async () => {
    const driver = new ClassicGroupDriver()
    driver.admit('a', { protocols: [{ name: 'range', metadata: Buffer.from([0]) }] })
    store(driver.group)
    expect(await codes(['foo', 0])).toEqual(['NONE', ['foo', 'GROUP_SUBSCRIBED_TO_TOPIC']])
  })

  it('OffsetDelete of a group of Connect workers with members gets NON_EMPTY_GROUP', async () => {
    store(ofWorkers())
    expect(await codes(['foo', 0])).toEqual(['NON_EMPTY_GROUP'])
  })

  it('OffsetDelete of an unknown group gets GROUP_ID_NOT_FOUND', async () => {
    expect(await codes(['foo', 0])).toEqual(['GROUP_ID_NOT_FOUND'])
  })

  it('an OffsetDelete whose append fails changes nothing', async () => {
    shard.commit({ records: [commit('foo', 0)] })
    log.failure = new KafkaError('REQUEST_TIMED_OUT', 'slow')
    expect(await codes(['foo', 0])).toEqual(['COORDINATOR_NOT_AVAILABLE'])
    expect(shard.state.offsets.of('g').size).toBe(1)
  })
})
