import { beforeEach, describe, expect, it } from 'vitest'
import type { JoinGroupRequest } from '../../../src/group/classic-groups.ts'
import type { Given } from '../../config/settings-with.ts'
import { type Owned, partitionsOf, subscriptionOf } from '../embedded.ts'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'
import { REBALANCE_MS, SESSION_MS } from '../group-settings.ts'

let driver: GroupCoordinatorDriver

const member = (memberId: string) => driver.consumerGroup.members.get(memberId)

const range = (topics: string[], owned: Owned = {}, rackId: string | null = null) => ({
  protocols: [{ name: 'range', metadata: subscriptionOf(topics, owned, rackId) }]
})

/** A consumer group with the member `new`, which has all partitions of foo. */
async function withOneMember(settings: Given = {}): Promise<GroupCoordinatorDriver> {
  const driver = new GroupCoordinatorDriver({ settings })
  expect(await driver.heartbeat('new', 0)).toMatchObject({ errorCode: 'NONE', memberEpoch: 2 })
  return driver
}

/** Adds a member of the classic protocol in the newest generation; the partitions of its target are still owned by `new`. */
async function joined(changes: Partial<JoinGroupRequest> = {}): Promise<string> {
  const { memberId, errorCode } = await driver.join({ apiVersion: 3, ...changes })
  expect(errorCode).toBe('NONE')
  return memberId
}

/** Lets `new` revoke all that its target lacks, and reach the newest epoch. */
async function newLetsGo(): Promise<void> {
  const response = await driver.heartbeat('new', member('new')?.memberEpoch ?? -1)
  const assignment = 'assignment' in response ? response.assignment : null
  const owned = assignment ?? member('new')?.assigned ?? new Map()
  const topicPartitions = [...owned].map(([topicId, epochs]) => ({ topicId, partitions: [...epochs.keys()] }))
  await driver.heartbeat('new', member('new')?.memberEpoch ?? -1, { topicPartitions })
}

beforeEach(async () => {
  driver = await withOneMember()
})

