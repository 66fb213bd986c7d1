import { describe, expect, it } from 'vitest'
import { leave, resume } from '../../../src/group/classic/membership.ts'
import { groupMetadataOf, restoreGroup } from '../../../src/group/classic/record.ts'
import { REBALANCE_MS, SESSION_MS, Stage } from './stage.ts'

const text = (assignment: Buffer | undefined) => assignment?.toString()

/** Two members that both know the new generation and have not synced yet. */
function completing(): Stage {
  const stage = Stage.stable(['a', 'b'])
  stage.join({ memberId: 'a' })
  stage.join({ memberId: 'b' })
  return stage
}

describe('SyncGroup', () => {
  it('a follower that comes before the leader waits for it', () => {
    const stage = completing()
    const follower = stage.sync('b')
    expect(stage.synced(follower)).toBeUndefined()
    const assignments = [
      { memberId: 'a', assignment: Buffer.from('one') },
      { memberId: 'b', assignment: Buffer.from('two') }
    ]
    const leader = stage.sync('a', { assignments })
    expect(text(stage.synced(leader)?.assignment)).toBe('one')
    expect(stage.synced(follower)).toEqual({
      errorCode: 'NONE',
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.from('two')
    })
    expect(stage.group.state).toBe('Stable')
    expect(stage.records.at(-1)).toMatchObject({ generation: 3, leader: 'a', protocol: 'range' })
  })

  it('a follower that comes later gets what is assigned, and nothing when the leader forgot it', () => {
    const stage = completing()
    stage.sync('a', { assignments: [{ memberId: 'a', assignment: Buffer.from('all') }] })
    const late = stage.sync('b')
    expect(stage.synced(late)).toMatchObject({ errorCode: 'NONE', assignment: Buffer.alloc(0) })
    expect(text(stage.synced(stage.sync('a'))?.assignment)).toBe('all')
  })

  it.each([
    ['an unknown member', 'x', {}, 'UNKNOWN_MEMBER_ID'],
    ['another generation', 'b', { generationId: 2 }, 'ILLEGAL_GENERATION'],
    ['another protocol type', 'b', { protocolType: 'connect' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['another protocol', 'b', { protocolName: 'sticky' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['a member that claims to be static', 'b', { groupInstanceId: 'i' }, 'UNKNOWN_MEMBER_ID']
  ] as const)('%s is refused', (_, memberId, request, errorCode) => {
    const stage = completing()
    expect(stage.synced(stage.sync(memberId, request))).toMatchObject({ errorCode })
  })

  it('a group that prepares a rebalance wants to be joined first', () => {
    const stage = Stage.stable(['a', 'b'])
    stage.join({ memberId: 'a' })
    expect(stage.synced(stage.sync('b'))).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
  })

  it('members that never sync are removed, and the others join again', () => {
    const stage = completing()
    const follower = stage.sync('b')
    for (let waited = 0; waited < REBALANCE_MS; waited += 1_000) {
      stage.heartbeat('a')
      stage.pass(1_000)
    }
    expect(stage.synced(follower)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
    expect([...stage.group.members.keys()]).toEqual(['b'])
    expect(stage.group.state).toBe('PreparingRebalance')
  })

  it('a repeated request answers the one that was delayed', () => {
    const stage = completing()
    const lost = stage.sync('b')
    stage.sync('b')
    expect(stage.synced(lost)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
  })
})

describe('Heartbeat', () => {
  it.each([
    ['a member of the generation', 'a', {}, 'NONE'],
    ['an unknown member', 'x', {}, 'UNKNOWN_MEMBER_ID'],
    ['an older generation', 'a', { generationId: 0 }, 'ILLEGAL_GENERATION'],
    ['an unknown instance', 'a', { groupInstanceId: 'i' }, 'UNKNOWN_MEMBER_ID']
  ] as const)('%s', (_, memberId, claim, errorCode) => {
    expect(Stage.stable(['a']).heartbeat(memberId, claim)).toBe(errorCode)
  })

  it('keeps a session alive; without, the member is removed and the others rebalance', () => {
    const stage = Stage.stable(['a', 'b'])
    stage.pass(SESSION_MS - 1)
    expect(stage.heartbeat('b')).toBe('NONE')
    stage.pass(1)
    expect([...stage.group.members.keys()]).toEqual(['b'])
    expect(stage.group.state).toBe('PreparingRebalance')
    expect(stage.joined(stage.join({ memberId: 'b' }))).toMatchObject({ leader: 'b', errorCode: 'NONE' })
  })

  it('the last member that goes leaves an empty group, and a record of it', () => {
    const stage = Stage.stable(['a'])
    stage.pass(SESSION_MS)
    expect(stage.group).toMatchObject({ state: 'Empty', generationId: 2, leader: null, protocolName: null })
    expect(stage.records.at(-1)).toMatchObject({ protocolType: 'consumer', generation: 2, protocol: null, members: [] })
  })

  it('a member that waits for us is not taken for gone', () => {
    const stage = Stage.stable(['a', 'b'])
    stage.join({ memberId: 'a' })
    for (let waited = 0; waited < SESSION_MS * 2; waited += 1_000) {
      stage.heartbeat('b')
      stage.pass(1_000)
    }
    expect([...stage.group.members.keys()]).toEqual(['a', 'b'])
  })
})

describe('a group that was loaded', () => {
  it('begins the sessions of its members when all has been read', () => {
    const record = Stage.stable(['a']).records.at(-1)
    if (!record) throw new Error('a stable group has a record')
    const stage = new Stage({}, restoreGroup('g', record))
    stage.now += SESSION_MS
    stage.operation(resume)
    expect(stage.group.members.get('a')?.sessionDeadline).toBe(stage.now + SESSION_MS)
  })
})

describe('LeaveGroup', () => {
  it('tells operators who left, and why (KIP-800)', () => {
    const stage = Stage.stable(['a', 'b', 'c'])
    const left = [
      { memberId: 'a', groupInstanceId: null, reason: 'enough' },
      { memberId: 'b', groupInstanceId: null }
    ]
    expect(
      stage.operation(turn => {
        leave(turn, left)
        return turn.reason
      })
    ).toBe('a left: enough, b left')
  })

  it('each member has a result of its own', () => {
    const stage = Stage.stable(['a', 'b', 'c'])
    expect(stage.leave('a', 'x', 'b')).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'NONE'])
    expect([...stage.group.members.keys()]).toEqual(['c'])
    expect(stage.group.state).toBe('PreparingRebalance')
  })

  it('nothing happens when nobody left', () => {
    const stage = Stage.stable(['a'])
    expect(stage.leave('x')).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(stage.group.state).toBe('Stable')
  })

  it('an id that was only handed out is given back', () => {
    const stage = new Stage()
    stage.join({ newMemberId: 'a' })
    expect(stage.leave('a')).toEqual(['NONE'])
    expect(stage.group.pendingJoin.size).toBe(0)
  })

  it('a member whose join is delayed is told', () => {
    const stage = Stage.stable(['a', 'b'])
    const joining = stage.join({ memberId: 'a' })
    stage.leave('a')
    expect(stage.joined(joining)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID', memberId: '' })
  })

  it('the leader that leaves hands over to the next', () => {
    const stage = Stage.stable(['a', 'b'])
    stage.leave('a')
    expect(stage.group.leader).toBe('b')
  })
})

describe('commits', () => {
  const anonymous = { memberId: '', generationId: -1 }

  it.each([
    ['Empty', () => new Stage(), anonymous, 'NONE'],
    ['Empty, a generation given', () => new Stage(), { memberId: 'a', generationId: 1 }, 'UNKNOWN_MEMBER_ID'],
    ['Stable', () => Stage.stable(['a']), { memberId: 'a' }, 'NONE'],
    ['Stable, from outside', () => Stage.stable(['a']), anonymous, 'UNKNOWN_MEMBER_ID'],
    ['Stable, unknown member', () => Stage.stable(['a']), { memberId: 'x' }, 'UNKNOWN_MEMBER_ID'],
    [
      'Stable, a member without generation',
      () => Stage.stable(['a']),
      { memberId: 'a', generationId: -1 },
      'ILLEGAL_GENERATION'
    ],
    ['Stable, older generation', () => Stage.stable(['a']), { memberId: 'a', generationId: 0 }, 'ILLEGAL_GENERATION'],
    ['CompletingRebalance', completing, { memberId: 'a' }, 'REBALANCE_IN_PROGRESS']
  ] as const)('%s', (_, make, { memberId, ...claim }, errorCode) => {
    expect(make().commit(memberId, claim)).toBe(errorCode)
  })

  it('a member may still commit while it is asked to join again, and that keeps its session alive', () => {
    const stage = Stage.stable(['a', 'b'])
    stage.join({ memberId: 'a' })
    stage.pass(SESSION_MS - 1)
    expect(stage.commit('b')).toBe('NONE')
    stage.pass(SESSION_MS - 1)
    expect(stage.group.members.has('b')).toBe(true)
  })
})

describe('a group that is loaded', () => {
  it('is Stable, with fresh sessions, and its members go on where they were', () => {
    const before = Stage.stable(['a', 'b'])
    const stage = new Stage({}, restoreGroup('g', groupMetadataOf(before.group)))
    stage.operation(resume)
    expect(stage.group).toMatchObject({ state: 'Stable', generationId: before.group.generationId, leader: 'a' })
    expect(stage.group.subscribedTopics).toEqual(new Set(['foo']))
    stage.pass(SESSION_MS - 1)
    expect(stage.heartbeat('a')).toBe('NONE')
    expect(text(stage.synced(stage.sync('a'))?.assignment)).toBe('for a')
    stage.pass(1)
    expect([...stage.group.members.keys()]).toEqual(['a'])
  })

  it('of older brokers has no rebalance timeout and no time', () => {
    const value = groupMetadataOf(Stage.stable(['a']).group)
    const [member] = value.members
    const old = { ...value, currentStateTimestamp: -1n, members: member ? [{ ...member, rebalanceTimeout: -1 }] : [] }
    const group = restoreGroup('g', old)
    expect(group.stateTimestamp).toBeNull()
    expect(group.members.get('a')?.rebalanceTimeoutMs).toBe(SESSION_MS)
  })
})

describe('a coordinator that stops', () => {
  it('sends those who wait to look for another', () => {
    const stage = Stage.stable(['a', 'b'])
    const joining = stage.join({ memberId: 'a' })
    stage.unload()
    expect(stage.joined(joining)).toMatchObject({ errorCode: 'NOT_COORDINATOR', memberId: 'a' })
    expect(stage.group.state).toBe('Dead')
    const syncing = completing()
    const waiting = syncing.sync('b')
    syncing.unload()
    expect(syncing.synced(waiting)).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
  })
})
