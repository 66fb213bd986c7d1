import { describe, expect, it } from 'vitest'
import { nextDeadline } from '../../../src/group/classic/group.ts'
import { MAX_PENDING_JOIN } from '../../../src/group/classic/join.ts'
import { subscriptionOf } from '../embedded.ts'
import { REBALANCE_MS, SESSION_MS } from '../group-settings.ts'
import { ClassicGroupDriver } from './classic-group-driver.ts'

describe('JoinGroup', () => {
  it('the first member of a group leads it and hears of itself', () => {
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

  it('from version 4 on a newcomer must come back with its id', () => {
    const driver = new ClassicGroupDriver()
    const first = driver.join({ apiVersion: 4, newMemberId: 'a' })
    expect(driver.joined(first)).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED', memberId: 'a', generationId: -1 })
    expect(driver.group.state).toBe('Empty')
    const second = driver.join({ memberId: 'a' })
    expect(driver.joined(second)).toMatchObject({ errorCode: 'NONE', memberId: 'a', leader: 'a' })
  })

  it('an id that was handed out lapses with the session timeout', () => {
    const driver = new ClassicGroupDriver()
    driver.join({ newMemberId: 'a' })
    driver.pass(SESSION_MS)
    expect(driver.joined(driver.join({ memberId: 'a' }))).toMatchObject({
      errorCode: 'UNKNOWN_MEMBER_ID',
      memberId: 'a'
    })
  })

  it('ids are handed out to so many newcomers at a time, and to more when those have lapsed', () => {
    const driver = new ClassicGroupDriver()
    const waiting = Array.from({ length: MAX_PENDING_JOIN }, (_, index): [string, number] => [
      `n${index}`,
      driver.now + 1
    ])
    driver.group.pendingJoin = new Map(waiting)
    expect(driver.joined(driver.join())).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    expect(driver.group.pendingJoin.size).toBe(MAX_PENDING_JOIN)
    const [ticket] = [driver.join({ memberId: 'n0' })]
    expect(driver.joined(ticket)?.errorCode).not.toBe('GROUP_MAX_SIZE_REACHED')
    driver.pass(1)
    expect(driver.joined(driver.join())).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED' })
  })

  it('a second member makes the first join again, and only the leader hears of both', () => {
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

  it('members that do not come back in time are left out of the next generation', () => {
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

  it('a rebalance goes on as soon as the last missing member leaves', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    const joining = driver.join({ memberId: 'a' })
    expect(driver.joined(joining)).toBeUndefined()
    expect(driver.leave('b')).toEqual(['NONE'])
    expect(driver.joined(joining)).toMatchObject({ generationId: driver.group.generationId, leader: 'a' })
  })

  it('a member that asks again for the same generation is told the same', () => {
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
  ])('%s: that begins a rebalance', (_, request) => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    expect(driver.joined(driver.join(request))).toBeUndefined()
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('a join that is repeated on another connection answers the one that was delayed', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    const lost = driver.join({ memberId: 'a' })
    const again = driver.join({ memberId: 'a' })
    expect(driver.joined(lost)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
    driver.join({ memberId: 'b' })
    expect(driver.joined(again)).toMatchObject({ errorCode: 'NONE' })
  })

  it('a join in the middle of syncing sends those who wait for their assignment back', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.join({ memberId: 'a' })
    driver.join({ memberId: 'b' })
    const waiting = driver.sync('b')
    expect(driver.synced(waiting)).toBeUndefined()
    driver.admit('c')
    expect(driver.synced(waiting)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
  })

  it('the protocol is the one that most prefer among those that all support', () => {
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
  ])('an empty group takes no member with %s', (_, request) => {
    const driver = new ClassicGroupDriver()
    expect(driver.joined(driver.admit('a', request))).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it.each([
    ['another protocol type', { protocolType: 'connect' }],
    ['no protocol in common', { protocols: [{ name: 'sticky', metadata: subscriptionOf(['foo']) }] }]
  ])('a group takes no member with %s', (_, request) => {
    const driver = ClassicGroupDriver.stable(['a'])
    expect(driver.joined(driver.admit('b', request))).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
    expect(driver.joined(driver.join({ memberId: 'a', ...request }))).toMatchObject({
      errorCode: 'INCONSISTENT_GROUP_PROTOCOL',
      memberId: 'a'
    })
    expect(driver.group.state).toBe('Stable')
  })

  it('a group that has emptied may take up another protocol', () => {
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

  it('a full group turns newcomers away, but not its members', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'], { maxSize: 2 })
    expect(driver.joined(driver.join({}))).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    driver.join({ memberId: 'a' })
    driver.join({ memberId: 'b' })
    expect(driver.group.state).toBe('CompletingRebalance')
  })

  it('while a full group rebalances, the last to come back is turned away', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'], { maxSize: 2 })
    driver.join({ memberId: 'a' })
    driver.admit('c')
    expect(driver.joined(driver.join({ memberId: 'b' }))).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED' })
    expect(driver.group.members.has('b')).toBe(false)
  })

  it('an unknown member id is told so', () => {
    const driver = ClassicGroupDriver.stable(['a'])
    expect(driver.joined(driver.join({ memberId: 'x' }))).toMatchObject({
      errorCode: 'UNKNOWN_MEMBER_ID',
      memberId: 'x'
    })
  })

  it('a new member that never fetches its answer is removed after five minutes', () => {
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

describe('the initial delay', () => {
  it('an empty group waits for more members before its first rebalance', () => {
    const driver = new ClassicGroupDriver({ initialRebalanceDelayMs: 3_000 })
    const ticket = driver.admit('a')
    driver.pass(2_999)
    expect(driver.joined(ticket)).toBeUndefined()
    driver.pass(1)
    expect(driver.joined(ticket)).toMatchObject({ errorCode: 'NONE', generationId: 1 })
  })

  it('each piece in which somebody comes is followed by another, up to the rebalance timeout', () => {
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

  it('whoever came into it too late to make it longer makes the next one longer, as in Kafka', () => {
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

  it('ends the group again when all have left meanwhile', () => {
    const driver = new ClassicGroupDriver({ initialRebalanceDelayMs: 3_000 })
    const ticket = driver.admit('a')
    driver.leave('a')
    expect(driver.joined(ticket)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    driver.pass(3_000)
    expect(driver.group).toMatchObject({ state: 'Empty', generationId: 1, leader: null, protocolType: 'consumer' })
    expect(nextDeadline(driver.group)).toBe(Number.POSITIVE_INFINITY)
  })
})
