/** Answers that wait for the disk, where flush.messages wants it: who waits for what, and what a failed disk does to them. */
import { describe, expect, it } from 'vitest'
import type { StorageOperation } from '../../src/log/memory-storage.ts'
import { StorageError } from '../../src/log/storage.ts'
import { nextTurn } from '../../src/runtime/clock.ts'
import { subscription } from '../group/classic/stage.ts'
import { HeldStorage } from '../log/held-storage.ts'
import { batchOf, Harness, valuesIn } from './harness.ts'

const EIO = new StorageError('failed', 'the device is gone')
const LATEST = -1n
const SMALL_GROUPS = { 'offsets.topic.num.partitions': 2, 'offsets.topic.replication.factor': 1 }

const idempotent = (value: string, baseSequence: number, producerEpoch = 0) =>
  batchOf([value], { producerId: 5n, producerEpoch, baseSequence })

/** A broker with a topic that is synced by each message and has one record, 'first'. Syncs are held from now on. */
async function heldBroker(config = {}, faults: ConstructorParameters<typeof HeldStorage>[0] = {}) {
  const storage = new HeldStorage(faults)
  const broker = await Harness.start({ storage, config })
  const topicId = await broker.createTopic('t', 2, { 'flush.messages': '1' })
  await broker.produce(topicId, idempotent('first', 0))
  storage.hold()
  return { storage, broker, topicId }
}

/** What a promise has come to by now. */
async function sofar<T>(promise: Promise<T>): Promise<T | 'waits'> {
  await nextTurn()
  return Promise.race([promise, nextTurn().then(() => 'waits' as const)])
}

async function latest(broker: Harness, partitionIndex = 0) {
  const topics = [{ name: 't', partitions: [{ partitionIndex, timestamp: LATEST }] }]
  const answer = await broker.get('ListOffsets', { topics })
  return answer.topics[0]?.partitions[0]
}

describe('Produce', () => {
  it.each([1, -1])('with acks=%i is answered when the record is on the disk', async acks => {
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

  it('with acks=0 waits for nothing', async () => {
    const { broker, topicId } = await heldBroker()
    const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf(['second']) }] }]
    const request = { transactionalId: null, acks: 0, timeoutMs: 1000, topicData }
    expect(await sofar(broker.ask('Produce', request))).toBeUndefined()
    expect(await broker.values(topicId)).toEqual(['first'])
  })

  it('of any number of producers needs one sync for those before it, and one for those meanwhile', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const first = broker.produce(topicId, batchOf(['second']))
    await nextTurn()
    const others = Array.from({ length: 50 }, (_, index) => broker.produce(topicId, batchOf([`${index}`])))
    await nextTurn()
    expect(storage.asked).toHaveLength(1)
    await storage.release()
    expect(await sofar(first)).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    await storage.release()
    const answers = await Promise.all(others)
    expect(answers.map(({ baseOffset }) => baseOffset)).toEqual(others.map((_, index) => BigInt(index + 2)))
    expect(storage.asked).toHaveLength(2)
  })

  it('of partitions that are not synced by each message waits for none that is', async () => {
    const { broker, topicId } = await heldBroker()
    const other = await broker.createTopic('other')
    broker.produce(topicId, batchOf(['second']))
    expect(await sofar(broker.produce(other, batchOf(['x'])))).toMatchObject({ errorCode: 'NONE' })
  })

  it('again of a batch whose first answer still waits, waits too; of one that is on the disk it does not', async () => {
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

  it('that is fenced by an epoch which a loss of power could take back waits', async () => {
    const { storage, broker, topicId } = await heldBroker()
    broker.produce(topicId, idempotent('second', 0, 1))
    const fenced = broker.produce(topicId, idempotent('third', 1))
    expect(await sofar(fenced)).toBe('waits')
    await storage.release()
    expect(await fenced).toMatchObject({ errorCode: 'INVALID_PRODUCER_EPOCH' })
  })

  it('with acks=all is REQUEST_TIMED_OUT past its time, and a retry gets the offset', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const produced = broker.produce(topicId, idempotent('second', 1))
    const leaderOnly = broker.produce(topicId, batchOf(['third']), { acks: 1 })
    await nextTurn()
    broker.clock.advance(999)
    expect(await sofar(produced)).toBe('waits')
    broker.clock.advance(1)
    expect(await sofar(produced)).toMatchObject({ errorCode: 'REQUEST_TIMED_OUT', baseOffset: 1n })
    expect(await sofar(leaderOnly)).toBe('waits')
    const again = broker.produce(topicId, idempotent('second', 1))
    await storage.flow()
    expect(await again).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    expect(await leaderOnly).toMatchObject({ errorCode: 'NONE', baseOffset: 2n })
    expect(broker.clock.nextAlarmMs).toBeGreaterThan(broker.clock.now() + 1000)
  })

  it('is answered when the broker stops', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const produced = broker.produce(topicId, batchOf(['second']))
    await nextTurn()
    const stopped = broker.broker.stop()
    await storage.flow()
    expect(await produced).toMatchObject({ errorCode: 'NONE' })
    await stopped
  })

  it('is told when its topic is deleted meanwhile', async () => {
    const { broker, topicId } = await heldBroker()
    const produced = broker.produce(topicId, batchOf(['second']))
    await nextTurn()
    await broker.get('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
    expect(await sofar(produced)).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER' })
  })
})

