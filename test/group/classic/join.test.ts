import { describe, expect, it } from 'vitest'
import { MAX_PENDING_JOIN } from '../../../src/group/classic/join.ts'
import { subscriptionOf } from '../embedded.ts'
import { REBALANCE_MS, SESSION_MS } from '../group-settings.ts'
import { ClassicGroupDriver } from './classic-group-driver.ts'

describe('JoinGroup', () => {
  it('the first member of a group is its leader and gets itself as the only member', () => {
    const driver = new ClassicGroupDriver()
    const ticket = driver.admit('a')
    expect(driver.joined(ticket)).toEqual({
      errorCode: 'NONE',
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: 'a',
      skipAssignment: false,
      memberId: 'a',
      members: [{ memberId: 'a', groupInstanceId: null, metadata: subscriptionOf(['foo']) }]
    })
    expect(driver.group.state).toBe('CompletingRebalance')
  })

  it('JoinGroup from version 4 on gets MEMBER_ID_REQUIRED and a member id', () => {
    const driver = new ClassicGroupDriver()
    const first = driver.join({ apiVersion: 4, newMemberId: 'a' })
    expect(driver.joined(first)).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED', memberId: 'a', generationId: -1 })
    expect(driver.group.state).toBe('Empty')
    const second = driver.join({ memberId: 'a' })
    expect(driver.joined(second)).toMatchObject({ errorCode: 'NONE', memberId: 'a', leader: 'a' })
  })

  it('a member id from MEMBER_ID_REQUIRED expires with the session timeout', () => {
    const driver = new ClassicGroupDriver()
    driver.join({ newMemberId: 'a' })
    driver.pass(SESSION_MS)
    expect(driver.joined(driver.join({ memberId: 'a' }))).toMatchObject({
      errorCode: 'UNKNOWN_MEMBER_ID',
      memberId: 'a'
    })
  })

  it('the number of pending member ids is limited, and expired ids make room for new ones', () => {
    const driver = new ClassicGroupDriver()
    for (let index = 0; index < MAX_PENDING_JOIN; index++)
      driver.join({ newMemberId: `n${index}`, sessionTimeoutMs: 1 })
    expect(driver.joined(driver.join())).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    expect(driver.group.pendingJoin.size).toBe(MAX_PENDING_JOIN)
    const [ticket] = [driver.join({ memberId: 'n0' })]
    expect(driver.joined(ticket)?.errorCode).not.toBe('GROUP_MAX_SIZE_REACHED')
    driver.pass(1)
    expect(driver.joined(driver.join())).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED' })
  })

  it('a second member makes the first member rejoin, and only the leader gets the members', () => {
    const driver = ClassicGroupDriver.stable(['a'])
    const second = driver.admit('b')
    expect(driver.group.state).toBe('PreparingRebalance')
    expect(driver.joined(second)).toBeUndefined()
    expect(driver.heartbeat('a')).toBe('REBALANCE_IN_PROGRESS')
    const first = driver.join({ memberId: 'a' })
    expect(driver.joined(first)).toMatchObject({ generationId: 2, leader: 'a' })
    expect(driver.joined(first)?.members.map(({ memberId }) => memberId)).toEqual(['a', 'b'])
    expect(driver.joined(second)).toMatchObject({ generationId: 2, leader: 'a', memberId: 'b', members: [] })
  })

  it('a member that does not rejoin in time is not in the next generation', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    const third = driver.admit('c', { rebalanceTimeoutMs: SESSION_MS / 2 })
    driver.join({ memberId: 'b', rebalanceTimeoutMs: 1 })
    for (let waited = 0; waited < REBALANCE_MS; waited += 1_000) {
      driver.heartbeat('a')
      driver.pass(1_000)
    }
    expect(driver.joined(third)).toMatchObject({ errorCode: 'NONE', leader: 'b' })
    expect([...driver.group.members.keys()]).toEqual(['b', 'c'])
  })

  it('a rebalance completes as soon as the last missing member leaves', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    const joining = driver.join({ memberId: 'a' })
    expect(driver.joined(joining)).toBeUndefined()
    expect(driver.leave('b')).toEqual(['NONE'])
    expect(driver.joined(joining)).toMatchObject({ generationId: driver.group.generationId, leader: 'a' })
  })

  it('a member that repeats JoinGroup for the current generation gets the same response', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    expect(driver.joined(driver.join({ memberId: 'b' }))).toMatchObject({ errorCode: 'NONE', leader: 'a', members: [] })
    expect(driver.group.state).toBe('Stable')
  })

  it.each([
    ['the leader joins again', { memberId: 'a' }],
    [
      'a follower brings other metadata',
      { memberId: 'b', protocols: [{ name: 'range', metadata: subscriptionOf(['bar']) }] }
    ]
  ])('a rebalance starts when %s', (_, request) => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    expect(driver.joined(driver.join(request))).toBeUndefined()
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('a JoinGroup that is repeated on another connection completes the delayed JoinGroup with an error', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    const lost = driver.join({ memberId: 'a' })
    const again = driver.join({ memberId: 'a' })
    expect(driver.joined(lost)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
    driver.join({ memberId: 'b' })
    expect(driver.joined(again)).toMatchObject({ errorCode: 'NONE' })
  })

  it('a JoinGroup during CompletingRebalance completes delayed SyncGroups with REBALANCE_IN_PROGRESS', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.join({ memberId: 'a' })
    driver.join({ memberId: 'b' })
    const waiting = driver.sync('b')
    expect(driver.synced(waiting)).toBeUndefined()
    driver.admit('c')
    expect(driver.synced(waiting)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
  })

  it('the group selects the protocol with the most votes among those that all members support', () => {
    const driver = new ClassicGroupDriver()
    const protocols = (...names: string[]) => ({
      protocols: names.map(name => ({ name, metadata: subscriptionOf(['foo']) }))
    })
    driver.admit('a', protocols('sticky', 'range', 'roundrobin'))
    driver.admit('b', protocols('roundrobin', 'range'))
    driver.admit('c', protocols('range', 'roundrobin'))
    driver.join({ memberId: 'a', ...protocols('sticky', 'range', 'roundrobin') })
    expect(driver.group.protocolName).toBe('range')
  })

  it.each([
    ['no protocol', { protocols: [] }],
    ['no protocol type', { protocolType: '' }]
  ])('an empty group refuses a member with %s', (_, request) => {
    const driver = new ClassicGroupDriver()
    expect(driver.joined(driver.admit('a', request))).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it.each([
    ['another protocol type', { protocolType: 'connect' }],
    ['no protocol in common', { protocols: [{ name: 'sticky', metadata: subscriptionOf(['foo']) }] }]
  ])('a stable group refuses a member with %s', (_, request) => {
    const driver = ClassicGroupDriver.stable(['a'])
    expect(driver.joined(driver.admit('b', request))).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
    expect(driver.joined(driver.join({ memberId: 'a', ...request }))).toMatchObject({
      errorCode: 'INCONSISTENT_GROUP_PROTOCOL',
      memberId: 'a'
    })
    expect(driver.group.state).toBe('Stable')
  })

  it('a group that became empty accepts another protocol type', () => {
    const driver = ClassicGroupDriver.stable(['a'])
    driver.leave('a')
    const ticket = driver.admit('b', {
      protocolType: 'connect',
      protocols: [{ name: 'sessioned', metadata: Buffer.of(1) }]
    })
    expect(driver.joined(ticket)).toMatchObject({
      errorCode: 'NONE',
      protocolType: 'connect',
      protocolName: 'sessioned'
    })
  })

  it('a full group refuses new members and accepts its own members', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'], { maxSize: 2 })
    expect(driver.joined(driver.join({}))).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    driver.join({ memberId: 'a' })
    driver.join({ memberId: 'b' })
    expect(driver.group.state).toBe('CompletingRebalance')
  })

  it('a JoinGroup without a member id that a full group refuses does not cancel the timers of the rebalance', () => {
    const driver = new ClassicGroupDriver({ maxSize: 1, initialRebalanceDelayMs: 3_000 })
    const ticket = driver.admit('a')
    expect(driver.joined(driver.join())).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED' })
    driver.pass(3_000)
    expect(driver.joined(ticket)).toMatchObject({ errorCode: 'NONE', generationId: 1 })
    expect(driver.joined(driver.join())).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED' })
    driver.pass(REBALANCE_MS)
    expect([...driver.group.members.keys()]).toEqual([])
  })

  it('a member that rejoins a full group last gets GROUP_MAX_SIZE_REACHED', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'], { maxSize: 2 })
    driver.join({ memberId: 'a' })
    driver.admit('c')
    expect(driver.joined(driver.join({ memberId: 'b' }))).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED' })
    expect(driver.group.members.has('b')).toBe(false)
  })

  it('JoinGroup with an unknown member id gets UNKNOWN_MEMBER_ID', () => {
    const driver = ClassicGroupDriver.stable(['a'])
    expect(driver.joined(driver.join({ memberId: 'x' }))).toMatchObject({
      errorCode: 'UNKNOWN_MEMBER_ID',
      memberId: 'x'
    })
  })

  it('a new member with a delayed JoinGroup is removed after five minutes', () => {
    const driver = ClassicGroupDriver.stable(['a'])
    driver.join({ memberId: 'a', rebalanceTimeoutMs: 3_600_000 })
    driver.sync('a')
    const fresh = driver.admit('b')
    for (let second = 0; second < 299; second++) {
      driver.heartbeat('a')
      driver.pass(1_000)
    }
    expect(driver.joined(fresh)).toBeUndefined()
    driver.heartbeat('a')
    driver.pass(1_000)
    expect(driver.joined(fresh)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID', memberId: '' })
  })
})

