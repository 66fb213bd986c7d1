// Group responses that wait for the sync of log.flush.interval.messages, and groups on a failed disk.
import { describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../../../src/runtime/pace.ts'
import type { Harness } from '../../../../src/testing/harness.ts'
import { subscriptionOf } from '../../../group/embedded.ts'
import { EIO, heldBroker, sofar } from '../../held-broker.ts'

const SMALL_GROUPS = { 'offsets.topic.num.partitions': 2, 'offsets.topic.replication.factor': 1 }

describe('groups', () => {
  const config = { ...SMALL_GROUPS, 'log.flush.interval.messages': 1 }
  // Groups in different partitions of __consumer_offsets, except for the last one.
  const [ONE, TWO, SAME_AS_ONE] = ['a', 'b', 'c']

  async function withGroups() {
    const pending = await heldBroker(config)
    await pending.storage.flow()
    await pending.broker.request('FindCoordinator', { keyType: 0, coordinatorKeys: [ONE, TWO] })
    for (const groupId of [ONE, TWO]) await commit(pending.broker, groupId, 1n)
    pending.storage.hold()
    return pending
  }

  async function commit(broker: Harness, groupId: string, committedOffset: bigint) {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: null }] }]
    const request = { groupId, generationIdOrMemberEpoch: -1, topics }
    return (await broker.request('OffsetCommit', request, { version: 9 })).topics[0]?.partitions[0]
  }

  async function committed(broker: Harness, groupId: string) {
    const groups = [{ groupId, memberId: null, topics: [{ name: 't', partitionIndexes: [0] }] }]
    const [group] = (await broker.request('OffsetFetch', { groups }, { version: 9 })).groups
    return group?.errorCode === 'NONE' ? group.topics[0]?.partitions[0]?.committedOffset : group?.errorCode
  }

  const joinRequest = (groupId: string, memberId = '') => ({
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId,
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscriptionOf(['t']) }]
  })

  it('get the responses to OffsetCommit and OffsetFetch after the sync', async () => {
    const { storage, broker } = await withGroups()
    const stored = commit(broker, ONE, 2n)
    await yieldToEventLoop()
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
    const { memberId } = await broker.request('JoinGroup', joinRequest(groupId))
    const joining = broker.request('JoinGroup', joinRequest(groupId, memberId))
    await yieldToEventLoop()
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

  it('send a member its assignment after the sync', async () => {
    const { storage, broker } = await withGroups()
    await storage.flow()
    const claim = await joined(broker, 'new')
    storage.hold()
    const synced = broker.request('SyncGroup', syncRequest(claim))
    expect(await sofar(synced)).toBe('waits')
    await storage.release()
    expect(await synced).toMatchObject({ errorCode: 'NONE', assignment: Buffer.from('all') })
  })

  it('of a partition with a failed disk are refused in all requests, and others are served', async () => {
    const { storage, broker } = await withGroups()
    await storage.flow()
    const claim = await joined(broker, ONE)
    expect(await broker.request('SyncGroup', syncRequest(claim))).toMatchObject({ errorCode: 'NONE' })
    expect(await broker.request('Heartbeat', claim)).toMatchObject({ errorCode: 'NONE' })
    storage.hold()
    const leaving = broker.request('LeaveGroup', { groupId: ONE, members: [{ memberId: 'nobody' }, claim] })
    await yieldToEventLoop()
    await storage.fail(EIO)
    expect(await leaving).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    await storage.flow()
    const refused = { errorCode: 'NOT_COORDINATOR' }
    expect(await committed(broker, ONE)).toBe('NOT_COORDINATOR')
    expect(await commit(broker, ONE, 3n)).toMatchObject(refused)
    expect(await broker.request('JoinGroup', joinRequest(ONE))).toMatchObject(refused)
    expect(await commit(broker, TWO, 3n)).toMatchObject({ errorCode: 'NONE' })
  })

  it('report a failed disk to a member with its next heartbeat', async () => {
    const { storage, broker } = await withGroups()
    await storage.flow()
    const claim = await joined(broker, ONE)
    await broker.request('SyncGroup', syncRequest(claim))
    storage.hold()
    commit(broker, SAME_AS_ONE, 2n)
    await yieldToEventLoop()
    await storage.fail(EIO)
    expect(await broker.request('Heartbeat', claim)).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
  })
})
