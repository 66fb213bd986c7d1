// The group coordinator: requests of members and their responses.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_PROTOCOLS } from '../../src/group/classic/protocols.ts'
import { subscriptionOf } from './embedded.ts'
import { assigning, GroupCoordinatorDriver, NO_MEMBER } from './group-coordinator-driver.ts'
import { SESSION_MS } from './group-settings.ts'

const failures: unknown[] = []
let driver: GroupCoordinatorDriver

beforeEach(() => {
  driver = new GroupCoordinatorDriver({ failed: error => failures.push(error) })
})

afterEach(() => expect(failures).toEqual([]))

describe('the group coordinator', () => {
  it('two members get their assignments in a rebalance', async () => {
    const a = await driver.stableMember()
    const { memberId: b, errorCode } = await driver.join()
    expect(errorCode).toBe('MEMBER_ID_REQUIRED')
    expect(b).toMatch(/^classic-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const joining = driver.join({ memberId: b })
    expect(await driver.beat(a, 1)).toBe('REBALANCE_IN_PROGRESS')
    expect(await driver.join({ memberId: a })).toMatchObject({
      generationId: 2,
      leader: a
    })
    expect(await joining).toMatchObject({ generationId: 2, leader: a, members: [] })
    const follower = driver.sync(b, 2)
    const leader = await driver.sync(a, 2, assigning(a, b))
    expect(leader.assignment.toString()).toBe(`for ${a}`)
    expect((await follower).assignment.toString()).toBe(`for ${b}`)
    expect(await driver.beat(b, 2)).toBe('NONE')
  })

  it('the group keeps copies of request buffers', async () => {
    const metadata = subscriptionOf(['foo'])
    const { memberId } = await driver.join({ protocols: [{ name: 'range', metadata }] })
    const joined = driver.join({ memberId, protocols: [{ name: 'range', metadata }] })
    metadata.fill(0)
    expect((await joined).members[0]?.metadata).toEqual(subscriptionOf(['foo']))
    const sync = assigning(memberId)
    const synced = driver.sync(memberId, 1, sync)
    for (const { assignment } of sync.assignments) assignment.fill(0)
    expect((await synced).assignment.toString()).toBe(`for ${memberId}`)
  })

  it('a heartbeat and a commit do not copy the group', async () => {
    const memberId = await driver.stableMember()
    const groupAndMembers = () =>
      [...driver.coordinator.groups()].flatMap(group => [group, group.members, ...group.members.values()])
    const before = groupAndMembers()
    expect(await driver.beat(memberId, 1)).toBe('NONE')
    expect(await driver.commit(memberId, 1, 42n)).toBe('NONE')
    const after = groupAndMembers()
    expect(after).toHaveLength(3)
    after.forEach((part, index) => {
      expect(part).toBe(before[index])
    })
  })

  it('a member whose JoinGroup has too many protocols keeps its old protocols', async () => {
    const memberId = await driver.stableMember()
    const protocolsOfMember = () => {
      const [group] = driver.coordinator.groups()
      return group?.type === 'classic' ? group.members.get(memberId)?.protocols : undefined
    }
    const kept = protocolsOfMember()
    const tooMany = Array.from({ length: MAX_PROTOCOLS + 1 }, () => ({
      name: 'range',
      metadata: subscriptionOf(['foo'])
    }))
    const refused = await driver.join({ memberId, protocols: tooMany })
    expect(refused.errorCode).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(protocolsOfMember()).toEqual(kept)
  })

  it('a session ends at its deadline, and heartbeats move the deadline', async () => {
    const memberId = await driver.stableMember()
    for (let beat = 0; beat < 5; beat++) {
      driver.clock.advance(SESSION_MS - 1)
      expect(await driver.beat(memberId, 1)).toBe('NONE')
    }
    driver.clock.advance(SESSION_MS)
    expect(await driver.beat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
    expect([...driver.coordinator.groups()]).toMatchObject([{ state: 'Empty', generationId: 2 }])
  })

  it('groups and offsets are loaded after a restart', async () => {
    const memberId = await driver.stableMember()
    expect(await driver.commit(memberId, 1, 42n)).toBe('NONE')
    driver.stop()
    driver.clock.advance(3_600_000)
    driver.restart()
    expect(await driver.beat(memberId, 1)).toBe('NONE')
    expect((await driver.sync(memberId, 1)).assignment.toString()).toBe(`for ${memberId}`)
    expect(await driver.committedOffset()).toBe(42n)
    driver.clock.advance(SESSION_MS)
    expect(await driver.beat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
  })

  it('a loaded group that exceeds a reduced group.max.size is rebalanced', async () => {
    await driver.classicGroup([{}, {}])
    driver.restart({ 'group.max.size': 1 })
    expect([...driver.coordinator.groups()]).toMatchObject([{ state: 'PreparingRebalance' }])
  })

  it('LeaveGroup returns a result for each member, also for unknown members and groups', async () => {
    const memberId = await driver.stableMember()
    const leaving = [
      { memberId, groupInstanceId: null },
      { memberId: 'x', groupInstanceId: null }
    ]
    expect(await driver.coordinator.classic.leaveGroup('g', leaving)).toEqual({
      errorCode: 'NONE',
      members: [
        { memberId, groupInstanceId: null, errorCode: 'NONE' },
        { memberId: 'x', groupInstanceId: null, errorCode: 'UNKNOWN_MEMBER_ID' }
      ]
    })
    expect(await driver.coordinator.classic.leaveGroup('nobody', leaving)).toMatchObject({
      errorCode: 'NONE',
      members: [{ errorCode: 'UNKNOWN_MEMBER_ID' }, { errorCode: 'UNKNOWN_MEMBER_ID' }]
    })
  })

  it.each([
    ['a session that is too short', { sessionTimeoutMs: 5_999 }, 'INVALID_SESSION_TIMEOUT'],
    ['a session that is too long', { sessionTimeoutMs: 1_800_001 }, 'INVALID_SESSION_TIMEOUT'],
    ['no group id', { groupId: '' }, 'INVALID_GROUP_ID'],
    ['a member of a group that does not exist', { memberId: 'x' }, 'UNKNOWN_MEMBER_ID']
  ])('JoinGroup with %s is refused', async (_, changes, errorCode) => {
    const { memberId }: { memberId?: string } = { memberId: '', ...changes }
    expect(await driver.join(changes)).toMatchObject({ errorCode, memberId })
    expect([...driver.coordinator.groups()]).toEqual([])
  })

  it('a group exists from its first JoinGroup on, also if that request is refused', async () => {
    expect(await driver.join({ protocols: [] })).toMatchObject({
      errorCode: 'INCONSISTENT_GROUP_PROTOCOL'
    })
    expect([...driver.coordinator.groups()]).toMatchObject([{ groupId: 'g', state: 'Empty', generationId: 0 }])
    expect(driver.written()).toEqual(['GroupMetadata'])
  })

  it("requests of unknown groups get Kafka's error codes", async () => {
    expect(await driver.beat('a', 1)).toBe('UNKNOWN_MEMBER_ID')
    expect(await driver.sync('a', 1)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    expect(await driver.coordinator.offsets.fetch({ ...NO_MEMBER, groupId: 'g', topics: null })).toEqual({
      errorCode: 'NONE',
      topics: []
    })
    expect(await driver.commit('a', 1, 1n)).toBe('GROUP_ID_NOT_FOUND')
    expect(await driver.commit('a', 1, 1n, { apiVersion: 8 })).toBe('ILLEGAL_GENERATION')
    expect(await driver.beat('a', 1, { groupId: '' })).toBe('INVALID_GROUP_ID')
    expect(await driver.coordinator.classic.leaveGroup('', [])).toEqual({ errorCode: 'INVALID_GROUP_ID', members: [] })
  })

  it('requests get NOT_COORDINATOR while __consumer_offsets does not exist', async () => {
    driver.partitionCount = 0
    expect(await driver.join()).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(await driver.coordinator.offsets.fetch({ ...NO_MEMBER, groupId: 'g', topics: null })).toEqual({
      errorCode: 'NOT_COORDINATOR',
      topics: []
    })
  })

  it('requests get NOT_COORDINATOR while another node leads the partition of __consumer_offsets', async () => {
    await driver.stableMember()
    driver.isLeader = false
    expect(await driver.join()).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(driver.group).toBeUndefined()
    driver.restart()
    driver.isLeader = true
    expect(await driver.join()).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED' })
    expect(driver.group?.groupId).toBe('g')
  })

  it('a shard is unloaded when another node leads its partition, and sessions start again when this node leads', async () => {
    const memberId = await driver.stableMember()
    const delayed = driver.join({ apiVersion: 3 })
    driver.isLeader = false
    driver.clock.advance(SESSION_MS)
    expect(await delayed).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    driver.isLeader = true
    expect(await driver.beat(memberId, 1)).toBe('NONE')
    driver.clock.advance(SESSION_MS - 1)
    expect(driver.group?.members.size).toBe(1)
    driver.clock.advance(1)
    expect(driver.group?.members.size).toBe(0)
  })

  it('a partition with an unreadable record is not served', async () => {
    driver.journal.batches.push([{ key: Buffer.from('0002000167', 'hex'), value: Buffer.from('00630000', 'hex') }])
    driver.restart()
    expect(await driver.join()).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
  })

  it('records of other group types are skipped', async () => {
    driver.journal.batches.push([{ key: Buffer.from('000b000167', 'hex'), value: Buffer.from('00000000', 'hex') }])
    driver.restart()
    expect(await driver.join()).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED' })
  })
})

describe('stop of the group coordinator', () => {
  it('a stopped coordinator completes delayed requests, refuses new requests and leaves no timer', async () => {
    const memberId = await driver.stableMember()
    const { memberId: second } = await driver.join()
    const joining = driver.join({ memberId: second })
    driver.stop()
    expect(await joining).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(await driver.beat(memberId, 1)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await driver.join({ groupId: '' })).toMatchObject({
      errorCode: 'COORDINATOR_NOT_AVAILABLE'
    })
    expect(driver.clock.pendingAlarms).toBe(0)
  })
})
