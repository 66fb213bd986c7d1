import { describe, expect, it } from 'vitest'
import { assignmentOf, partitionsOf, subscriptionOf } from '../embedded.ts'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'
import { REBALANCE_MS, SESSION_MS } from '../group-settings.ts'

describe('upgrade of an empty classic group', () => {
  it('a consumer group replaces an empty classic group under any migration policy', async () => {
    const driver = new GroupCoordinatorDriver({ settings: { 'group.consumer.migration.policy': 'disabled' } })
    const { ids } = await driver.classicGroup([{ foo: [0, 1, 2, 3] }])
    await driver.leave(ids[0] ?? '')
    const before = driver.journal.batches.length
    expect(await driver.heartbeat('new', 0)).toMatchObject({ errorCode: 'NONE', memberEpoch: 2 })
    expect(driver.written(before)[0]).toBe('GroupMetadata -')
    expect(driver.consumerGroup.members.size).toBe(1)
    driver.restart()
    expect(driver.consumerGroup.members.size).toBe(1)
  })
})

describe('upgrade when a consumer member joins a classic group', () => {
  it('the group becomes a consumer group: the tombstone and all new records are one batch', async () => {
    const driver = new GroupCoordinatorDriver()
    const { generationId } = await driver.classicGroup([{ foo: [0, 1] }, { foo: [2, 3] }])
    expect(generationId).toBe(2)
    const before = driver.journal.batches.length
    const answer = await driver.heartbeat('new', 0)
    expect(answer).toMatchObject({ errorCode: 'NONE', memberEpoch: 3, assignment: new Map() })
    expect(driver.journal.batches.length).toBe(before + 1)
    expect(driver.written(before)).toEqual([
      'GroupMetadata -',
      'ConsumerGroupMemberMetadata',
      'ConsumerGroupMemberMetadata',
      'ConsumerGroupMetadata',
      'ConsumerGroupTargetAssignmentMember',
      'ConsumerGroupTargetAssignmentMember',
      'ConsumerGroupTargetAssignmentMetadata',
      'ConsumerGroupCurrentMemberAssignment',
      'ConsumerGroupCurrentMemberAssignment',
      // The records of the joining member follow.
      'ConsumerGroupMemberMetadata',
      'ConsumerGroupMetadata',
      // The target of one member does not change.
      'ConsumerGroupTargetAssignmentMember',
      'ConsumerGroupTargetAssignmentMember',
      'ConsumerGroupTargetAssignmentMetadata',
      'ConsumerGroupCurrentMemberAssignment'
    ])
  })

  it('an upgrade computes targets, also if the new member is subscribed to no existing topics', async () => {
    const driver = new GroupCoordinatorDriver()
    const { ids } = await driver.classicGroup([{ foo: [0, 1, 2, 3] }])
    // The leader never syncs, so the next rebalance has no assignments of the members.
    const newcomer = driver.join({ apiVersion: 3 })
    await driver.join({ memberId: ids[0] ?? '' })
    const { memberId } = await newcomer
    void driver.join({ memberId })
    const byRegex = { subscribedTopicNames: [], subscribedTopicRegex: 'nothing' }
    expect(await driver.heartbeat('new', 0, byRegex)).toMatchObject({ errorCode: 'NONE' })
    const { groupEpoch, assignmentEpoch } = driver.consumerGroup
    expect([groupEpoch, assignmentEpoch]).toEqual([3, 3])
    const targets = [...driver.consumerGroup.targets.values()].flatMap(target => [...(target.get(driver.foo) ?? [])])
    expect(targets.sort()).toEqual([0, 1, 2, 3])
  })

  it('the classic members keep their fields and partitions', async () => {
    const driver = new GroupCoordinatorDriver()
    const metadata = subscriptionOf(['foo', 'bar'], {}, 'rack-1')
    const { ids, generationId } = await driver.classicMembers({
      groupInstanceId: 'i',
      clientId: 'me',
      protocols: [{ name: 'range', metadata }]
    })
    const [a = ''] = ids
    const assignment = assignmentOf({ foo: [3, 1], bar: [0], gone: [7] })
    await driver.sync(a, generationId, { groupInstanceId: 'i', assignments: [{ memberId: a, assignment }] })
    await driver.heartbeat('new', 0)
    const epochs = { 1: generationId, 3: generationId }
    expect(driver.consumerGroup.members.get(a)).toEqual({
      memberId: a,
      memberEpoch: 1,
      previousMemberEpoch: 1,
      state: 'Stable',
      instanceId: 'i',
      rackId: 'rack-1',
      rebalanceTimeoutMs: REBALANCE_MS,
      clientId: 'me',
      clientHost: '/127.0.0.1',
      subscribedTopicNames: ['bar', 'foo'],
      subscribedTopicRegex: '',
      serverAssignor: null,
      assigned: new Map([
        [driver.foo, new Map(Object.entries(epochs).map(([partition, epoch]) => [Number(partition), epoch]))],
        [driver.bar, new Map([[0, 1]])]
      ]),
      pendingRevocation: new Map(),
      classic: { sessionTimeoutMs: SESSION_MS, supportedProtocols: [{ name: 'range', metadata }] }
    })
    driver.restart()
    expect(driver.consumerGroup.members.get(a)?.classic?.supportedProtocols).toEqual([{ name: 'range', metadata }])
  })

  it('delayed JoinGroups and SyncGroups get REBALANCE_IN_PROGRESS', async () => {
    const driver = new GroupCoordinatorDriver()
    const { ids } = await driver.classicGroup([{ foo: [0, 1] }, { foo: [2, 3] }])
    const joining = driver.join({ memberId: ids[0] ?? '' })
    await driver.heartbeat('new', 0)
    expect(await joining).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS', memberId: ids[0], generationId: -1 })

    const other = new GroupCoordinatorDriver()
    const { ids: members, generationId } = await other.classicMembers({}, {})
    const syncing = other.sync(members[1] ?? '', generationId)
    await other.heartbeat('new', 0)
    expect(await syncing).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
    expect(other.consumerGroup.members.get(members[1] ?? '')?.assigned).toEqual(new Map())
  })

  it('the new member gets the partitions that the classic members revoke', async () => {
    const driver = new GroupCoordinatorDriver()
    const { ids, generationId } = await driver.classicGroup([{ foo: [0, 1, 2, 3] }])
    const [a = ''] = ids
    await driver.heartbeat('new', 0)
    expect(await driver.beat(a, generationId)).toBe('REBALANCE_IN_PROGRESS')
    const rejoined = await driver.join({ memberId: a })
    expect(rejoined).toMatchObject({
      errorCode: 'NONE',
      generationId: 2,
      protocolName: 'range',
      leader: '',
      members: []
    })
    const { assignment } = await driver.sync(a, rejoined.generationId)
    const kept = partitionsOf(assignment)?.foo ?? []
    expect(kept).toHaveLength(2)
    const answer = await driver.heartbeat('new', 2)
    const given = answer.errorCode === 'NONE' && 'assignment' in answer ? answer.assignment?.get(driver.foo) : undefined
    expect([...kept, ...(given?.keys() ?? [])].sort()).toEqual([0, 1, 2, 3])
  })

  it('a classic member without heartbeats is removed after its session timeout', async () => {
    const driver = new GroupCoordinatorDriver()
    const { ids } = await driver.classicGroup([{ foo: [0, 1, 2, 3] }])
    await driver.heartbeat('new', 0)
    driver.clock.advance(SESSION_MS - 1)
    expect(driver.consumerGroup.members.has(ids[0] ?? '')).toBe(true)
    driver.clock.advance(1)
    expect([...driver.consumerGroup.members.keys()]).toEqual(['new'])
  })
})

