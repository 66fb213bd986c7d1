import { describe, expect, it } from 'vitest'
import { NO_MEMBER } from '../../../src/coordinator/timers.ts'
import { restoreGroup } from '../../../src/group/classic/record.ts'
import { subscriptionOf } from '../embedded.ts'
import { REBALANCE_MS, SESSION_MS } from '../group-settings.ts'
import { ClassicGroupDriver } from './classic-group-driver.ts'

/** A stable group of the static members `a` (leader) and `b` with the instance ids `A` and `B`. */
function staticPair(): ClassicGroupDriver {
  const driver = new ClassicGroupDriver()
  driver.join({ groupInstanceId: 'A', newMemberId: 'a' })
  driver.join({ groupInstanceId: 'B', newMemberId: 'b' })
  driver.rejoinAll()
  driver.syncAll()
  return driver
}

describe('static members', () => {
  it('a static member joins without MEMBER_ID_REQUIRED', () => {
    const driver = new ClassicGroupDriver()
    expect(driver.joined(driver.join({ groupInstanceId: 'A', newMemberId: 'a' }))).toMatchObject({
      errorCode: 'NONE',
      memberId: 'a',
      members: [{ memberId: 'a', groupInstanceId: 'A' }]
    })
  })

  it('a restarted static member replaces its old member id without a rebalance, and the old id is fenced', () => {
    const driver = staticPair()
    const { generationId } = driver.group
    const ticket = driver.join({ groupInstanceId: 'B', newMemberId: 'b2' })
    expect(driver.joined(ticket)).toMatchObject({
      errorCode: 'NONE',
      memberId: 'b2',
      generationId,
      leader: 'a',
      members: []
    })
    expect(driver.group.state).toBe('Stable')
    expect(driver.records.at(-1)?.members.map(({ memberId }) => memberId)).toEqual(['a', 'b2'])
    expect(driver.synced(driver.sync('b2', { groupInstanceId: 'B' }))?.assignment.toString()).toBe('for b')
    expect(driver.heartbeat('b', { groupInstanceId: 'B' })).toBe('FENCED_INSTANCE_ID')
    expect(driver.commit('b', { groupInstanceId: 'B' })).toBe('FENCED_INSTANCE_ID')
    expect(driver.synced(driver.sync('b', { groupInstanceId: 'B' }))).toMatchObject({ errorCode: 'FENCED_INSTANCE_ID' })
    expect(driver.joined(driver.join({ memberId: 'b', groupInstanceId: 'B' }))).toMatchObject({
      errorCode: 'FENCED_INSTANCE_ID'
    })
    expect(driver.leave({ memberId: 'b', groupInstanceId: 'B' })).toEqual(['FENCED_INSTANCE_ID'])
  })

  it('static members are found by instance id after a restart of the broker, until they leave', () => {
    const { group, records } = staticPair()
    const record = records.at(-1)
    if (!record) throw new Error('a stable group has a record')
    const driver = new ClassicGroupDriver({}, restoreGroup('g', record))
    expect([...driver.group.staticMembers]).toEqual([...group.staticMembers])
    expect(driver.leave({ memberId: '', groupInstanceId: 'A' }, { memberId: '', groupInstanceId: 'A' })).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID'
    ])
    expect([...driver.group.staticMembers]).toEqual([['B', 'b']])
  })

  it('a restarted leader gets skipAssignment in version 9 of JoinGroup', () => {
    const driver = staticPair()
    const answer = driver.joined(driver.join({ groupInstanceId: 'A', newMemberId: 'a2' }))
    expect(answer).toMatchObject({ leader: 'a2', memberId: 'a2', skipAssignment: true })
    expect(answer?.members.map(({ memberId }) => memberId).sort()).toEqual(['a2', 'b'])
  })

  it('a restarted leader gets its old id as leader before version 9 of JoinGroup', () => {
    const driver = staticPair()
    const answer = driver.joined(driver.join({ apiVersion: 8, groupInstanceId: 'A', newMemberId: 'a2' }))
    expect(answer).toMatchObject({ leader: 'a', memberId: 'a2', skipAssignment: false, members: [] })
  })

  it('a restarted static member that changes the selected protocol starts a rebalance', () => {
    const driver = new ClassicGroupDriver()
    const both = [
      { name: 'range', metadata: subscriptionOf(['foo']) },
      { name: 'sticky', metadata: subscriptionOf(['foo']) }
    ]
    driver.join({ groupInstanceId: 'A', newMemberId: 'a', protocols: both })
    driver.syncAll()
    const ticket = driver.join({ groupInstanceId: 'A', newMemberId: 'a2', protocols: both.slice(1) })
    expect(driver.joined(ticket)).toMatchObject({ generationId: 2, protocolName: 'sticky' })
  })

  it('a static member that restarts during CompletingRebalance starts a rebalance', () => {
    const driver = staticPair()
    driver.join({ memberId: 'a', groupInstanceId: 'A' })
    driver.join({ memberId: 'b', groupInstanceId: 'B' })
    const waiting = driver.sync('b', { groupInstanceId: 'B' })
    const again = driver.join({ groupInstanceId: 'B', newMemberId: 'b2' })
    expect(driver.synced(waiting)).toMatchObject({ errorCode: 'FENCED_INSTANCE_ID' })
    expect(driver.group.state).toBe('PreparingRebalance')
    driver.join({ memberId: 'a', groupInstanceId: 'A' })
    expect(driver.joined(again)).toMatchObject({ errorCode: 'NONE', memberId: 'b2' })
  })

  it('a static member that restarts fences its own delayed JoinGroup', () => {
    const driver = staticPair()
    const delayed = driver.join({ memberId: 'a', groupInstanceId: 'A' })
    driver.join({ groupInstanceId: 'A', newMemberId: 'a2' })
    expect(driver.joined(delayed)).toMatchObject({ errorCode: 'FENCED_INSTANCE_ID', memberId: 'a' })
  })

  it('a restarted static member keeps its old session timeout until its first heartbeat', () => {
    const driver = staticPair()
    driver.join({ groupInstanceId: 'B', newMemberId: 'b2', sessionTimeoutMs: 10 * SESSION_MS })
    const sessionOf = (member: string) => driver.timers.deadlineOf({ subject: 'g', member, kind: 'session' })
    expect(sessionOf('b2')).toBe(driver.now + SESSION_MS)
    expect(driver.heartbeat('b2', { groupInstanceId: 'B' })).toBe('NONE')
    expect(sessionOf('b2')).toBe(driver.now + 10 * SESSION_MS)
  })

  it('a static member that restarts before its SyncGroup causes a rebalance by its old member id, as in Kafka', () => {
    const driver = new ClassicGroupDriver()
    const patient = { sessionTimeoutMs: 2 * REBALANCE_MS }
    driver.join({ groupInstanceId: 'A', newMemberId: 'a', ...patient })
    driver.join({ groupInstanceId: 'B', newMemberId: 'b', ...patient })
    driver.rejoinAll()
    driver.sync('a', { groupInstanceId: 'A', assignments: [{ memberId: 'b', assignment: Buffer.from('for b') }] })
    driver.join({ groupInstanceId: 'B', newMemberId: 'b2', ...patient })
    expect(driver.synced(driver.sync('b2', { groupInstanceId: 'B' }))?.assignment.toString()).toBe('for b')
    driver.pass(REBALANCE_MS - 1)
    expect(driver.group.state).toBe('Stable')
    driver.pass(1)
    expect(driver.group.state).toBe('PreparingRebalance')
    expect([...driver.group.members.keys()]).toEqual(['a', 'b2'])
  })

  it('an absent static member stays in the group during a rebalance until its session ends', () => {
    const driver = staticPair()
    const joining = driver.join({ memberId: 'a', groupInstanceId: 'A', sessionTimeoutMs: REBALANCE_MS })
    driver.pass(SESSION_MS - 1)
    expect(driver.group.members.has('b')).toBe(true)
    driver.pass(1)
    expect(driver.joined(joining)?.members.map(({ memberId }) => memberId)).toEqual(['a'])
  })

  it('a rebalance that no member rejoins continues to wait', () => {
    const driver = new ClassicGroupDriver()
    const patient = { sessionTimeoutMs: 10 * REBALANCE_MS }
    driver.join({ groupInstanceId: 'A', newMemberId: 'a', ...patient })
    driver.join({ groupInstanceId: 'B', newMemberId: 'b', ...patient })
    driver.rejoinAll()
    driver.syncAll()
    driver.admit('c')
    driver.leave('c')
    expect(driver.group.state).toBe('PreparingRebalance')
    driver.pass(2 * REBALANCE_MS)
    expect(driver.group.state).toBe('PreparingRebalance')
    const { generationId } = driver.group
    driver.join({ memberId: 'a', groupInstanceId: 'A', ...patient })
    driver.pass(REBALANCE_MS)
    expect(driver.group).toMatchObject({ state: 'CompletingRebalance', generationId: generationId + 1, leader: 'a' })
    expect([...driver.group.members.keys()]).toEqual(['a', 'b'])
  })

  it('a rebalance that no member rejoins is retried with a pause', () => {
    const driver = new ClassicGroupDriver()
    driver.join({ groupInstanceId: 'A', newMemberId: 'a', rebalanceTimeoutMs: 0 })
    driver.syncAll()
    driver.admit('b', { rebalanceTimeoutMs: 0 })
    driver.leave('b')
    driver.pass(0)
    expect(driver.group.state).toBe('PreparingRebalance')
    expect(driver.timers.deadlineOf({ subject: 'g', member: NO_MEMBER, kind: 'join' })).toBe(driver.now + 100)
    driver.join({ memberId: 'a', groupInstanceId: 'A' })
    expect(driver.group).toMatchObject({ state: 'CompletingRebalance' })
  })

  it('LeaveGroup removes a static member by its instance id alone', () => {
    const driver = staticPair()
    expect(driver.leave({ memberId: '', groupInstanceId: 'B' }, { memberId: '', groupInstanceId: 'C' })).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID'
    ])
    expect([...driver.group.members.keys()]).toEqual(['a'])
  })
})
