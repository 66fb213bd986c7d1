import { describe, expect, it } from 'vitest'
import { leave, resume } from '../../../src/group/classic/membership.ts'
import { groupMetadataOf, restoreGroup } from '../../../src/group/classic/record.ts'
import { REBALANCE_MS, SESSION_MS } from '../group-settings.ts'
import { ClassicGroupDriver } from './classic-group-driver.ts'

const text = (assignment: Buffer | undefined) => assignment?.toString()

/** Two members that both know the new generation and have not synced yet. */
function completing(): ClassicGroupDriver {
  const driver = ClassicGroupDriver.stable(['a', 'b'])
  driver.join({ memberId: 'a' })
  driver.join({ memberId: 'b' })
  return driver
}

describe('SyncGroup', () => {
  it('a follower that comes before the leader waits for it', () => {
    const driver = completing()
    const follower = driver.sync('b')
    expect(driver.synced(follower)).toBeUndefined()
    const assignments = [
      { memberId: 'a', assignment: Buffer.from('one') },
      { memberId: 'b', assignment: Buffer.from('two') }
    ]
    const leader = driver.sync('a', { assignments })
    expect(text(driver.synced(leader)?.assignment)).toBe('one')
    expect(driver.synced(follower)).toEqual({
      errorCode: 'NONE',
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.from('two')
    })
    expect(driver.group.state).toBe('Stable')
    expect(driver.records.at(-1)).toMatchObject({ generation: 3, leader: 'a', protocol: 'range' })
  })

  it('a follower that comes later gets what is assigned, and nothing when the leader forgot it', () => {
    const driver = completing()
    driver.sync('a', { assignments: [{ memberId: 'a', assignment: Buffer.from('all') }] })
    const late = driver.sync('b')
    expect(driver.synced(late)).toMatchObject({ errorCode: 'NONE', assignment: Buffer.alloc(0) })
    expect(text(driver.synced(driver.sync('a'))?.assignment)).toBe('all')
  })

  it.each([
    ['an unknown member', 'x', {}, 'UNKNOWN_MEMBER_ID'],
    ['another generation', 'b', { generationId: 2 }, 'ILLEGAL_GENERATION'],
    ['another protocol type', 'b', { protocolType: 'connect' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['another protocol', 'b', { protocolName: 'sticky' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['a member that claims to be static', 'b', { groupInstanceId: 'i' }, 'UNKNOWN_MEMBER_ID']
  ] as const)('%s is refused', (_, memberId, request, errorCode) => {
    const driver = completing()
    expect(driver.synced(driver.sync(memberId, request))).toMatchObject({ errorCode })
  })

  it('a group that prepares a rebalance wants to be joined first', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.join({ memberId: 'a' })
    expect(driver.synced(driver.sync('b'))).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
  })

  it('members that never sync are removed, and the others join again', () => {
    const driver = completing()
    const follower = driver.sync('b')
    for (let waited = 0; waited < REBALANCE_MS; waited += 1_000) {
      driver.heartbeat('a')
      driver.pass(1_000)
    }
    expect(driver.synced(follower)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
    expect([...driver.group.members.keys()]).toEqual(['b'])
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('a repeated request answers the one that was delayed', () => {
    const driver = completing()
    const lost = driver.sync('b')
    driver.sync('b')
    expect(driver.synced(lost)).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
  })
})

describe('Heartbeat', () => {
  it.each([
    ['a member of the generation', 'a', {}, 'NONE'],
    ['an unknown member', 'x', {}, 'UNKNOWN_MEMBER_ID'],
    ['an older generation', 'a', { generationId: 0 }, 'ILLEGAL_GENERATION'],
    ['an unknown instance', 'a', { groupInstanceId: 'i' }, 'UNKNOWN_MEMBER_ID']
  ] as const)('%s', (_, memberId, claim, errorCode) => {
    expect(ClassicGroupDriver.stable(['a']).heartbeat(memberId, claim)).toBe(errorCode)
  })

  it('keeps a session alive; without, the member is removed and the others rebalance', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.pass(SESSION_MS - 1)
    expect(driver.heartbeat('b')).toBe('NONE')
    driver.pass(1)
    expect([...driver.group.members.keys()]).toEqual(['b'])
    expect(driver.group.state).toBe('PreparingRebalance')
    expect(driver.joined(driver.join({ memberId: 'b' }))).toMatchObject({ leader: 'b', errorCode: 'NONE' })
  })

  it('the last member that goes leaves an empty group, and a record of it', () => {
    const driver = ClassicGroupDriver.stable(['a'])
    driver.pass(SESSION_MS)
    expect(driver.group).toMatchObject({ state: 'Empty', generationId: 2, leader: null, protocolName: null })
    expect(driver.records.at(-1)).toMatchObject({
      protocolType: 'consumer',
      generation: 2,
      protocol: null,
      members: []
    })
  })

  it('a member that waits for us is not taken for gone', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.join({ memberId: 'a' })
    for (let waited = 0; waited < SESSION_MS * 2; waited += 1_000) {
      driver.heartbeat('b')
      driver.pass(1_000)
    }
    expect([...driver.group.members.keys()]).toEqual(['a', 'b'])
  })
})

describe('a group that was loaded', () => {
  it('begins the sessions of its members when all has been read', () => {
    const record = ClassicGroupDriver.stable(['a']).records.at(-1)
    if (!record) throw new Error('a stable group has a record')
    const driver = new ClassicGroupDriver({}, restoreGroup('g', record))
    driver.now += SESSION_MS
    driver.operation(resume)
    expect(driver.group.members.get('a')?.sessionDeadline).toBe(driver.now + SESSION_MS)
  })
})

describe('LeaveGroup', () => {
  it('tells operators who left, and why (KIP-800)', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b', 'c'])
    const left = [
      { memberId: 'a', groupInstanceId: null, reason: 'enough' },
      { memberId: 'b', groupInstanceId: null }
    ]
    expect(
      driver.operation(operation => {
        leave(operation, left)
        return operation.reason
      })
    ).toBe('a left: enough, b left')
  })

  it('each member has a result of its own', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b', 'c'])
    expect(driver.leave('a', 'x', 'b')).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'NONE'])
    expect([...driver.group.members.keys()]).toEqual(['c'])
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('nothing happens when nobody left', () => {
    const driver = ClassicGroupDriver.stable(['a'])
    expect(driver.leave('x')).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(driver.group.state).toBe('Stable')
  })

  it('an id that was only handed out is given back', () => {
    const driver = new ClassicGroupDriver()
    driver.join({ newMemberId: 'a' })
    expect(driver.leave('a')).toEqual(['NONE'])
    expect(driver.group.pendingJoin.size).toBe(0)
  })

  it('a member whose join is delayed is told', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    const joining = driver.join({ memberId: 'a' })
    driver.leave('a')
    expect(driver.joined(joining)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID', memberId: '' })
  })

  it('the leader that leaves hands over to the next', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.leave('a')
    expect(driver.group.leader).toBe('b')
  })
})

describe('commits', () => {
  const anonymous = { memberId: '', generationId: -1 }

  it.each([
    ['Empty', () => new ClassicGroupDriver(), anonymous, 'NONE'],
    [
      'Empty, a generation given',
      () => new ClassicGroupDriver(),
      { memberId: 'a', generationId: 1 },
      'UNKNOWN_MEMBER_ID'
    ],
    ['Stable', () => ClassicGroupDriver.stable(['a']), { memberId: 'a' }, 'NONE'],
    ['Stable, from outside', () => ClassicGroupDriver.stable(['a']), anonymous, 'UNKNOWN_MEMBER_ID'],
    ['Stable, unknown member', () => ClassicGroupDriver.stable(['a']), { memberId: 'x' }, 'UNKNOWN_MEMBER_ID'],
    [
      'Stable, a member without generation',
      () => ClassicGroupDriver.stable(['a']),
      { memberId: 'a', generationId: -1 },
      'ILLEGAL_GENERATION'
    ],
    [
      'Stable, older generation',
      () => ClassicGroupDriver.stable(['a']),
      { memberId: 'a', generationId: 0 },
      'ILLEGAL_GENERATION'
    ],
    ['CompletingRebalance', completing, { memberId: 'a' }, 'REBALANCE_IN_PROGRESS']
  ] as const)('%s', (_, make, { memberId, ...claim }, errorCode) => {
    expect(make().commit(memberId, claim)).toBe(errorCode)
  })

  it('a member may still commit while it is asked to join again, and that keeps its session alive', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.join({ memberId: 'a' })
    driver.pass(SESSION_MS - 1)
    expect(driver.commit('b')).toBe('NONE')
    driver.pass(SESSION_MS - 1)
    expect(driver.group.members.has('b')).toBe(true)
  })
})

