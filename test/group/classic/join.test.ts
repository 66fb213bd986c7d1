import { describe, expect, it } from 'vitest'
import { nextDeadline } from '../../../src/group/classic/group.ts'
import { MAX_PENDING_JOIN } from '../../../src/group/classic/join.ts'
import { REBALANCE_MS, SESSION_MS, Stage, subscription } from './stage.ts'

describe('JoinGroup', () => {
  it('the first member of a group leads it and hears of itself', () => {
    const stage = new Stage()
    const ticket = stage.admit('a')
    expect(stage.joined(ticket)).toEqual({
      errorCode: 'NONE',
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: 'a',
      skipAssignment: false,
      memberId: 'a',
      members: [{ memberId: 'a', groupInstanceId: null, metadata: subscription('foo') }]
    })
    expect(stage.group.state).toBe('CompletingRebalance')
  })

  it('from version 4 on a newcomer must come back with its id', () => {
    const stage = new Stage()
    const first = stage.join({ apiVersion: 4, newMemberId: 'a' })
    expect(stage.joined(first)).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED', memberId: 'a', generationId: -1 })
    expect(stage.group.state).toBe('Empty')
    const second = stage.join({ memberId: 'a' })
    expect(stage.joined(second)).toMatchObject({ errorCode: 'NONE', memberId: 'a', leader: 'a' })
  })

  it('an id that was handed out lapses with the session timeout', () => {
    const stage = new Stage()
    stage.join({ newMemberId: 'a' })
    stage.pass(SESSION_MS)
    expect(stage.joined(stage.join({ memberId: 'a' }))).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID', memberId: 'a' })
  })

  it('ids are handed out to so many newcomers at a time, and to more when those have lapsed', () => {
    const stage = new Stage()
    const waiting = Array.from({ length: MAX_PENDING_JOIN }, (_, index): [string, number] => [
      `n${index}`,
      stage.now + 1
    ])
    stage.group.pendingJoin = new Map(waiting)
    expect(stage.joined(stage.join())).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    expect(stage.group.pendingJoin.size).toBe(MAX_PENDING_JOIN)
    const [ticket] = [stage.join({ memberId: 'n0' })]
    expect(stage.joined(ticket)?.errorCode).not.toBe('GROUP_MAX_SIZE_REACHED')
    stage.pass(1)
    expect(stage.joined(stage.join())).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED' })
  })

  it('a second member makes the first join again, and only the leader hears of both', () => {
    const stage = Stage.stable(['a'])
    const second = stage.admit('b')
    expect(stage.group.state).toBe('PreparingRebalance')
    expect(stage.joined(second)).toBeUndefined()
    expect(stage.heartbeat('a')).toBe('REBALANCE_IN_PROGRESS')
    const first = stage.join({ memberId: 'a' })
    expect(stage.joined(first)).toMatchObject({ generationId: 2, leader: 'a' })
    expect(stage.joined(first)?.members.map(({ memberId }) => memberId)).toEqual(['a', 'b'])
    expect(stage.joined(second)).toMatchObject({ generationId: 2, leader: 'a', memberId: 'b', members: [] })
  })

  it('members that do not come back in time are left out of the next generation', () => {
    const stage = Stage.stable(['a', 'b'])
    const third = stage.admit('c', { rebalanceTimeoutMs: SESSION_MS / 2 })
    stage.join({ memberId: 'b', rebalanceTimeoutMs: 1 })
    for (let waited = 0; waited < REBALANCE_MS; waited += 1_000) {
      stage.heartbeat('a')
      stage.pass(1_000)
    }
    expect(stage.joined(third)).toMatchObject({ errorCode: 'NONE', leader: 'b' })
    expect([...stage.group.members.keys()]).toEqual(['b', 'c'])
  })

  it('a rebalance goes on as soon as the last missing member leaves', () => {
    const stage = Stage.stable(['a', 'b'])
    const joining = stage.join({ memberId: 'a' })
    expect(stage.joined(joining)).toBeUndefined()
    expect(stage.leave('b')).toEqual(['NONE'])
    expect(stage.joined(joining)).toMatchObject({ generationId: stage.group.generationId, leader: 'a' })
  })

  it('a member that asks again for the same generation is told the same', () => {
    const stage = Stage.stable(['a', 'b'])
    expect(stage.joined(stage.join({ memberId: 'b' }))).toMatchObject({ errorCode: 'NONE', leader: 'a', members: [] })
    expect(stage.group.state).toBe('Stable')
  })

  it.each([
    ['the leader joins again', { memberId: 'a' }],
    [
      'a follower brings other metadata',
      { memberId: 'b', protocols: [{ name: 'range', metadata: subscription('bar') }] }
    ]
  ])('%s: that begins a rebalance', (_, request) => {
    const stage = Stage.stable(['a', 'b'])
    expect(stage.joined(stage.join(request))).toBeUndefined()
    expect(stage.group.state).toBe('PreparingRebalance')
  })

  it('a join that is repeated on another connection answers the one that was delayed', () => {
    const stage = Stage.stable(['a', 'b'])
    const lost = stage.join({ memberId: 'a' })
    const again = stage.join({ memberId: 'a' })
    expect(stage.joined(lost)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
    stage.join({ memberId: 'b' })
    expect(stage.joined(again)).toMatchObject({ errorCode: 'NONE' })
  })

  it('a join in the middle of syncing sends those who wait for their assignment back', () => {
    const stage = Stage.stable(['a', 'b'])
    stage.join({ memberId: 'a' })
    stage.join({ memberId: 'b' })
    const waiting = stage.sync('b')
    expect(stage.synced(waiting)).toBeUndefined()
    stage.admit('c')
    expect(stage.synced(waiting)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
  })

  it('the protocol is the one that most prefer among those that all support', () => {
    const stage = new Stage()
    const protocols = (...names: string[]) => ({
      protocols: names.map(name => ({ name, metadata: subscription('foo') }))
    })
    stage.admit('a', protocols('sticky', 'range', 'roundrobin'))
    stage.admit('b', protocols('roundrobin', 'range'))
    stage.admit('c', protocols('range', 'roundrobin'))
    stage.join({ memberId: 'a', ...protocols('sticky', 'range', 'roundrobin') })
    expect(stage.group.protocolName).toBe('range')
  })

  it.each([
    ['no protocol', { protocols: [] }],
    ['no protocol type', { protocolType: '' }]
  ])('an empty group takes no member with %s', (_, request) => {
    const stage = new Stage()
    expect(stage.joined(stage.admit('a', request))).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it.each([
    ['another protocol type', { protocolType: 'connect' }],
    ['no protocol in common', { protocols: [{ name: 'sticky', metadata: subscription('foo') }] }]
  ])('a group takes no member with %s', (_, request) => {
    const stage = Stage.stable(['a'])
    expect(stage.joined(stage.admit('b', request))).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
    expect(stage.joined(stage.join({ memberId: 'a', ...request }))).toMatchObject({
      errorCode: 'INCONSISTENT_GROUP_PROTOCOL',
      memberId: 'a'
    })
    expect(stage.group.state).toBe('Stable')
  })

  it('a group that has emptied may take up another protocol', () => {
    const stage = Stage.stable(['a'])
    stage.leave('a')
    const ticket = stage.admit('b', {
      protocolType: 'connect',
      protocols: [{ name: 'sessioned', metadata: Buffer.of(1) }]
    })
    expect(stage.joined(ticket)).toMatchObject({
      errorCode: 'NONE',
      protocolType: 'connect',
      protocolName: 'sessioned'
    })
  })

  it('a full group turns newcomers away, but not its members', () => {
    const stage = Stage.stable(['a', 'b'], { maxSize: 2 })
    expect(stage.joined(stage.join({}))).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    stage.join({ memberId: 'a' })
    stage.join({ memberId: 'b' })
    expect(stage.group.state).toBe('CompletingRebalance')
  })

  it('while a full group rebalances, the last to come back is turned away', () => {
    const stage = Stage.stable(['a', 'b'], { maxSize: 2 })
    stage.join({ memberId: 'a' })
    stage.admit('c')
    expect(stage.joined(stage.join({ memberId: 'b' }))).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED' })
    expect(stage.group.members.has('b')).toBe(false)
  })

  it('an unknown member id is told so', () => {
    const stage = Stage.stable(['a'])
    expect(stage.joined(stage.join({ memberId: 'x' }))).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID', memberId: 'x' })
  })

  it('a new member that never fetches its answer is removed after five minutes', () => {
    const stage = Stage.stable(['a'])
    stage.join({ memberId: 'a', rebalanceTimeoutMs: 3_600_000 })
    stage.sync('a')
    const fresh = stage.admit('b')
    for (let second = 0; second < 299; second++) {
      stage.heartbeat('a')
      stage.pass(1_000)
    }
    expect(stage.joined(fresh)).toBeUndefined()
    stage.heartbeat('a')
    stage.pass(1_000)
    expect(stage.joined(fresh)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID', memberId: '' })
  })
})

describe('the initial delay', () => {
  it('an empty group waits for more members before its first rebalance', () => {
    const stage = new Stage({ initialRebalanceDelayMs: 3_000 })
    const ticket = stage.admit('a')
    stage.pass(2_999)
    expect(stage.joined(ticket)).toBeUndefined()
    stage.pass(1)
    expect(stage.joined(ticket)).toMatchObject({ errorCode: 'NONE', generationId: 1 })
  })

  it('each piece in which somebody comes is followed by another, up to the rebalance timeout', () => {
    const stage = new Stage({ initialRebalanceDelayMs: 3_000 })
    const ticket = stage.admit('a', { rebalanceTimeoutMs: 8_000 })
    for (const [elapsed, memberId] of [
      [2_000, 'b'],
      [5_000, 'c'],
      [7_500, 'd']
    ] as const) {
      stage.pass(1_000_000 + elapsed - stage.now)
      stage.admit(memberId, { rebalanceTimeoutMs: 8_000 })
      expect(stage.joined(ticket)).toBeUndefined()
    }
    stage.pass(1_000_000 + 8_000 - stage.now)
    expect(stage.joined(ticket)?.members.map(({ memberId }) => memberId)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('whoever came into it too late to make it longer makes the next one longer, as in Kafka', () => {
    const stage = new Stage({ initialRebalanceDelayMs: 3_000 })
    stage.admit('a', { rebalanceTimeoutMs: 3_000 })
    stage.admit('b', { rebalanceTimeoutMs: 3_000 })
    stage.pass(3_000)
    stage.leave('a', 'b')
    for (const [memberId, delays] of [
      ['c', 2],
      ['d', 1]
    ] as const) {
      const ticket = stage.admit(memberId)
      stage.pass(delays * 3_000 - 1)
      expect(stage.joined(ticket)).toBeUndefined()
      stage.pass(1)
      expect(stage.joined(ticket)).toMatchObject({ errorCode: 'NONE', memberId })
      stage.leave(memberId)
    }
  })

  it('ends the group again when all have left meanwhile', () => {
    const stage = new Stage({ initialRebalanceDelayMs: 3_000 })
    const ticket = stage.admit('a')
    stage.leave('a')
    expect(stage.joined(ticket)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    stage.pass(3_000)
    expect(stage.group).toMatchObject({ state: 'Empty', generationId: 1, leader: null, protocolType: 'consumer' })
    expect(nextDeadline(stage.group)).toBe(Number.POSITIVE_INFINITY)
  })
})