describe('group.initial.rebalance.delay.ms', () => {
  it('an empty group waits for more members before its first rebalance', () => {
    const driver = new ClassicGroupDriver({ initialRebalanceDelayMs: 3_000 })
    const ticket = driver.admit('a')
    driver.pass(2_999)
    expect(driver.joined(ticket)).toBeUndefined()
    driver.pass(1)
    expect(driver.joined(ticket)).toMatchObject({ errorCode: 'NONE', generationId: 1 })
  })

  it('a new member extends the initial delay, at most to the rebalance timeout', () => {
    const driver = new ClassicGroupDriver({ initialRebalanceDelayMs: 3_000 })
    const ticket = driver.admit('a', { rebalanceTimeoutMs: 8_000 })
    for (const [elapsed, memberId] of [
      [2_000, 'b'],
      [5_000, 'c'],
      [7_500, 'd']
    ] as const) {
      driver.pass(1_000_000 + elapsed - driver.now)
      driver.admit(memberId, { rebalanceTimeoutMs: 8_000 })
      expect(driver.joined(ticket)).toBeUndefined()
    }
    driver.pass(1_000_000 + 8_000 - driver.now)
    expect(driver.joined(ticket)?.members.map(({ memberId }) => memberId)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('a member that joins too late to extend the initial delay extends the next initial delay, as in Kafka', () => {
    const driver = new ClassicGroupDriver({ initialRebalanceDelayMs: 3_000 })
    driver.admit('a', { rebalanceTimeoutMs: 3_000 })
    driver.admit('b', { rebalanceTimeoutMs: 3_000 })
    driver.pass(3_000)
    driver.leave('a', 'b')
    for (const [memberId, delays] of [
      ['c', 2],
      ['d', 1]
    ] as const) {
      const ticket = driver.admit(memberId)
      driver.pass(delays * 3_000 - 1)
      expect(driver.joined(ticket)).toBeUndefined()
      driver.pass(1)
      expect(driver.joined(ticket)).toMatchObject({ errorCode: 'NONE', memberId })
      driver.leave(memberId)
    }
  })

  it('the initial delay ends in an empty group if all members have left', () => {
    const driver = new ClassicGroupDriver({ initialRebalanceDelayMs: 3_000 })
    const ticket = driver.admit('a')
    driver.leave('a')
    expect(driver.joined(ticket)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    driver.pass(3_000)
    expect(driver.group).toMatchObject({ state: 'Empty', generationId: 1, leader: null, protocolType: 'consumer' })
    expect(driver.timers.size).toBe(0)
  })
})