describe('a group that is loaded', () => {
  it('is Stable, with fresh sessions, and its members go on where they were', () => {
    const before = ClassicGroupDriver.stable(['a', 'b'])
    const driver = new ClassicGroupDriver({}, restoreGroup('g', groupMetadataOf(before.group)))
    driver.operation(resume)
    expect(driver.group).toMatchObject({ state: 'Stable', generationId: before.group.generationId, leader: 'a' })
    expect(driver.group.subscribedTopics).toEqual(new Set(['foo']))
    driver.pass(SESSION_MS - 1)
    expect(driver.heartbeat('a')).toBe('NONE')
    expect(text(driver.synced(driver.sync('a'))?.assignment)).toBe('for a')
    driver.pass(1)
    expect([...driver.group.members.keys()]).toEqual(['a'])
  })

  it('of older brokers has no rebalance timeout and no time', () => {
    const value = groupMetadataOf(ClassicGroupDriver.stable(['a']).group)
    const [member] = value.members
    const old = { ...value, currentStateTimestamp: -1n, members: member ? [{ ...member, rebalanceTimeout: -1 }] : [] }
    const group = restoreGroup('g', old)
    expect(group.stateTimestamp).toBeNull()
    expect(group.members.get('a')?.rebalanceTimeoutMs).toBe(SESSION_MS)
  })
})

describe('a coordinator that stops', () => {
  it('sends those who wait to look for another', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    const joining = driver.join({ memberId: 'a' })
    driver.unload()
    expect(driver.joined(joining)).toMatchObject({ errorCode: 'NOT_COORDINATOR', memberId: 'a' })
    expect(driver.group.state).toBe('Dead')
    const syncing = completing()
    const waiting = syncing.sync('b')
    syncing.unload()
    expect(syncing.synced(waiting)).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
  })
})