const REFUSED = 'Cannot upgrade classic group g to consumer group because '

describe('refused upgrades', () => {
  async function refused(driver: GroupCoordinatorDriver, why: string): Promise<void> {
    const before = driver.journal.batches.length
    const expected = { errorCode: 'GROUP_ID_NOT_FOUND', errorMessage: `${REFUSED}${why}.` }
    expect(await driver.heartbeat('new', 0)).toEqual(expected)
    expect(driver.journal.batches.length).toBe(before)
    expect(driver.group?.type).toBe('classic')
  }

  it.each(['disabled', 'downgrade'])('the policy %s refuses an upgrade', async policy => {
    const driver = new GroupCoordinatorDriver({ settings: { 'group.consumer.migration.policy': policy } })
    await driver.classicGroup([{ foo: [0] }])
    await refused(driver, 'online upgrade is disabled')
  })

  it('a group of another protocol type refuses an upgrade', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.classicMembers({ protocolType: 'connect' })
    await refused(driver, 'the group does not use the consumer embedded protocol')
  })

  it('a group that exceeds group.consumer.max.size refuses an upgrade', async () => {
    const driver = new GroupCoordinatorDriver({ settings: { 'group.consumer.max.size': 1 } })
    await driver.classicGroup([{ foo: [0] }, { foo: [1] }])
    await refused(driver, 'the group size exceeds the consumer group maximum size')
  })

  it('a group with malformed subscriptions or assignments refuses an upgrade', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.classicGroup([{ foo: [0] }], { protocols: [{ name: 'range', metadata: Buffer.from('00') }] })
    await refused(driver, 'the embedded consumer protocol is malformed')
    const other = new GroupCoordinatorDriver()
    const { ids, generationId } = await other.classicMembers({})
    const [memberId = ''] = ids
    await other.sync(memberId, generationId, { assignments: [{ memberId, assignment: Buffer.from('?') }] })
    await refused(other, 'the embedded consumer protocol is malformed')
  })

  it('a group whose assignments have user data of a custom assignor refuses an upgrade', async () => {
    const driver = new GroupCoordinatorDriver()
    const { ids, generationId } = await driver.classicMembers({})
    const [memberId = ''] = ids
    const assignment = Buffer.from('0000 00000000 00000001 ff'.replaceAll(' ', ''), 'hex')
    await driver.sync(memberId, generationId, { assignments: [{ memberId, assignment }] })
    const advice = 'Please refer to the documentation or switch to a default assignor before re-attempting the upgrade'
    await refused(driver, `an unsupported custom assignor is in use. ${advice}`)
  })

  it('a group whose leader assigned a partition twice gets UNKNOWN_SERVER_ERROR for an upgrade', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.classicGroup([{ foo: [0] }, { foo: [0] }])
    expect(await driver.heartbeat('new', 0)).toMatchObject({ errorCode: 'UNKNOWN_SERVER_ERROR' })
    expect(driver.group?.type).toBe('classic')
  })

  it('a group without a selected protocol gets UNKNOWN_SERVER_ERROR for an upgrade', async () => {
    const driver = new GroupCoordinatorDriver({ settings: { 'group.initial.rebalance.delay.ms': 3_000 } })
    const joining = driver.join({ apiVersion: 3 })
    expect(await driver.heartbeat('new', 0)).toMatchObject({ errorCode: 'UNKNOWN_SERVER_ERROR' })
    driver.clock.advance(3_000)
    expect(await joining).toMatchObject({ errorCode: 'NONE' })
  })

  it('a failed append leaves the classic group and its delayed requests unchanged', async () => {
    const driver = new GroupCoordinatorDriver()
    const { ids } = await driver.classicGroup([{ foo: [0] }, { foo: [1] }])
    const joining = ids.map(memberId => driver.join({ memberId }))
    await Promise.all(joining)
    const [a = '', b = ''] = ids
    const again = driver.join({ memberId: a })
    driver.journal.failure = new Error('the disk is full')
    await expect(driver.heartbeat('new', 0)).rejects.toThrow('the disk is full')
    driver.journal.failure = undefined
    const [response, other] = await Promise.all([again, driver.join({ memberId: b })])
    expect([response.errorCode, other.errorCode]).toEqual(['NONE', 'NONE'])
  })
})
