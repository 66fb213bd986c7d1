import { beforeEach, describe, expect, it } from 'vitest'
import { GroupAdmin } from '../../src/group/admin.ts'
import type { ClassicGroup } from '../../src/group/classic/group.ts'
import { groupMetadataOf } from '../../src/group/classic/record.ts'
import { GroupPartition } from '../../src/group/partition.ts'
import { decodeRecord, type GroupRecord } from '../../src/group/records.ts'
import { MAX_RESPONSE_BYTES, ResponseBudget } from '../../src/group/response-budget.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/wire/bytes.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { runAtOnce } from '../../src/runtime/pace.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { MemoryJournal } from '../coordinator/memory-journal.ts'
import { ClassicGroupDriver } from './classic/classic-group-driver.ts'
import { subscriptionOf } from './embedded.ts'

const NOW = 1_700_000_000_000
const PRODUCER = { producerId: 5n, producerEpoch: 0 }

let journal: MemoryJournal
let partition: GroupPartition
let admin: GroupAdmin

const loaded = (from: MemoryJournal) => runAtOnce(GroupPartition.load(from, NOW, silentLogger))
const adminOf = (...partitions: readonly [GroupPartition, ...GroupPartition[]]) => {
  const of = () => partitions[0]
  return new GroupAdmin({ clocks: new ManualClock(NOW) }, { of, ofMembers: of, all: () => partitions })
}

beforeEach(() => {
  journal = new MemoryJournal()
  partition = loaded(journal)
  admin = adminOf(partition)
})

function commit(topic: string, index: number, group = 'g'): GroupRecord {
  const times = { commitTimestamp: BigInt(NOW), expireTimestamp: -1n }
  const value = { offset: 1n, leaderEpoch: -1, metadata: '', topicId: ZERO_UUID, ...times }
  return { type: 'OffsetCommit', key: { group, topic, partition: index }, value }
}

/** Puts a group in its place, as an operation does. */
function store(group: ClassicGroup): void {
  partition.conclude({
    group,
    records: [{ type: 'GroupMetadata', key: { group: group.groupId }, value: groupMetadataOf(group) }]
  })
}

/** One that has members no more. */
function emptied(): ClassicGroup {
  const driver = ClassicGroupDriver.stable(['a'])
  driver.leave('a')
  return driver.group
}

/** Members that have yet to join again. */
function rebalancing(): ClassicGroup {
  const driver = ClassicGroupDriver.stable(['a', 'b'])
  driver.leave('b')
  return driver.group
}

/** Of Connect's workers. */
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

/** What was written since. */
function writtenBy(count: number): unknown[] {
  return journal.batches
    .slice(count)
    .flatMap(batch => batch.map(record => decodeRecord(record)))
    .map(record => (record.type === 'Skipped' ? record : [Object.values(record.key).join('/'), record.value]))
}

const stateOf = async (groupId: string) => (await admin.describe(groupId)).groupState

