import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_PROTOCOLS } from '../../src/group/classic/protocols.ts'
import type { JoinGroupRequest } from '../../src/group/classic-groups.ts'
import { GroupCoordinator, type GroupSettings } from '../../src/group/coordinator.ts'
import { decodeRecord } from '../../src/group/records.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { nextTurn } from '../../src/runtime/clock.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { MemoryJournal } from '../coordination/memory-journal.ts'
import { REBALANCE_MS, SESSION_MS, subscription } from './classic/stage.ts'
import { ClusterTopics } from './consumer/cluster-topics.ts'
import { CONSUMER_SETTINGS } from './consumer/settings.ts'

const SETTINGS: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 0,
  maxSize: 100,
  offsetMetadataMaxBytes: 4096,
  offsetsRetentionMs: 7 * 86_400_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  consumer: CONSUMER_SETTINGS
}

const FOO = { name: 'foo', topicId: 'AAECAwQFBgcICQoLDA0ODw' }

/** Who asks for offsets without being a member. */
const OF_ANYBODY = { memberId: null, memberEpoch: -1 }

let clock: ManualClock
let journal: MemoryJournal
let partitionCount: number
let groups: GroupCoordinator
/** What the broker was told that must not happen. */
const failures: unknown[] = []

function started(settings: Partial<GroupSettings> = {}): GroupCoordinator {
  const coordinator = new GroupCoordinator({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    settings: { ...SETTINGS, ...settings },
    configOf: () => new Map(),
    topics: new ClusterTopics(FOO),
    failed: error => failures.push(error),
    topic: {
      topic: '__consumer_offsets',
      logger: silentLogger,
      partitionCount: () => partitionCount,
      journal: () => journal
    }
  })
  // On a clock that stands still it does not let others go first.
  void coordinator.start()
  return coordinator
}

beforeEach(() => {
  clock = new ManualClock()
  journal = new MemoryJournal()
  partitionCount = 1
  groups = started()
})

afterEach(() => expect(failures).toEqual([]))

function joinRequest(changes: Partial<JoinGroupRequest> = {}): JoinGroupRequest {
  return {
    groupId: 'g',
    apiVersion: 9,
    memberId: '',
    groupInstanceId: null,
    clientId: 'me',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: REBALANCE_MS,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('foo') }],
    reason: null,
    ...changes
  }
}

const claim = (memberId: string, generationId: number) => ({
  groupId: 'g',
  memberId,
  groupInstanceId: null,
  generationId
})

function syncRequest(memberId: string, generationId: number, ...assigned: string[]) {
  const assignments = assigned.map(id => ({ memberId: id, assignment: Buffer.from(`for ${id}`) }))
  return { ...claim(memberId, generationId), protocolType: 'consumer', protocolName: 'range', assignments }
}

/** One member in a stable group; gives its id. */
async function stableMember(): Promise<string> {
  const { memberId } = await groups.classic.joinGroup(joinRequest())
  const { generationId } = await groups.classic.joinGroup(joinRequest({ memberId }))
  await groups.classic.syncGroup(syncRequest(memberId, generationId, memberId))
  return memberId
}

function commitRequest(memberId: string, generationId: number, committedOffset: bigint) {
  const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: 0, committedMetadata: '' }
  const topics = [{ ...FOO, partitions: [partition] }]
  return { ...claim(memberId, generationId), apiVersion: 10, retentionTimeMs: -1n, topics }
}

const resultOf = async (commit: ReturnType<typeof groups.offsets.commit>) => (await commit)[0]?.partitions[0]?.errorCode

async function committedOffset(groupId = 'g') {
  const { topics } = await groups.offsets.fetch({ ...OF_ANYBODY, groupId, topics: [{ ...FOO, partitionIndexes: [0] }] })
  return topics[0]?.partitions[0]?.committedOffset
}

const recordTypes = () => journal.batches.flat().map(record => decodeRecord(record).type)

