import { describe, expect, it } from 'vitest'
import { groupMetadataOf, restoreGroup } from '../../../src/group/classic/record.ts'
import { REBALANCE_MS, SESSION_MS } from '../group-settings.ts'
import { ClassicGroupDriver } from './classic-group-driver.ts'

const text = (assignment: Buffer | undefined) => assignment?.toString()

/** A group of two members that have joined the new generation and have not sent SyncGroup. */
function completing(): ClassicGroupDriver {
  const driver = ClassicGroupDriver.stable(['a', 'b'])
  driver.join({ memberId: 'a' })
  driver.join({ memberId: 'b' })
  return driver
}

describe('SyncGroup', () => {
  it('a SyncGroup of a follower is delayed until the SyncGroup of the leader', () => {
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

  it('a follower that syncs after the leader gets its assignment, which is empty if the leader assigned nothing', () => {
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
  ] as const)('SyncGroup of %s is refused', (_, memberId, request, errorCode) => {
    const driver = completing()
    expect(driver.synced(driver.sync(memberId, request))).toMatchObject({ errorCode })
  })

  it('SyncGroup during PreparingRebalance gets REBALANCE_IN_PROGRESS', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.join({ memberId: 'a' })
    expect(driver.synced(driver.sync('b'))).toMatchObject({ errorCode: 'REBALANCE_IN_PROGRESS' })
  })

  it('members that do not send SyncGroup are removed, and the other members rejoin', () => {
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

  it('a repeated SyncGroup completes the delayed SyncGroup with REBALANCE_IN_PROGRESS', () => {
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
  ] as const)("Heartbeat of %s gets Kafka's error code", (_, memberId, claim, errorCode) => {
    expect(ClassicGroupDriver.stable(['a']).heartbeat(memberId, claim)).toBe(errorCode)
  })

  it('a member without heartbeats is removed, and a rebalance starts', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.pass(SESSION_MS - 1)
    expect(driver.heartbeat('b')).toBe('NONE')
    driver.pass(1)
    expect([...driver.group.members.keys()]).toEqual(['b'])
    expect(driver.group.state).toBe('PreparingRebalance')
    expect(driver.joined(driver.join({ memberId: 'b' }))).toMatchObject({ leader: 'b', errorCode: 'NONE' })
  })

  it('a group whose last member is removed becomes empty and writes its record', () => {
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

  it('a member with a delayed JoinGroup has no session timeout', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.join({ memberId: 'a' })
    for (let waited = 0; waited < SESSION_MS * 2; waited += 1_000) {
      driver.heartbeat('b')
      driver.pass(1_000)
    }
    expect([...driver.group.members.keys()]).toEqual(['a', 'b'])
  })
})

describe('sessions of a loaded group', () => {
  it('the sessions of a loaded group start when loading has finished', () => {
    const record = ClassicGroupDriver.stable(['a']).records.at(-1)
    if (!record) throw new Error('a stable group has a record')
    const driver = new ClassicGroupDriver({}, restoreGroup('g', record))
    driver.now += SESSION_MS
    driver.load()
    expect(driver.timers.deadlineOf({ subject: 'g', member: 'a', kind: 'session' })).toBe(driver.now + SESSION_MS)
  })
})

describe('LeaveGroup', () => {
  it('the event of a rebalance has the reasons of leaving members (KIP-800)', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b', 'c'])
    const left = [
      { memberId: 'a', groupInstanceId: null, reason: 'enough' },
      { memberId: 'b', groupInstanceId: null }
    ]
    driver.leave(...left)
    const members = [
      { memberId: 'a', groupInstanceId: null, clientReason: 'enough' },
      { memberId: 'b', groupInstanceId: null, clientReason: null }
    ]
    expect(driver.events.at(-1)).toMatchObject({ reason: { cause: 'MembersLeft', members } })
  })

  it('LeaveGroup has a result for each member', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b', 'c'])
    expect(driver.leave('a', 'x', 'b')).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'NONE'])
    expect([...driver.group.members.keys()]).toEqual(['c'])
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('LeaveGroup of an unknown member starts no rebalance', () => {
    const driver = ClassicGroupDriver.stable(['a'])
    expect(driver.leave('x')).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(driver.group.state).toBe('Stable')
  })

  it('LeaveGroup removes a pending member id', () => {
    const driver = new ClassicGroupDriver()
    driver.join({ newMemberId: 'a' })
    expect(driver.leave('a')).toEqual(['NONE'])
    expect(driver.group.pendingJoin.size).toBe(0)
  })

  it('LeaveGroup completes the delayed JoinGroup of the member with UNKNOWN_MEMBER_ID', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    const joining = driver.join({ memberId: 'a' })
    driver.leave('a')
    expect(driver.joined(joining)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID', memberId: '' })
  })

  it('the next member becomes the leader when the leader leaves', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.leave('a')
    expect(driver.group.leader).toBe('b')
  })
})

describe('offset commits', () => {
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
  ] as const)("a commit to a group (%s) gets Kafka's error code", (_, make, { memberId, ...claim }, errorCode) => {
    expect(make().commit(memberId, claim)).toBe(errorCode)
  })

  it('a member may commit during PreparingRebalance, and the commit renews its session', () => {
    const driver = ClassicGroupDriver.stable(['a', 'b'])
    driver.join({ memberId: 'a' })
    driver.pass(SESSION_MS - 1)
    expect(driver.commit('b')).toBe('NONE')
    driver.pass(SESSION_MS - 1)
    expect(driver.group.members.has('b')).toBe(true)
  })
})

describe('loading of a group', () => {
  it('a loaded group is Stable with new sessions, and its members keep generation and assignment', () => {
    const before = ClassicGroupDriver.stable(['a', 'b'])
    const driver = new ClassicGroupDriver({}, restoreGroup('g', groupMetadataOf(before.group)))
    driver.load()
    expect(driver.group).toMatchObject({ state: 'Stable', generationId: before.group.generationId, leader: 'a' })
    expect(driver.group.subscribedTopics).toEqual(new Set(['foo']))
    driver.pass(SESSION_MS - 1)
    expect(driver.heartbeat('a')).toBe('NONE')
    expect(text(driver.synced(driver.sync('a'))?.assignment)).toBe('for a')
    driver.pass(1)
    expect([...driver.group.members.keys()]).toEqual(['a'])
  })

  it('a loaded group of an old broker has the session timeout as rebalance timeout and no state timestamp', () => {
    const value = groupMetadataOf(ClassicGroupDriver.stable(['a']).group)
    const [member] = value.members
    const old = { ...value, currentStateTimestamp: -1n, members: member ? [{ ...member, rebalanceTimeout: -1 }] : [] }
    const group = restoreGroup('g', old)
    expect(group.stateTimestamp).toBeNull()
    expect(group.members.get('a')?.rebalanceTimeoutMs).toBe(SESSION_MS)
  })
})

describe('unloading of a group', () => {
  it('a coordinator that stops completes delayed requests with NOT_COORDINATOR', () => {
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