describe('JoinGroup of a consumer group', () => {
  it('a joining classic member gets the newest generation and no leader', async () => {
    const answer = await driver.join({ apiVersion: 3 })
    expect(answer).toEqual({
      errorCode: 'NONE',
      memberId: answer.memberId,
      generationId: 3,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: '',
      skipAssignment: false,
      members: []
    })
    expect(member(answer.memberId)).toMatchObject({ state: 'UnreleasedPartitions', assigned: new Map() })
  })

  it('a joining classic member gets MEMBER_ID_REQUIRED from version 4 on', async () => {
    const { errorCode, memberId } = await driver.join({ apiVersion: 4 })
    expect(errorCode).toBe('MEMBER_ID_REQUIRED')
    expect(memberId).toMatch(/^[\w-]{22}$/)
    expect(driver.consumerGroup.members.size).toBe(1)
    expect(await driver.join({ apiVersion: 4, memberId })).toMatchObject({ errorCode: 'NONE', memberId })
    expect(await driver.join({ groupInstanceId: 'i' })).toMatchObject({ errorCode: 'NONE' })
  })

  it('the fields of JoinGroup are in the log and loaded after a restart', async () => {
    const { protocols } = range(['foo', 'bar'], {}, 'rack-1')
    const memberId = await joined({ protocols, groupInstanceId: 'i', clientId: 'me' })
    const memberFields = {
      instanceId: 'i',
      rackId: 'rack-1',
      clientId: 'me',
      rebalanceTimeoutMs: REBALANCE_MS,
      subscribedTopicNames: ['bar', 'foo'],
      subscribedTopicRegex: '',
      classic: { sessionTimeoutMs: SESSION_MS, supportedProtocols: protocols }
    }
    expect(member(memberId)).toMatchObject(memberFields)
    driver.restart()
    expect(member(memberId)).toMatchObject(memberFields)
  })

  it('a group keeps no view of the JoinGroup request', async () => {
    const { protocols } = range(['foo'])
    const memberId = await joined({ protocols })
    protocols[0]?.metadata.fill(0)
    expect(member(memberId)?.classic?.supportedProtocols).toEqual(range(['foo']).protocols)
  })

  it('a classic member that changes its subscription raises the group epoch', async () => {
    const memberId = await joined()
    expect(await driver.join({ memberId })).toMatchObject({ generationId: 3 })
    expect(await driver.join({ memberId, ...range(['bar']) })).toMatchObject({ generationId: 4 })
    expect(member(memberId)?.assigned.get(driver.bar)?.size).toBe(2)
  })

  it('a classic member may join if the migration policy allows an upgrade or a downgrade', async () => {
    for (const policy of ['upgrade', 'downgrade']) {
      const open = await withOneMember({ 'group.consumer.migration.policy': policy })
      expect((await open.join({ apiVersion: 3 })).errorCode).toBe('NONE')
    }
    const closed = await withOneMember({ 'group.consumer.migration.policy': 'disabled' })
    expect((await closed.join({ apiVersion: 3 })).errorCode).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  it('a full group refuses a classic member', async () => {
    const full = await withOneMember({ 'group.consumer.max.size': 1 })
    expect(await full.join({ memberId: 'x' })).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
  })

  it('a classic member must be a consumer with a protocol that all classic members support', async () => {
    const of = (...names: string[]) => ({
      apiVersion: 3,
      protocols: names.map(name => ({ name, metadata: subscriptionOf(['foo']) }))
    })
    const refused = { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' }
    expect(await driver.join({ apiVersion: 3, protocolType: 'connect' })).toMatchObject(refused)
    expect(await driver.join(of())).toMatchObject(refused)
    expect(await driver.join(of(...Array.from({ length: 101 }, (_, index) => `${index}`)))).toMatchObject(refused)
    expect(await driver.join(of('a', 'b'))).toMatchObject({ errorCode: 'NONE' })
    expect(await driver.join(of('b', 'c'))).toMatchObject({ errorCode: 'NONE' })
    expect(await driver.join(of('a', 'c'))).toMatchObject(refused)
    expect(await driver.join(of('c', 'b'))).toMatchObject({ errorCode: 'NONE', protocolName: 'c' })
  })

  it('a subscription that is not in the consumer protocol is refused', async () => {
    const protocols = [{ name: 'range', metadata: Buffer.from('00') }]
    expect(await driver.join({ apiVersion: 3, protocols })).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
    expect(driver.consumerGroup.members.size).toBe(1)
  })

  it('a static member that rejoins gets a new member id and keeps its partitions', async () => {
    const former = await joined({ groupInstanceId: 'i' })
    await newLetsGo()
    const { generationId } = await driver.join({ memberId: former, groupInstanceId: 'i' })
    const had = member(former)?.assigned
    expect(had?.get(driver.foo)?.size).toBe(2)
    const answer = await driver.join({
      groupInstanceId: 'i',
      ...range(['foo'], { foo: [...(had?.get(driver.foo)?.keys() ?? [])] })
    })
    expect(answer).toMatchObject({ errorCode: 'NONE', generationId })
    expect(answer.memberId).not.toBe(former)
    expect(member(former)).toBeUndefined()
    expect(member(answer.memberId)?.assigned).toEqual(had)
    expect(await driver.beat(former, generationId, { groupInstanceId: 'i' })).toBe('FENCED_INSTANCE_ID')
  })

  it('a static member with a wrong member id is refused', async () => {
    await joined({ groupInstanceId: 'i' })
    expect(await driver.join({ memberId: 'x', groupInstanceId: 'i' })).toMatchObject({
      errorCode: 'FENCED_INSTANCE_ID'
    })
    expect(await driver.join({ memberId: 'x', groupInstanceId: 'j' })).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
  })
})

describe('SyncGroup of a consumer group', () => {
  it("SyncGroup returns the assignment in the version of the member's subscription", async () => {
    const memberId = await joined({
      protocols: [{ name: 'range', metadata: Buffer.from('000100000001000362617200000000000000000000', 'hex') }]
    })
    const answer = await driver.sync(memberId, 3, { protocolType: null, protocolName: null })
    expect(answer).toMatchObject({ errorCode: 'NONE', protocolType: null, protocolName: null })
    expect(answer.assignment.readInt16BE(0)).toBe(1)
    expect(partitionsOf(answer.assignment)).toEqual({ bar: [0, 1] })
  })

  it('SyncGroup omits deleted topics', async () => {
    const memberId = await joined(range(['foo', 'bar']))
    expect(member(memberId)?.assigned.get(driver.bar)?.size).toBe(2)
    driver.topics.delete('bar')
    expect(partitionsOf((await driver.sync(memberId, 3)).assignment)).toEqual({})
  })

  it('SyncGroup of another protocol, member or generation is refused', async () => {
    const memberId = await joined({ groupInstanceId: 'i' })
    const codeOf = async (...args: Parameters<GroupCoordinatorDriver['sync']>) => (await driver.sync(...args)).errorCode
    expect(await codeOf('x', 3)).toBe('UNKNOWN_MEMBER_ID')
    expect(await codeOf('new', 2)).toBe('UNKNOWN_MEMBER_ID')
    expect(await codeOf(memberId, 3, { groupInstanceId: 'j' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await codeOf('x', 3, { groupInstanceId: 'i' })).toBe('FENCED_INSTANCE_ID')
    expect(await codeOf(memberId, 2)).toBe('ILLEGAL_GENERATION')
    expect(await codeOf(memberId, 3, { protocolType: 'connect' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await codeOf(memberId, 3, { protocolName: 'roundrobin' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  it('a member that missed an epoch gets REBALANCE_IN_PROGRESS and has the rebalance timeout to rejoin', async () => {
    const memberId = await joined({ sessionTimeoutMs: 1_000_000 })
    await driver.sync(memberId, 3)
    await driver.heartbeat('new', 2, { subscribedTopicNames: ['foo', 'bar'] })
    expect((await driver.sync(memberId, 3)).errorCode).toBe('REBALANCE_IN_PROGRESS')
    await newLetsGo()
    await expectGoneAfter(memberId, REBALANCE_MS)
  })

  it('a member that must revoke partitions gets the remaining partitions until it has revoked', async () => {
    const memberId = await joined(range(['bar']))
    await driver.sync(memberId, 3)
    await driver.heartbeat('new', 2, { subscribedTopicNames: ['bar'] })
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
    expect(await driver.join({ memberId, ...range(['bar'], { bar: [0, 1] }) })).toMatchObject({ generationId: 3 })
    expect(member(memberId)?.state).toBe('UnrevokedPartitions')
    const { assignment } = await driver.sync(memberId, 3)
    expect(partitionsOf(assignment)).toEqual({ bar: [0] })
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
    expect(await driver.join({ memberId, ...range(['bar'], { bar: [0] }) })).toMatchObject({ generationId: 4 })
    expect(await driver.beat(memberId, 4)).toBe('NONE')
  })
})

describe('Heartbeat in a consumer group', () => {
  it('a member gets REBALANCE_IN_PROGRESS as soon as a partition of its target is free', async () => {
    const memberId = await joined()
    expect(await driver.beat(memberId, 3)).toBe('NONE')
    await newLetsGo()
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
    const { generationId } = await driver.join({ memberId })
    expect(partitionsOf((await driver.sync(memberId, generationId)).assignment)?.foo).toHaveLength(2)
    expect(await driver.beat(memberId, generationId)).toBe('NONE')
  })

  it('Heartbeat of another protocol, member or generation is refused', async () => {
    const memberId = await joined({ groupInstanceId: 'i' })
    expect(await driver.beat('x', 3)).toBe('UNKNOWN_MEMBER_ID')
    expect(await driver.beat('new', 2)).toBe('UNKNOWN_MEMBER_ID')
    expect(await driver.beat('x', 3, { groupInstanceId: 'i' })).toBe('FENCED_INSTANCE_ID')
    expect(await driver.beat(memberId, 4)).toBe('ILLEGAL_GENERATION')
  })

  it('a member that must revoke partitions gets REBALANCE_IN_PROGRESS before the next assignment is computed', async () => {
    driver = await withOneMember({ 'group.consumer.assignment.interval.ms': 1_000 })
    driver.clock.advance(1_000)
    const memberId = await joined(range(['bar']))
    expect((await driver.join({ memberId, ...range([], { bar: [0, 1] }) })).generationId).toBe(3)
    expect(member(memberId)?.state).toBe('UnrevokedPartitions')
    expect(driver.consumerGroup).toMatchObject({ groupEpoch: 4, assignmentEpoch: 3 })
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
  })

  it('a heartbeat renews the session', async () => {
    const memberId = await joined({ rebalanceTimeoutMs: 1_000_000 })
    driver.clock.advance(SESSION_MS - 1)
    expect(await driver.beat(memberId, 3)).toBe('NONE')
    await expectGoneAfter(memberId, SESSION_MS)
  })
})

/** Checks that the member is removed after this time and not before; the other member sends heartbeats. */
async function expectGoneAfter(memberId: string, ms: number): Promise<void> {
  const newest = () => driver.heartbeat('new', member('new')?.memberEpoch ?? -1)
  let left = ms
  for (; left > 30_000; left -= 30_000) {
    driver.clock.advance(30_000)
    expect((await newest()).errorCode).toBe('NONE')
  }
  driver.clock.advance(left - 1)
  expect(member(memberId)).toBeDefined()
  driver.clock.advance(1)
  expect(member(memberId)).toBeUndefined()
}

describe('timeouts of classic members', () => {
  it('a member that joins and does not sync is removed after its rebalance timeout', async () => {
    await expectGoneAfter(await joined({ sessionTimeoutMs: 1_000_000 }), REBALANCE_MS)
  })

  it('repeated REBALANCE_IN_PROGRESS does not extend the rebalance timeout', async () => {
    const memberId = await joined({ sessionTimeoutMs: 1_000_000 })
    await driver.sync(memberId, 3)
    await newLetsGo()
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
    driver.clock.advance(20_000)
    await driver.heartbeat('new', 3)
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
    await expectGoneAfter(memberId, REBALANCE_MS - 20_000)
  })

  it('a member that joins, syncs and sends heartbeats in time stays', async () => {
    const memberId = await joined()
    let generationId = 3
    for (let round = 0; round < 20; round++) {
      driver.clock.advance(SESSION_MS - 1)
      await newLetsGo()
      if ((await driver.beat(memberId, generationId)) === 'NONE') continue
      generationId = (await driver.join({ memberId })).generationId
      await driver.sync(memberId, generationId)
    }
    expect(member(memberId)?.state).toBe('Stable')
  })
})

describe('LeaveGroup of a consumer group', () => {
  it('LeaveGroup removes members of both protocols with a result for each', async () => {
    const a = await joined()
    const b = await joined({ groupInstanceId: 'i' })
    await driver.heartbeat('other', 0, { instanceId: 'j' })
    const { members } = await driver.coordinator.classic.leaveGroup('g', [
      { memberId: a, groupInstanceId: null },
      { memberId: a, groupInstanceId: null },
      { memberId: 'x', groupInstanceId: null },
      { memberId: '', groupInstanceId: null },
      { memberId: 'x', groupInstanceId: 'i' },
      { memberId: b, groupInstanceId: 'i' },
      { memberId: '', groupInstanceId: 'j' },
      { memberId: '', groupInstanceId: 'k' }
    ])
    expect(members.map(({ errorCode }) => errorCode)).toEqual([
      'NONE',
      'NONE',
      'UNKNOWN_MEMBER_ID',
      'UNKNOWN_MEMBER_ID',
      'FENCED_INSTANCE_ID',
      'NONE',
      'NONE',
      'UNKNOWN_MEMBER_ID'
    ])
    expect([...driver.consumerGroup.members.keys()]).toEqual(['new'])
    expect(driver.events.of('MemberLeft').map(({ memberId }) => memberId)).toEqual([a, b, 'other'])
  })

  it('LeaveGroup of an unknown member changes nothing', async () => {
    const before = driver.journal.batches.length
    expect(await driver.leave('x')).toBe('UNKNOWN_MEMBER_ID')
    expect(driver.journal.batches.length).toBe(before)
    expect(driver.consumerGroup.groupEpoch).toBe(2)
  })
})