describe('a list', () => {
  const ids = async (states: readonly string[] = [], types: readonly string[] = []) =>
    (await admin.list({ states, types })).groups.map(({ groupId }) => groupId)

  beforeEach(() => {
    partition.write([commit('foo', 0, 'simple')], NOW)
    store({ ...rebalancing(), groupId: 'rebalancing' })
    store({ ...ClassicGroupDriver.stable(['a']).group, groupId: 'stable' })
  })

  it('has every group, with its state and types', async () => {
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
    'of the states %j has the groups in them',
    async states => {
      expect(await ids(states)).toEqual(['stable'])
    }
  )

  it.each([[['classic']], [['Classic', 'nonsense']]])('of the types %j has the classic groups', async types => {
    expect(await ids([], types)).toEqual(['simple', 'rebalancing', 'stable'])
  })

  it.each([
    [['nonsense'], []],
    [[''], []],
    [[], ['consumer']],
    [[], [' classic']],
    [['Stable'], ['share']]
  ])('of the states %j and the types %j is empty', async (states, types) => {
    expect(await ids(states, types)).toEqual([])
  })

  it('leaves out a partition that is not served any more', async () => {
    const lost = new MemoryJournal()
    const other = loaded(lost)
    other.write([commit('foo', 0, 'lost')], NOW)
    admin = adminOf(partition, other)
    lost.syncing = Promise.reject(new KafkaError('KAFKA_STORAGE_ERROR', 'the disk is gone'))
    expect(await ids()).toEqual(['simple', 'rebalancing', 'stable'])
  })

  it('is refused when a partition cannot tell', async () => {
    journal.syncing = Promise.reject(new KafkaError('NOT_ENOUGH_REPLICAS', 'alone'))
    expect(await admin.list({ states: [], types: [] })).toEqual({ errorCode: 'COORDINATOR_NOT_AVAILABLE', groups: [] })
  })
})

describe('a description', () => {
  it('of a stable group has what its members said and were given', async () => {
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

  it('of a rebalance has what members were given before it', async () => {
    store(rebalancing())
    const { groupState, protocolData, members } = await admin.describe('g')
    expect({ groupState, protocolData }).toEqual({ groupState: 'PreparingRebalance', protocolData: '' })
    expect(members).toMatchObject([{ memberMetadata: Buffer.alloc(0), memberAssignment: Buffer.from('for a') }])
  })

  it('of a group that there is not says so', async () => {
    const nothing = { protocolType: '', protocolData: '', members: [] }
    const errorMessage = 'Group g not found.'
    const dead = { errorCode: 'GROUP_ID_NOT_FOUND', errorMessage, groupState: 'Dead' }
    expect(await admin.describe('g')).toEqual({ groupId: 'g', ...dead, ...nothing })
  })

  it('waits until what it tells is safe', async () => {
    store(ClassicGroupDriver.stable(['a']).group)
    const synced = deferred<void>()
    journal.syncing = synced.promise
    let isAnswered = false
    const description = admin.describe('g').then(() => {
      isAnswered = true
    })
    await Promise.resolve()
    expect(isAnswered).toBe(false)
    synced.resolve()
    await description
  })

  it('is paid for by all that it takes, where it is asked for again', async () => {
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

describe('the deletion of a group', () => {
  it('ends its offsets, those of open transactions among them, and then the group', async () => {
    store(emptied())
    partition.write([commit('foo', 0), commit('bar', 1)], NOW)
    partition.write([commit('foo', 0), commit('foo', 1)], NOW, PRODUCER)
    partition.write([commit('foo', 1)], NOW, { ...PRODUCER, producerId: 6n })
    const before = journal.batches.length
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'NONE' })
    expect(journal.batches).toHaveLength(before + 1)
    expect(writtenBy(before)).toEqual([
      ['g/foo/0', null],
      ['g/bar/1', null],
      ['g/foo/1', null],
      ['g', null]
    ])
    expect(await stateOf('g')).toBe('Dead')
  })

  it('is still so when it is loaded again, whatever transactions come to', async () => {
    partition.write([commit('foo', 0)], NOW, PRODUCER)
    await admin.delete('g')
    for (const loadedPartition of [partition, loaded(journal)]) {
      loadedPartition.endTransaction(PRODUCER.producerId, 'COMMIT', NOW)
      expect(loadedPartition.groups.size).toBe(0)
      expect(loadedPartition.offsets.of('g').size).toBe(0)
    }
  })

  it.each([
    ['stable', () => ClassicGroupDriver.stable(['a']).group],
    ['rebalancing', rebalancing],
    ['of workers', ofWorkers]
  ])('is refused while it is %s', async (_, group) => {
    store(group())
    const { state } = group()
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'NON_EMPTY_GROUP' })
    expect(await stateOf('g')).toBe(state)
  })

  it('is refused where there is none', async () => {
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'GROUP_ID_NOT_FOUND' })
    expect(journal.batches).toEqual([])
  })

  it('that cannot be written has not happened', async () => {
    store(emptied())
    partition.write([commit('foo', 0)], NOW)
    journal.failure = new KafkaError('KAFKA_STORAGE_ERROR', 'full')
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'NOT_COORDINATOR' })
    expect(await stateOf('g')).toBe('Empty')
    expect(partition.offsets.of('g').size).toBe(1)
  })

  it('of more than a batch may hold is written in parts, the group in the last', async () => {
    for (let index = 0; index < 20; index++) partition.write([commit('foo', index)], NOW)
    const before = journal.batches.length
    journal.maxBytes = 100
    expect(await admin.delete('g')).toEqual({ groupId: 'g', errorCode: 'NONE' })
    expect(journal.batches.length).toBeGreaterThan(before + 1)
    expect(writtenBy(before)).toHaveLength(21)
    expect(writtenBy(before).at(-1)).toEqual(['g', null])
  })
})

