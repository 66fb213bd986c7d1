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

/** A consumer group with one member, `new`, which has all partitions of foo. */
async function withOneMember(settings: Given = {}): Promise<GroupCoordinatorDriver> {
  const driver = new GroupCoordinatorDriver({ settings })
  expect(await driver.heartbeat('new', 0)).toMatchObject({ errorCode: 'NONE', memberEpoch: 2 })
  return driver
}

/** A member of the classic protocol, in the newest generation; what it is to have is still owned by `new`. */
async function joined(changes: Partial<JoinGroupRequest> = {}): Promise<string> {
  const { memberId, errorCode } = await driver.join({ apiVersion: 3, ...changes })
  expect(errorCode).toBe('NONE')
  return memberId
}

/** `new` gives up all that it must, and reaches the newest epoch. */
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

describe('a member of the classic protocol that joins a consumer group', () => {
  it('is at once in the newest generation, and no leader', async () => {
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

  it('must come back with an id, if its client knows how to', async () => {
    const { errorCode, memberId } = await driver.join({ apiVersion: 4 })
    expect(errorCode).toBe('MEMBER_ID_REQUIRED')
    expect(memberId).toMatch(/^[\w-]{22}$/)
    expect(driver.consumerGroup.members.size).toBe(1)
    expect(await driver.join({ apiVersion: 4, memberId })).toMatchObject({ errorCode: 'NONE', memberId })
    expect(await driver.join({ groupInstanceId: 'i' })).toMatchObject({ errorCode: 'NONE' })
  })

  it('leaves what it told in the log', async () => {
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

  it('keeps no view on the request', async () => {
    const { protocols } = range(['foo'])
    const memberId = await joined({ protocols })
    protocols[0]?.metadata.fill(0)
    expect(member(memberId)?.classic?.supportedProtocols).toEqual(range(['foo']).protocols)
  })

  it('moves the epoch on when it changes its subscription', async () => {
    const memberId = await joined()
    expect(await driver.join({ memberId })).toMatchObject({ generationId: 3 })
    expect(await driver.join({ memberId, ...range(['bar']) })).toMatchObject({ generationId: 4 })
    expect(member(memberId)?.assigned.get(driver.bar)?.size).toBe(2)
  })

  it('is let in where a group may change its kind one way, and not where it may none', async () => {
    for (const policy of ['upgrade', 'downgrade']) {
      const open = await withOneMember({ 'group.consumer.migration.policy': policy })
      expect((await open.join({ apiVersion: 3 })).errorCode).toBe('NONE')
    }
    const closed = await withOneMember({ 'group.consumer.migration.policy': 'disabled' })
    expect((await closed.join({ apiVersion: 3 })).errorCode).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  it('is not let in where the group is full', async () => {
    const full = await withOneMember({ 'group.consumer.max.size': 1 })
    expect(await full.join({ memberId: 'x' })).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
  })

  it('must be a consumer with a protocol that all others of its kind support', async () => {
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

  it('must speak the consumer protocol', async () => {
    const protocols = [{ name: 'range', metadata: Buffer.from('00') }]
    expect(await driver.join({ apiVersion: 3, protocols })).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
    expect(driver.consumerGroup.members.size).toBe(1)
  })

  it('that is static takes the place of its former self, with what that had', async () => {
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

  it('that is static and brings an id must be who it says', async () => {
    await joined({ groupInstanceId: 'i' })
    expect(await driver.join({ memberId: 'x', groupInstanceId: 'i' })).toMatchObject({
      errorCode: 'FENCED_INSTANCE_ID'
    })
    expect(await driver.join({ memberId: 'x', groupInstanceId: 'j' })).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
  })
})

describe('SyncGroup', () => {
  it('gives a member what it has, in the version that it speaks', async () => {
    const memberId = await joined({
      protocols: [{ name: 'range', metadata: Buffer.from('000100000001000362617200000000000000000000', 'hex') }]
    })
    const answer = await driver.sync(memberId, 3, { protocolType: null, protocolName: null })
    expect(answer).toMatchObject({ errorCode: 'NONE', protocolType: null, protocolName: null })
    expect(answer.assignment.readInt16BE(0)).toBe(1)
    expect(partitionsOf(answer.assignment)).toEqual({ bar: [0, 1] })
  })

  it('leaves out topics that are gone', async () => {
    const memberId = await joined(range(['foo', 'bar']))
    expect(member(memberId)?.assigned.get(driver.bar)?.size).toBe(2)
    driver.topics.delete('bar')
    expect(partitionsOf((await driver.sync(memberId, 3)).assignment)).toEqual({})
  })

  it('is refused to who is no member of the classic protocol in that generation', async () => {
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

  it('sends a member back that has missed an epoch, and waits for it as long as a rebalance may take', async () => {
    const memberId = await joined({ sessionTimeoutMs: 1_000_000 })
    await driver.sync(memberId, 3)
    await driver.heartbeat('new', 2, { subscribedTopicNames: ['foo', 'bar'] })
    expect((await driver.sync(memberId, 3)).errorCode).toBe('REBALANCE_IN_PROGRESS')
    await newLetsGo()
    await expectGoneAfter(memberId, REBALANCE_MS)
  })

  it('serves a member that must give up something before it can go on', async () => {
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

describe('Heartbeat', () => {
  it('tells a member to join again when what it waits for is free, and not before', async () => {
    const memberId = await joined()
    expect(await driver.beat(memberId, 3)).toBe('NONE')
    await newLetsGo()
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
    const { generationId } = await driver.join({ memberId })
    expect(partitionsOf((await driver.sync(memberId, generationId)).assignment)?.foo).toHaveLength(2)
    expect(await driver.beat(memberId, generationId)).toBe('NONE')
  })

  it('is refused to who is no member of the classic protocol in that generation', async () => {
    const memberId = await joined({ groupInstanceId: 'i' })
    expect(await driver.beat('x', 3)).toBe('UNKNOWN_MEMBER_ID')
    expect(await driver.beat('new', 2)).toBe('UNKNOWN_MEMBER_ID')
    expect(await driver.beat('x', 3, { groupInstanceId: 'i' })).toBe('FENCED_INSTANCE_ID')
    expect(await driver.beat(memberId, 4)).toBe('ILLEGAL_GENERATION')
  })

  it('tells a member to join again that must give something up before the next assignment is made', async () => {
    driver = await withOneMember({ 'group.consumer.assignment.interval.ms': 1_000 })
    driver.clock.advance(1_000)
    const memberId = await joined(range(['bar']))
    expect((await driver.join({ memberId, ...range([], { bar: [0, 1] }) })).generationId).toBe(3)
    expect(member(memberId)?.state).toBe('UnrevokedPartitions')
    expect(driver.consumerGroup).toMatchObject({ groupEpoch: 4, assignmentEpoch: 3 })
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
  })

  it('renews the session', async () => {
    const memberId = await joined({ rebalanceTimeoutMs: 1_000_000 })
    driver.clock.advance(SESSION_MS - 1)
    expect(await driver.beat(memberId, 3)).toBe('NONE')
    await expectGoneAfter(memberId, SESSION_MS)
  })
})

/** It is there until then, whatever its session does. */
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

describe('a member of the classic protocol is taken for gone', () => {
  it('that has joined and does not sync', async () => {
    await expectGoneAfter(await joined({ sessionTimeoutMs: 1_000_000 }), REBALANCE_MS)
  })

  it('that was told to join again and does not, however often it is told', async () => {
    const memberId = await joined({ sessionTimeoutMs: 1_000_000 })
    await driver.sync(memberId, 3)
    await newLetsGo()
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
    driver.clock.advance(20_000)
    await driver.heartbeat('new', 3)
    expect(await driver.beat(memberId, 3)).toBe('REBALANCE_IN_PROGRESS')
    await expectGoneAfter(memberId, REBALANCE_MS - 20_000)
  })

  it('never while it does all that', async () => {
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

describe('LeaveGroup', () => {
  it('removes members of both protocols, each with a result of its own', async () => {
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
  })

  it('changes nothing where nobody leaves', async () => {
    const before = driver.journal.batches.length
    expect(await driver.leave('x')).toBe('UNKNOWN_MEMBER_ID')
    expect(driver.journal.batches.length).toBe(before)
    expect(driver.consumerGroup.groupEpoch).toBe(2)
  })
})
