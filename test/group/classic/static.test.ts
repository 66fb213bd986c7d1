import { describe, expect, it } from 'vitest'
import { restoreGroup } from '../../../src/group/classic/record.ts'
import { REBALANCE_MS, SESSION_MS, Stage, subscription } from './stage.ts'

/** A stable group of the static members `a` (leader) and `b`, whose instances are `A` and `B`. */
function staticPair(): Stage {
  const stage = new Stage()
  stage.join({ groupInstanceId: 'A', newMemberId: 'a' })
  stage.join({ groupInstanceId: 'B', newMemberId: 'b' })
  stage.rejoinAll()
  stage.syncAll()
  return stage
}

describe('static members', () => {
  it('join at once, without coming back with an id', () => {
    const stage = new Stage()
    expect(stage.joined(stage.join({ groupInstanceId: 'A', newMemberId: 'a' }))).toMatchObject({
      errorCode: 'NONE',
      memberId: 'a',
      members: [{ memberId: 'a', groupInstanceId: 'A' }]
    })
  })

  it('a restarted one takes its place without a rebalance, and the old id is fenced', () => {
    const stage = staticPair()
    const { generationId } = stage.group
    const ticket = stage.join({ groupInstanceId: 'B', newMemberId: 'b2' })
    expect(stage.joined(ticket)).toMatchObject({
      errorCode: 'NONE',
      memberId: 'b2',
      generationId,
      leader: 'a',
      members: []
    })
    expect(stage.group.state).toBe('Stable')
    expect(stage.records.at(-1)?.members.map(({ memberId }) => memberId)).toEqual(['a', 'b2'])
    expect(stage.synced(stage.sync('b2', { groupInstanceId: 'B' }))?.assignment.toString()).toBe('for b')
    expect(stage.heartbeat('b', { groupInstanceId: 'B' })).toBe('FENCED_INSTANCE_ID')
    expect(stage.commit('b', { groupInstanceId: 'B' })).toBe('FENCED_INSTANCE_ID')
    expect(stage.synced(stage.sync('b', { groupInstanceId: 'B' }))).toMatchObject({ errorCode: 'FENCED_INSTANCE_ID' })
    expect(stage.joined(stage.join({ memberId: 'b', groupInstanceId: 'B' }))).toMatchObject({
      errorCode: 'FENCED_INSTANCE_ID'
    })
    expect(stage.leave({ memberId: 'b', groupInstanceId: 'B' })).toEqual(['FENCED_INSTANCE_ID'])
  })

  it('are known by their instance after the broker was restarted, until they leave', () => {
    const { group, records } = staticPair()
    const record = records.at(-1)
    if (!record) throw new Error('a stable group has a record')
    const stage = new Stage({}, restoreGroup('g', record))
    expect([...stage.group.staticMembers]).toEqual([...group.staticMembers])
    expect(stage.leave({ memberId: '', groupInstanceId: 'A' }, { memberId: '', groupInstanceId: 'A' })).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID'
    ])
    expect([...stage.group.staticMembers]).toEqual([['B', 'b']])
  })

  it('a restarted leader of version 9 is told to leave the assignment as it is', () => {
    const stage = staticPair()
    const answer = stage.joined(stage.join({ groupInstanceId: 'A', newMemberId: 'a2' }))
    expect(answer).toMatchObject({ leader: 'a2', memberId: 'a2', skipAssignment: true })
    expect(answer?.members.map(({ memberId }) => memberId).sort()).toEqual(['a2', 'b'])
  })

  it('a restarted leader of an older version does not learn that it leads', () => {
    const stage = staticPair()
    const answer = stage.joined(stage.join({ apiVersion: 8, groupInstanceId: 'A', newMemberId: 'a2' }))
    expect(answer).toMatchObject({ leader: 'a', memberId: 'a2', skipAssignment: false, members: [] })
  })

  it('a restarted one that would change the protocol makes all join again', () => {
    const stage = new Stage()
    const both = [
      { name: 'range', metadata: subscription('foo') },
      { name: 'sticky', metadata: subscription('foo') }
    ]
    stage.join({ groupInstanceId: 'A', newMemberId: 'a', protocols: both })
    stage.syncAll()
    const ticket = stage.join({ groupInstanceId: 'A', newMemberId: 'a2', protocols: both.slice(1) })
    expect(stage.joined(ticket)).toMatchObject({ generationId: 2, protocolName: 'sticky' })
  })

  it('one that restarts while the leader assigns makes all join again', () => {
    const stage = staticPair()
    stage.join({ memberId: 'a', groupInstanceId: 'A' })
    stage.join({ memberId: 'b', groupInstanceId: 'B' })
    const waiting = stage.sync('b', { groupInstanceId: 'B' })
    const again = stage.join({ groupInstanceId: 'B', newMemberId: 'b2' })
    expect(stage.synced(waiting)).toMatchObject({ errorCode: 'FENCED_INSTANCE_ID' })
    expect(stage.group.state).toBe('PreparingRebalance')
    stage.join({ memberId: 'a', groupInstanceId: 'A' })
    expect(stage.joined(again)).toMatchObject({ errorCode: 'NONE', memberId: 'b2' })
  })

  it('one that restarts while its join is delayed fences that', () => {
    const stage = staticPair()
    const delayed = stage.join({ memberId: 'a', groupInstanceId: 'A' })
    stage.join({ groupInstanceId: 'A', newMemberId: 'a2' })
    expect(stage.joined(delayed)).toMatchObject({ errorCode: 'FENCED_INSTANCE_ID', memberId: 'a' })
  })

  it('a restarted one has a session as long as before, until it is heard of', () => {
    const stage = staticPair()
    stage.join({ groupInstanceId: 'B', newMemberId: 'b2', sessionTimeoutMs: 10 * SESSION_MS })
    expect(stage.group.members.get('b2')?.sessionDeadline).toBe(stage.now + SESSION_MS)
    expect(stage.heartbeat('b2', { groupInstanceId: 'B' })).toBe('NONE')
    expect(stage.group.members.get('b2')?.sessionDeadline).toBe(stage.now + 10 * SESSION_MS)
  })

  it('one that restarts before it has synced is missed by its old id, as in Kafka: all join again', () => {
    const stage = new Stage()
    const patient = { sessionTimeoutMs: 2 * REBALANCE_MS }
    stage.join({ groupInstanceId: 'A', newMemberId: 'a', ...patient })
    stage.join({ groupInstanceId: 'B', newMemberId: 'b', ...patient })
    stage.rejoinAll()
    stage.sync('a', { groupInstanceId: 'A', assignments: [{ memberId: 'b', assignment: Buffer.from('for b') }] })
    stage.join({ groupInstanceId: 'B', newMemberId: 'b2', ...patient })
    expect(stage.synced(stage.sync('b2', { groupInstanceId: 'B' }))?.assignment.toString()).toBe('for b')
    stage.pass(REBALANCE_MS - 1)
    expect(stage.group.state).toBe('Stable')
    stage.pass(1)
    expect(stage.group.state).toBe('PreparingRebalance')
    expect([...stage.group.members.keys()]).toEqual(['a', 'b2'])
  })

  it('one that is away keeps its place through a rebalance, until its session ends', () => {
    const stage = staticPair()
    const joining = stage.join({ memberId: 'a', groupInstanceId: 'A', sessionTimeoutMs: REBALANCE_MS })
    stage.pass(SESSION_MS - 1)
    expect(stage.group.members.has('b')).toBe(true)
    stage.pass(1)
    expect(stage.joined(joining)?.members.map(({ memberId }) => memberId)).toEqual(['a'])
  })

  it('when nobody comes back to a rebalance the group waits on', () => {
    const stage = new Stage()
    const patient = { sessionTimeoutMs: 10 * REBALANCE_MS }
    stage.join({ groupInstanceId: 'A', newMemberId: 'a', ...patient })
    stage.join({ groupInstanceId: 'B', newMemberId: 'b', ...patient })
    stage.rejoinAll()
    stage.syncAll()
    stage.admit('c')
    stage.leave('c')
    expect(stage.group.state).toBe('PreparingRebalance')
    stage.pass(2 * REBALANCE_MS)
    expect(stage.group.state).toBe('PreparingRebalance')
    const { generationId } = stage.group
    stage.join({ memberId: 'a', groupInstanceId: 'A', ...patient })
    stage.pass(REBALANCE_MS)
    expect(stage.group).toMatchObject({ state: 'CompletingRebalance', generationId: generationId + 1, leader: 'a' })
    expect([...stage.group.members.keys()]).toEqual(['a', 'b'])
  })

  it('when nobody comes back the group does not look for them without a pause', () => {
    const stage = new Stage()
    stage.join({ groupInstanceId: 'A', newMemberId: 'a', rebalanceTimeoutMs: 0 })
    stage.syncAll()
    stage.admit('b', { rebalanceTimeoutMs: 0 })
    stage.leave('b')
    stage.pass(0)
    expect(stage.group).toMatchObject({ state: 'PreparingRebalance', joinDeadline: stage.now + 100 })
    stage.join({ memberId: 'a', groupInstanceId: 'A' })
    expect(stage.group).toMatchObject({ state: 'CompletingRebalance' })
  })

  it('an admin removes one by its instance alone', () => {
    const stage = staticPair()
    expect(stage.leave({ memberId: '', groupInstanceId: 'B' }, { memberId: '', groupInstanceId: 'C' })).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID'
    ])
    expect([...stage.group.members.keys()]).toEqual(['a'])
  })
})