describe('the group coordinator', () => {
  it('takes two members through a rebalance to their assignments', async () => {
    const a = await stableMember()
    const { memberId: b, errorCode } = await groups.classic.joinGroup(joinRequest())
    expect(errorCode).toBe('MEMBER_ID_REQUIRED')
    expect(b).toMatch(/^me-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const joining = groups.classic.joinGroup(joinRequest({ memberId: b }))
    expect(await groups.classic.heartbeat(claim(a, 1))).toBe('REBALANCE_IN_PROGRESS')
    expect(await groups.classic.joinGroup(joinRequest({ memberId: a }))).toMatchObject({ generationId: 2, leader: a })
    expect(await joining).toMatchObject({ generationId: 2, leader: a, members: [] })
    const follower = groups.classic.syncGroup(syncRequest(b, 2))
    const leader = await groups.classic.syncGroup(syncRequest(a, 2, a, b))
    expect(leader.assignment.toString()).toBe(`for ${a}`)
    expect((await follower).assignment.toString()).toBe(`for ${b}`)
    expect(await groups.classic.heartbeat(claim(b, 2))).toBe('NONE')
  })

  it('keeps copies of what it was sent, not views on it', async () => {
    const metadata = subscription('foo')
    const { memberId } = await groups.classic.joinGroup(joinRequest({ protocols: [{ name: 'range', metadata }] }))
    const joined = groups.classic.joinGroup(joinRequest({ memberId, protocols: [{ name: 'range', metadata }] }))
    metadata.fill(0)
    expect((await joined).members[0]?.metadata).toEqual(subscription('foo'))
    const sync = syncRequest(memberId, 1, memberId)
    const synced = groups.classic.syncGroup(sync)
    for (const { assignment } of sync.assignments) assignment.fill(0)
    expect((await synced).assignment.toString()).toBe(`for ${memberId}`)
  })

  it('copies no group for a heartbeat or a commit', async () => {
    const memberId = await stableMember()
    const groupAndMembers = () =>
      [...groups.groups()].flatMap(group => [group, group.members, ...group.members.values()])
    const before = groupAndMembers()
    expect(await groups.classic.heartbeat(claim(memberId, 1))).toBe('NONE')
    expect(await resultOf(groups.offsets.commit(commitRequest(memberId, 1, 42n)))).toBe('NONE')
    const after = groupAndMembers()
    expect(after).toHaveLength(3)
    after.forEach((part, index) => {
      expect(part).toBe(before[index])
    })
  })

  it('a member that asks for too many protocols stays what it was', async () => {
    const memberId = await stableMember()
    const protocolsOfMember = () => {
      const [group] = groups.groups()
      return group?.type === 'classic' ? group.members.get(memberId)?.protocols : undefined
    }
    const kept = protocolsOfMember()
    const tooMany = Array.from({ length: MAX_PROTOCOLS + 1 }, () => ({ name: 'range', metadata: subscription('foo') }))
    const refused = await groups.classic.joinGroup(joinRequest({ memberId, protocols: tooMany }))
    expect(refused.errorCode).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(protocolsOfMember()).toEqual(kept)
  })

  it('lets a session end on its alarm, and an alarm that went off for nothing is set anew', async () => {
    const memberId = await stableMember()
    for (let beat = 0; beat < 5; beat++) {
      clock.advance(SESSION_MS - 1)
      expect(await groups.classic.heartbeat(claim(memberId, 1))).toBe('NONE')
    }
    clock.advance(SESSION_MS)
    expect(await groups.classic.heartbeat(claim(memberId, 1))).toBe('UNKNOWN_MEMBER_ID')
    expect([...groups.groups()]).toMatchObject([{ state: 'Empty', generationId: 2 }])
  })

  it('finds groups and offsets again after a restart', async () => {
    const memberId = await stableMember()
    expect(await resultOf(groups.offsets.commit(commitRequest(memberId, 1, 42n)))).toBe('NONE')
    groups.stop()
    clock.advance(3_600_000)
    groups = started()
    expect(await groups.classic.heartbeat(claim(memberId, 1))).toBe('NONE')
    expect((await groups.classic.syncGroup(syncRequest(memberId, 1))).assignment.toString()).toBe(`for ${memberId}`)
    expect(await committedOffset()).toBe(42n)
    clock.advance(SESSION_MS)
    expect(await groups.classic.heartbeat(claim(memberId, 1))).toBe('UNKNOWN_MEMBER_ID')
  })

  it('a loaded group that is larger than the settings now allow is rebalanced', async () => {
    await stableMember()
    groups = started({ maxSize: 0 })
    expect([...groups.groups()]).toMatchObject([{ state: 'PreparingRebalance' }])
  })

  it('a member leaves', async () => {
    const memberId = await stableMember()
    const leaving = [
      { memberId, groupInstanceId: null },
      { memberId: 'x', groupInstanceId: null }
    ]
    expect(await groups.classic.leaveGroup('g', leaving)).toEqual({
      errorCode: 'NONE',
      members: [
        { memberId, groupInstanceId: null, errorCode: 'NONE' },
        { memberId: 'x', groupInstanceId: null, errorCode: 'UNKNOWN_MEMBER_ID' }
      ]
    })
    expect(await groups.classic.leaveGroup('nobody', leaving)).toMatchObject({
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
    const request = joinRequest(changes)
    expect(await groups.classic.joinGroup(request)).toMatchObject({ errorCode, memberId: request.memberId })
    expect([...groups.groups()]).toEqual([])
  })

  it('a group exists from its first JoinGroup on, even if that is refused', async () => {
    expect(await groups.classic.joinGroup(joinRequest({ protocols: [] }))).toMatchObject({
      errorCode: 'INCONSISTENT_GROUP_PROTOCOL'
    })
    expect([...groups.groups()]).toMatchObject([{ groupId: 'g', state: 'Empty', generationId: 0 }])
    expect(recordTypes()).toEqual(['GroupMetadata'])
  })

  it('requests for groups that do not exist', async () => {
    expect(await groups.classic.heartbeat(claim('a', 1))).toBe('UNKNOWN_MEMBER_ID')
    expect(await groups.classic.syncGroup(syncRequest('a', 1))).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    expect(await groups.offsets.fetch({ ...OF_ANYBODY, groupId: 'g', topics: null })).toEqual({
      errorCode: 'NONE',
      topics: []
    })
    expect(await resultOf(groups.offsets.commit(commitRequest('a', 1, 1n)))).toBe('GROUP_ID_NOT_FOUND')
    expect(await resultOf(groups.offsets.commit({ ...commitRequest('a', 1, 1n), apiVersion: 8 }))).toBe(
      'ILLEGAL_GENERATION'
    )
    expect(await groups.classic.heartbeat({ ...claim('a', 1), groupId: '' })).toBe('INVALID_GROUP_ID')
    expect(await groups.classic.leaveGroup('', [])).toEqual({ errorCode: 'INVALID_GROUP_ID', members: [] })
  })

  it('sends clients away while there is no __consumer_offsets', async () => {
    partitionCount = 0
    expect(await groups.classic.joinGroup(joinRequest())).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(await groups.offsets.fetch({ ...OF_ANYBODY, groupId: 'g', topics: null })).toEqual({
      errorCode: 'NOT_COORDINATOR',
      topics: []
    })
  })

  it('a partition that cannot be understood is not served', async () => {
    journal.batches.push([{ key: Buffer.from('0002000167', 'hex'), value: Buffer.from('00630000', 'hex') }])
    groups = started()
    expect(await groups.classic.joinGroup(joinRequest())).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
  })

  it('records of other kinds of groups are skipped', async () => {
    journal.batches.push([{ key: Buffer.from('000b000167', 'hex'), value: Buffer.from('00000000', 'hex') }])
    groups = started()
    expect(await groups.classic.joinGroup(joinRequest())).toMatchObject({ errorCode: 'MEMBER_ID_REQUIRED' })
  })
})

describe('commits', () => {
  it('from outside make a simple group', async () => {
    expect(await resultOf(groups.offsets.commit(commitRequest('', -1, 5n)))).toBe('NONE')
    expect([...groups.groups()]).toMatchObject([{ groupId: 'g', state: 'Empty', protocolType: null }])
    expect(await committedOffset()).toBe(5n)
    expect(recordTypes()).toEqual(['OffsetCommit'])
  })

  it('the group without a name may commit and fetch', async () => {
    expect(await resultOf(groups.offsets.commit({ ...commitRequest('', -1, 5n), groupId: '' }))).toBe('NONE')
    expect(await committedOffset('')).toBe(5n)
  })

  it('of an older generation are refused, and change nothing', async () => {
    const memberId = await stableMember()
    expect(await resultOf(groups.offsets.commit(commitRequest(memberId, 0, 5n)))).toBe('ILLEGAL_GENERATION')
    expect(await committedOffset()).toBe(-1n)
  })

  it('expire at a check, and the group with them', async () => {
    await groups.offsets.commit(commitRequest('', -1, 5n))
    clock.advance(SETTINGS.offsetsRetentionMs - 1)
    expect(await committedOffset()).toBe(5n)
    clock.advance(SETTINGS.offsetsRetentionCheckIntervalMs)
    expect(await committedOffset()).toBe(-1n)
    expect([...groups.groups()]).toEqual([])
    groups = started()
    expect(await committedOffset()).toBe(-1n)
    expect([...groups.groups()]).toEqual([])
  })

  it('go with their topic', async () => {
    await groups.offsets.commit(commitRequest('', -1, 5n))
    groups.topicDeleted(FOO)
    expect(await committedOffset()).toBe(-1n)
  })
})

describe('a journal that cannot be written', () => {
  const full = new KafkaError('KAFKA_STORAGE_ERROR', 'no space left')

  it('fails an assignment for all who wait for it, and they join again', async () => {
    const old = { apiVersion: 3 }
    const { memberId: leader } = await groups.classic.joinGroup(joinRequest(old))
    const second = groups.classic.joinGroup(joinRequest(old))
    const again = await groups.classic.joinGroup(joinRequest({ ...old, memberId: leader }))
    const { memberId: follower } = await second
    const waiting = groups.classic.syncGroup(syncRequest(follower, 2))
    journal.failure = full
    expect(await groups.classic.syncGroup(syncRequest(leader, 2, leader, follower))).toMatchObject({
      errorCode: 'NOT_COORDINATOR'
    })
    journal.failure = undefined
    expect(await waiting).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(await groups.classic.heartbeat(claim(follower, again.generationId))).toBe('REBALANCE_IN_PROGRESS')
    expect([...groups.groups()]).toMatchObject([{ state: 'PreparingRebalance', generationId: 2 }])
  })

  it.each([
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE'],
    ['MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR']
  ] as const)('%s is told as %s', async (thrown, told) => {
    journal.failure = new KafkaError(thrown, 'why')
    expect(await groups.classic.joinGroup(joinRequest())).toMatchObject({ errorCode: told })
    expect(await resultOf(groups.offsets.commit(commitRequest('', -1, 5n)))).toBe(told)
    expect([...groups.groups()]).toEqual([])
    expect(await committedOffset()).toBe(-1n)
  })

  it('a session that ends meanwhile ends a little later', async () => {
    await stableMember()
    journal.failure = full
    clock.advance(SESSION_MS)
    expect([...groups.groups()]).toMatchObject([{ state: 'Stable' }])
    journal.failure = undefined
    clock.advance(1_000)
    expect([...groups.groups()]).toMatchObject([{ state: 'Empty' }])
  })

  it('keeps one group from losing offsets that are due, not the others', async () => {
    await groups.offsets.commit(commitRequest('', -1, 5n))
    await groups.offsets.commit({ ...commitRequest('', -1, 6n), groupId: 'other' })
    journal.failure = full
    journal.attempted = () => {
      journal.failure = undefined
    }
    groups.topicDeleted(FOO)
    expect([await committedOffset('g'), await committedOffset('other')]).toEqual([5n, -1n])
  })

  it('bugs of ours are not taken for errors of the disk', async () => {
    const memberId = await stableMember()
    await groups.offsets.commit(commitRequest(memberId, 1, 5n))
    journal.failure = new Error('a bug')
    await expect(groups.classic.joinGroup(joinRequest({ groupId: 'new' }))).rejects.toThrow('a bug')
    clock.advance(SESSION_MS)
    await nextTurn()
    expect(failures.splice(0)).toEqual([journal.failure])
    expect(() => groups.topicDeleted(FOO)).toThrow('a bug')
  })
})

describe('answers', () => {
  it('wait until what they rest on is on the disk, where the journal says so', async () => {
    const sync = deferred<void>()
    journal.syncing = sync.promise
    let answered = false
    const commit = groups.offsets.commit(commitRequest('', -1, 5n)).then(() => {
      answered = true
    })
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    expect(answered).toBe(false)
    sync.resolve()
    await commit
    expect(answered).toBe(true)
  })
})

describe('a coordinator that stops', () => {
  it('answers those who wait, refuses those who come, and leaves no alarm behind', async () => {
    const memberId = await stableMember()
    const { memberId: second } = await groups.classic.joinGroup(joinRequest())
    const joining = groups.classic.joinGroup(joinRequest({ memberId: second }))
    groups.stop()
    expect(await joining).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(await groups.classic.heartbeat(claim(memberId, 1))).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await groups.classic.joinGroup(joinRequest({ groupId: '' }))).toMatchObject({
      errorCode: 'COORDINATOR_NOT_AVAILABLE'
    })
    expect(clock.pendingAlarms).toBe(0)
  })
})