describe('a parked Fetch', () => {
  const patient = { maxWaitMs: 10_000 }

  it('is woken by the sync, not by the append', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const fetched = broker.get('Fetch', broker.fetchRequest(topicId, 1n, patient))
    broker.produce(topicId, batchOf(['second']))
    expect(await sofar(fetched)).toBe('waits')
    await storage.release()
    expect(valuesIn((await fetched).responses[0]?.partitions[0]?.records ?? null)).toEqual(['second'])
  })

  it('counts only bytes that it may see', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const size = batchOf(['second']).length
    const fetched = broker.get('Fetch', broker.fetchRequest(topicId, 1n, { ...patient, minBytes: 2 * size }))
    broker.produce(topicId, batchOf(['second']))
    await nextTurn()
    broker.produce(topicId, batchOf(['third!']))
    await storage.release()
    expect(await sofar(fetched)).toBe('waits')
    await storage.release()
    expect(valuesIn((await fetched).responses[0]?.partitions[0]?.records ?? null)).toEqual(['second', 'third!'])
  })

  it('is told when the disk fails', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const fetched = broker.get('Fetch', broker.fetchRequest(topicId, 1n, patient))
    broker.produce(topicId, batchOf(['second']))
    await nextTurn()
    await storage.fail(EIO)
    expect((await fetched).responses[0]?.partitions[0]).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
  })
})

it('where an epoch ended is told when it is on the disk', async () => {
  const { storage, broker, topicId } = await heldBroker()
  broker.produce(topicId, batchOf(['second']))
  await nextTurn()
  const request = { topics: [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }] }
  const answered = broker.get('OffsetForLeaderEpoch', { replicaId: -1, ...request })
  expect(await sofar(answered)).toBe('waits')
  await storage.release()
  expect((await answered).topics[0]?.partitions[0]).toMatchObject({ errorCode: 'NONE', endOffset: 2n })
})

it('records up to the high watermark can be deleted while later ones wait', async () => {
  const { broker, topicId } = await heldBroker()
  broker.produce(topicId, batchOf(['second']))
  await nextTurn()
  const upTo = async (offset: bigint) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
    return (await broker.get('DeleteRecords', { topics, timeoutMs: 1000 })).topics[0]?.partitions[0]
  }
  expect(await upTo(2n)).toMatchObject({ errorCode: 'OFFSET_OUT_OF_RANGE' })
  expect(await upTo(-1n)).toMatchObject({ errorCode: 'NONE', lowWatermark: 1n })
})