describe('the deletion of offsets', () => {
  const codes = async (...topics: (readonly [name: string, ...indexes: number[]])[]) => {
    const answer = await admin.deleteOffsets('g', named(...topics))
    const ofTopics = answer.topics.map(({ name, partitions }) => [name, ...partitions.map(result => result.errorCode)])
    return [answer.errorCode, ...ofTopics]
  }

  it('writes what there is to end, and each once', async () => {
    partition.write([commit('foo', 0), commit('bar', 1)], NOW)
    partition.write([commit('foo', 2)], NOW, PRODUCER)
    const before = journal.batches.length
    const expected = ['NONE', ['foo', 'NONE', 'NONE', 'NONE', 'NONE'], ['bar', 'NONE']]
    expect(await codes(['foo', 0, 1, 2, 0], ['bar', 0])).toEqual(expected)
    expect(writtenBy(before)).toEqual([
      ['g/foo/0', null],
      ['g/foo/2', null]
    ])
    partition.endTransaction(PRODUCER.producerId, 'COMMIT', NOW)
    expect([...partition.offsets.of('g').keys()]).toEqual(['bar'])
  })

  it('writes nothing where there is nothing', async () => {
    store(emptied())
    const before = journal.batches.length
    expect(await codes(['foo', 0])).toEqual(['NONE', ['foo', 'NONE']])
    expect(journal.batches).toHaveLength(before)
  })

  it.each([
    ['stable', () => ClassicGroupDriver.stable(['a']).group],
    ['rebalancing', rebalancing]
  ])('leaves those of topics that members of a %s group are subscribed to', async (_, group) => {
    store(group())
    partition.write([commit('foo', 0), commit('bar', 0)], NOW)
    expect(await codes(['foo', 0, 1], ['bar', 0])).toEqual([
      'NONE',
      ['foo', 'GROUP_SUBSCRIBED_TO_TOPIC', 'GROUP_SUBSCRIBED_TO_TOPIC'],
      ['bar', 'NONE']
    ])
    expect([...partition.offsets.of('g').keys()]).toEqual(['foo'])
  })

  it('leaves all while nobody can tell what members are subscribed to', async () => {
    const driver = new ClassicGroupDriver()
    driver.admit('a', { protocols: [{ name: 'range', metadata: Buffer.from([0]) }] })
    store(driver.group)
    expect(await codes(['foo', 0])).toEqual(['NONE', ['foo', 'GROUP_SUBSCRIBED_TO_TOPIC']])
  })

  it('is refused to groups of workers that have members', async () => {
    store(ofWorkers())
    expect(await codes(['foo', 0])).toEqual(['NON_EMPTY_GROUP'])
  })

  it('is refused where there is no group', async () => {
    expect(await codes(['foo', 0])).toEqual(['GROUP_ID_NOT_FOUND'])
  })

  it('that cannot be written has not happened', async () => {
    partition.write([commit('foo', 0)], NOW)
    journal.failure = new KafkaError('REQUEST_TIMED_OUT', 'slow')
    expect(await codes(['foo', 0])).toEqual(['COORDINATOR_NOT_AVAILABLE'])
    expect(partition.offsets.of('g').size).toBe(1)
  })
})