describe('the setting', () => {
  it('of the broker holds for all topics, and can change at run time', async () => {
    const storage = new HeldStorage()
    const broker = await Harness.start({ storage })
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a']))
    storage.hold()
    expect(await sofar(broker.produce(topicId, batchOf(['b'])))).toMatchObject({ errorCode: 'NONE' })
    const set = (value: string) =>
      broker.get('IncrementalAlterConfigs', {
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

  it('log.flush.interval.ms syncs without keeping anybody waiting', async () => {
    const storage = new HeldStorage()
    const broker = await Harness.start({ storage, config: { 'log.flush.interval.ms': 500 } })
    const topicId = await broker.createTopic('t')
    expect(await sofar(broker.produce(topicId, batchOf(['a'])))).toMatchObject({ errorCode: 'NONE' })
    expect(storage.asked).not.toContain('t-0')
    broker.clock.advance(500)
    await nextTurn()
    expect(storage.asked).toContain('t-0/00000000000000000000.log')
  })
})

describe('a failed sync', () => {
  it('is told to all who wait, takes that partition offline, and leaves the others alone', async () => {
    const { storage, broker, topicId } = await heldBroker()
    const waiting = [0, 1, -1].map(acks => broker.produce(topicId, batchOf([`acks ${acks}`]), { acks: acks || 1 }))
    await nextTurn()
    await storage.fail(EIO)
    for (const answer of await Promise.all(waiting)) {
      expect(answer).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR', baseOffset: -1n })
    }
    await storage.flow()
    const fetched = await broker.get('Fetch', broker.fetchRequest(topicId, 0n))
    expect(fetched.responses[0]?.partitions[0]).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(await broker.produce(topicId, batchOf(['x']))).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(await latest(broker)).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(await broker.produce(topicId, batchOf(['y']), { index: 1 })).toMatchObject({ errorCode: 'NONE' })
    await broker.broker.stop()
    storage.loseUnsynced()
    await using again = await Harness.start({ storage })
    expect(await again.values(topicId)).toEqual(['first'])
    expect(await again.values(topicId, 0n, 1)).toEqual(['y'])
    expect(await again.produce(topicId, batchOf(['z']))).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
  })
})

describe('groups', () => {
  const config = { ...SMALL_GROUPS, 'log.flush.interval.messages': 1 }
  // Groups in different partitions of __consumer_offsets, but for the last.
  const [ONE, TWO, SAME_AS_ONE] = ['a', 'b', 'c']

  async function withGroups() {
    const held = await heldBroker(config)
    await held.storage.flow()
    await held.broker.get('FindCoordinator', { keyType: 0, coordinatorKeys: [ONE, TWO] })
    for (const groupId of [ONE, TWO]) await commit(held.broker, groupId, 1n)
    held.storage.hold()
    return held
  }

  async function commit(broker: Harness, groupId: string, committedOffset: bigint) {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: null }] }]
    const request = { groupId, generationIdOrMemberEpoch: -1, topics }
    return (await broker.get('OffsetCommit', request, { version: 9 })).topics[0]?.partitions[0]
  }

  async function committed(broker: Harness, groupId: string) {
    const groups = [{ groupId, memberId: null, topics: [{ name: 't', partitionIndexes: [0] }] }]
    const [group] = (await broker.get('OffsetFetch', { groups }, { version: 9 })).groups
    return group?.errorCode === 'NONE' ? group.topics[0]?.partitions[0]?.committedOffset : group?.errorCode
  }

  const joinRequest = (groupId: string, memberId = '') => ({
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId,
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('t') }]
  })

  it('are told that a commit is stored, and what is committed, when it is on the disk', async () => {
    const { storage, broker } = await withGroups()
    const stored = commit(broker, ONE, 2n)
    await nextTurn()
    const asked = committed(broker, ONE)
    expect(await sofar(stored)).toBe('waits')
    expect(await sofar(asked)).toBe('waits')
    expect(await sofar(committed(broker, TWO))).toBe(1n)
    await storage.release()
    expect(await stored).toMatchObject({ errorCode: 'NONE' })
    expect(await asked).toBe(2n)
  })

  /** A member of a new generation. */
  async function joined(broker: Harness, groupId: string) {
    const { memberId } = await broker.get('JoinGroup', joinRequest(groupId))
    const joining = broker.get('JoinGroup', joinRequest(groupId, memberId))
    await nextTurn()
    broker.clock.advance(3000)
    const { generationId } = await joining
    return { groupId, memberId, generationId }
  }

  const syncRequest = (claim: { groupId: string; memberId: string; generationId: number }) => ({
    ...claim,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [{ memberId: claim.memberId, assignment: Buffer.from('all') }]
  })

  it('a member is told its assignment when that is on the disk', async () => {
    const { storage, broker } = await withGroups()
    await storage.flow()
    const claim = await joined(broker, 'new')
    storage.hold()
    const synced = broker.get('SyncGroup', syncRequest(claim))
    expect(await sofar(synced)).toBe('waits')
    await storage.release()
    expect(await synced).toMatchObject({ errorCode: 'NONE', assignment: Buffer.from('all') })
  })

  it('of a partition whose disk failed are refused whatever they ask, and others are not', async () => {
    const { storage, broker } = await withGroups()
    await storage.flow()
    const claim = await joined(broker, ONE)
    expect(await broker.get('SyncGroup', syncRequest(claim))).toMatchObject({ errorCode: 'NONE' })
    expect(await broker.get('Heartbeat', claim)).toMatchObject({ errorCode: 'NONE' })
    storage.hold()
    const leaving = broker.get('LeaveGroup', { groupId: ONE, members: [{ memberId: 'nobody' }, claim] })
    await nextTurn()
    await storage.fail(EIO)
    expect(await leaving).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    await storage.flow()
    const refused = { errorCode: 'NOT_COORDINATOR' }
    expect(await committed(broker, ONE)).toBe('NOT_COORDINATOR')
    expect(await commit(broker, ONE, 3n)).toMatchObject(refused)
    expect(await broker.get('JoinGroup', joinRequest(ONE))).toMatchObject(refused)
    expect(await commit(broker, TWO, 3n)).toMatchObject({ errorCode: 'NONE' })
  })

  it('a member whose disk failed hears of it with its next heartbeat', async () => {
    const { storage, broker } = await withGroups()
    await storage.flow()
    const claim = await joined(broker, ONE)
    await broker.get('SyncGroup', syncRequest(claim))
    storage.hold()
    commit(broker, SAME_AS_ONE, 2n)
    await nextTurn()
    await storage.fail(EIO)
    expect(await broker.get('Heartbeat', claim)).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
  })
})

describe('the disk of the metadata', () => {
  const METADATA = '__cluster_metadata-0/'

  async function create(broker: Harness, name: string) {
    const topics = [{ name, numPartitions: 1, replicationFactor: 1 }]
    return (await broker.get('CreateTopics', { topics })).topics[0]?.errorCode
  }

  it('where it fails, changes are refused until restart, and records go on', async () => {
    let isBroken = false
    const fault = ({ name, path }: StorageOperation) =>
      isBroken && name === 'sync' && path.startsWith(METADATA) ? { error: EIO } : undefined
    const { storage, broker, topicId } = await heldBroker({}, { fault })
    await storage.flow()
    isBroken = true
    expect(await create(broker, 'u')).toBe('KAFKA_STORAGE_ERROR')
    isBroken = false
    expect(await create(broker, 'v')).toBe('KAFKA_STORAGE_ERROR')
    const producer = await broker.get('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1000 })
    expect(producer).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(await broker.produce(topicId, batchOf(['second']))).toMatchObject({ errorCode: 'NONE' })
    await broker.broker.stop()
    await using again = await Harness.start({ storage })
    expect(await again.values(topicId)).toEqual(['first', 'second'])
    expect(await create(again, 'v')).toBe('NONE')
  })

  it('where it is full, a change is refused and leaves no trace', async () => {
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
