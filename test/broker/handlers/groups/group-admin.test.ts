import { describe, expect, it } from 'vitest'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { Harness } from '../../../../src/testing/harness.ts'
import { subscriptionOf } from '../../../group/embedded.ts'

const versionsOf = ({ versions: [first, last] }: { readonly versions: readonly [number, number] }) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

const NOT_ASKED_FOR = -2_147_483_648
/** Read, delete, describe, describe and alter configs. */
const ALL_OPERATIONS = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11)

/** A broker with the topic `t`, and a group `simple` with committed offsets of its first two partitions. */
async function started(): Promise<Harness> {
  const harness = await Harness.start()
  await harness.createTopic('t', 3)
  await harness.request('FindCoordinator', { coordinatorKeys: ['simple'] })
  await commit(harness, 'simple', 0, 1)
  return harness
}

async function commit(harness: Harness, groupId: string, ...indexes: number[]): Promise<void> {
  const partitions = indexes.map(partitionIndex => ({ partitionIndex, committedOffset: 7n, committedMetadata: null }))
  await harness.request('OffsetCommit', { groupId, topics: [{ name: 't', partitions }] }, { version: 9 })
}

/** A stable group with one member that subscribes to `t`. */
async function stable(harness: Harness, groupId = 'live', metadata = subscriptionOf(['t'])) {
  const request = {
    ...{ groupId, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, memberId: '', protocolType: 'consumer' },
    ...{ groupInstanceId: 'i', protocols: [{ name: 'range', metadata }] }
  }
  const { memberId, generationId } = await harness.request('JoinGroup', request)
  const claim = { groupId, memberId, generationId, groupInstanceId: 'i' }
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  const assignments = [{ memberId, assignment: Buffer.from('all') }]
  await harness.request('SyncGroup', { ...claim, ...protocol, assignments })
  return claim
}

describe('DescribeGroups', () => {
  it.each(versionsOf(APIS.DescribeGroups))('returns members at version %i', async version => {
    await using harness = await started()
    const { memberId } = await stable(harness)
    const { groups } = await harness.request('DescribeGroups', { groups: ['live'] }, { version })
    const member = {
      ...{ memberId, groupInstanceId: version < 4 ? null : 'i', clientId: 'test', clientHost: '/127.0.0.1' },
      ...{ memberMetadata: subscriptionOf(['t']), memberAssignment: Buffer.from('all') }
    }
    expect(groups).toEqual([
      {
        ...{ groupId: 'live', errorCode: 'NONE', errorMessage: null, groupState: 'Stable', members: [member] },
        ...{ protocolType: 'consumer', protocolData: 'range', authorizedOperations: NOT_ASKED_FOR }
      }
    ])
  })

  it.each(versionsOf(APIS.DescribeGroups))(
    'returns a missing group as Dead or GROUP_ID_NOT_FOUND at version %i',
    async version => {
      await using harness = await started()
      const { groups } = await harness.request('DescribeGroups', { groups: ['none'] }, { version })
      expect(groups).toMatchObject([
        {
          ...{ groupId: 'none', groupState: 'Dead', members: [] },
          ...(version < 6
            ? { errorCode: 'NONE', errorMessage: null }
            : { errorCode: 'GROUP_ID_NOT_FOUND', errorMessage: 'Group none not found.' })
        }
      ])
    }
  )

  it('returns the authorized operations of existing groups on request', async () => {
    await using harness = await started()
    const request = { groups: ['simple', 'none'], includeAuthorizedOperations: true }
    const operations = async (version: number) =>
      (await harness.request('DescribeGroups', request, { version })).groups.map(group => group.authorizedOperations)
    expect(await operations(3)).toEqual([ALL_OPERATIONS, ALL_OPERATIONS])
    expect(await operations(6)).toEqual([ALL_OPERATIONS, NOT_ASKED_FOR])
  })

  it('answers each time that a group is named, up to the response limit', async () => {
    await using harness = await started()
    await stable(harness, 'live', Buffer.concat([subscriptionOf(['t']), Buffer.alloc(900_000)]))
    const request = { groups: ['simple', ...Array.from({ length: 30 }, () => 'live'), 'none'] }
    const { groups } = await harness.request('DescribeGroups', request)
    expect(groups.map(({ groupId }) => groupId)).toEqual(request.groups)
    const codes = groups.map(({ errorCode }) => errorCode)
    expect(codes.slice(0, 19)).toEqual(Array.from({ length: 19 }, () => 'NONE'))
    expect(codes.slice(20, 31)).toEqual(Array.from({ length: 11 }, () => 'INVALID_REQUEST'))
    expect(codes.at(-1)).toBe('GROUP_ID_NOT_FOUND')
  })

  it('gets NOT_COORDINATOR before the coordinator exists, and so do DeleteGroups and OffsetDelete', async () => {
    await using harness = await Harness.start()
    const { groups } = await harness.request('DescribeGroups', { groups: ['g'] })
    expect(groups).toMatchObject([{ groupId: 'g', errorCode: 'NOT_COORDINATOR', errorMessage: null, groupState: '' }])
    expect(await harness.request('ListGroups', {})).toMatchObject({ errorCode: 'NONE', groups: [] })
    const { results } = await harness.request('DeleteGroups', { groupsNames: ['g'] })
    expect(results).toEqual([{ groupId: 'g', errorCode: 'NOT_COORDINATOR', errorMessage: null }])
    expect(await harness.request('OffsetDelete', { groupId: 'g', topics: [] })).toMatchObject({
      errorCode: 'NOT_COORDINATOR'
    })
  })
})

describe('ListGroups', () => {
  it.each(versionsOf(APIS.ListGroups))('returns all groups at version %i', async version => {
    await using harness = await started()
    await stable(harness)
    const { errorCode, groups } = await harness.request('ListGroups', {}, { version })
    expect(errorCode).toBe('NONE')
    const [live, simple] = groups.toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1))
    const groupType = version < 5 ? '' : 'classic'
    expect(live).toEqual({
      ...{ groupId: 'live', protocolType: 'consumer', groupType },
      groupState: version < 4 ? '' : 'Stable'
    })
    expect(simple).toEqual({
      ...{ groupId: 'simple', protocolType: '', groupType },
      groupState: version < 4 ? '' : 'Empty'
    })
  })

  it('filters groups by state and type', async () => {
    await using harness = await started()
    await stable(harness)
    const ids = async (request: object, version: number) =>
      (await harness.request('ListGroups', request, { version })).groups.map(({ groupId }) => groupId)
    expect(await ids({ statesFilter: ['stable'] }, 4)).toEqual(['live'])
    expect(await ids({ statesFilter: ['Empty'], typesFilter: ['Classic'] }, 5)).toEqual(['simple'])
    expect(await ids({ typesFilter: ['streams'] }, 5)).toEqual([])
  })
})

describe('DeleteGroups', () => {
  it.each(versionsOf(APIS.DeleteGroups))('deletes groups without members at version %i', async version => {
    await using harness = await started()
    await stable(harness)
    const request = { groupsNames: ['simple', 'live', 'none', 'simple'] }
    const { results } = await harness.request('DeleteGroups', request, { version })
    expect(results).toEqual([
      { groupId: 'simple', errorCode: 'NONE', errorMessage: null },
      { groupId: 'live', errorCode: 'NON_EMPTY_GROUP', errorMessage: null },
      { groupId: 'none', errorCode: 'GROUP_ID_NOT_FOUND', errorMessage: null }
    ])
    expect((await harness.request('ListGroups', {})).groups.map(({ groupId }) => groupId)).toEqual(['live'])
  })

  it('leaves no group for a restart to load', async () => {
    const harness = await started()
    await harness.request('DeleteGroups', { groupsNames: ['simple'] })
    await harness.stop()
    await using again = await Harness.start({ storage: harness.storage })
    expect((await again.request('ListGroups', {})).groups).toEqual([])
    const { topics } = await again.request('OffsetFetch', { groupId: 'simple', topics: null }, { version: 7 })
    expect(topics).toEqual([])
  })

  it('refuses later requests of members of a deleted group', async () => {
    await using harness = await started()
    const claim = await stable(harness)
    await harness.request('LeaveGroup', { groupId: 'live', members: [claim] })
    const { results } = await harness.request('DeleteGroups', { groupsNames: ['live'] })
    expect(results[0]?.errorCode).toBe('NONE')
    expect(await harness.request('Heartbeat', claim)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    expect(await stable(harness)).toMatchObject({ generationId: 1 })
  })
})

describe('OffsetDelete', () => {
  const partitions = (...indexes: number[]) => indexes.map(partitionIndex => ({ partitionIndex }))

  it('answers for each partition, missing ones first', async () => {
    await using harness = await started()
    const topics = [
      { name: 't', partitions: partitions(0, 9, 2) },
      { name: 'nowhere', partitions: partitions(0) }
    ]
    expect(await harness.request('OffsetDelete', { groupId: 'simple', topics })).toEqual({
      errorCode: 'NONE',
      throttleTimeMs: 0,
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 9, errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' },
            { partitionIndex: 0, errorCode: 'NONE' },
            { partitionIndex: 2, errorCode: 'NONE' }
          ]
        },
        { name: 'nowhere', partitions: [{ partitionIndex: 0, errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }] }
      ]
    })
    const { topics: left } = await harness.request('OffsetFetch', { groupId: 'simple', topics: null }, { version: 7 })
    expect(left).toMatchObject([{ name: 't', partitions: [{ partitionIndex: 1, committedOffset: 7n }] }])
  })

  it('keeps the offsets of topics that members subscribe to', async () => {
    await using harness = await started()
    await stable(harness)
    const topics = [{ name: 't', partitions: partitions(0) }]
    const answer = await harness.request('OffsetDelete', { groupId: 'live', topics })
    expect(answer.topics).toMatchObject([{ partitions: [{ errorCode: 'GROUP_SUBSCRIBED_TO_TOPIC' }] }])
  })

  it.each([
    ['none', 'GROUP_ID_NOT_FOUND'],
    ['', 'INVALID_GROUP_ID']
  ])('has a response without topics for the group "%s"', async (groupId, errorCode) => {
    await using harness = await started()
    const topics = [{ name: 'nowhere', partitions: partitions(0) }]
    expect(await harness.request('OffsetDelete', { groupId, topics })).toMatchObject({ errorCode, topics: [] })
  })
})

describe('consumer groups', () => {
  const groupId = 'modern'
  const heartbeat = (memberEpoch: number) => ({ groupId, memberId: 'one', memberEpoch, rebalanceTimeoutMs: 60_000 })

  async function joined(): Promise<Harness> {
    const harness = await started()
    const joining = { ...heartbeat(0), subscribedTopicNames: ['t'], topicPartitions: [] }
    expect(await harness.request('ConsumerGroupHeartbeat', joining)).toMatchObject({ errorCode: 'NONE' })
    return harness
  }

  it('are listed by their type, without classic groups', async () => {
    await using harness = await joined()
    const { groups } = await harness.request('ListGroups', { typesFilter: ['Consumer'] })
    expect(groups).toEqual([{ groupId, protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' }])
    const described = await harness.request('DescribeGroups', { groups: [groupId] })
    const errorMessage = 'Group modern is not a classic group.'
    expect(described.groups).toMatchObject([{ errorCode: 'GROUP_ID_NOT_FOUND', errorMessage, groupState: 'Dead' }])
  })

  it('stay when they are empty, and an unknown member can join with the classic protocol', async () => {
    await using harness = await joined()
    await harness.request('ConsumerGroupHeartbeat', heartbeat(-1))
    const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
    const unknown = { groupId, memberId: 'nobody', protocolType: 'consumer', protocols }
    const joining = { ...unknown, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 }
    expect(await harness.request('JoinGroup', joining)).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    const { groups } = await harness.request('ListGroups', { typesFilter: ['Consumer'] })
    expect(groups).toMatchObject([{ groupId, groupState: 'Empty' }])
  })

  it('are deleted after their members left, and do not return', async () => {
    const harness = await joined()
    const deleted = async () =>
      (await harness.request('DeleteGroups', { groupsNames: [groupId] })).results[0]?.errorCode
    expect(await deleted()).toBe('NON_EMPTY_GROUP')
    await harness.request('ConsumerGroupHeartbeat', heartbeat(-1))
    expect(await deleted()).toBe('NONE')
    await harness.stop()
    await using again = await Harness.start({ storage: harness.storage })
    expect((await again.request('ListGroups', {})).groups.map(group => group.groupId)).toEqual(['simple'])
  })

  it('keep the offsets of topics that their members subscribe to', async () => {
    await using harness = await joined()
    await harness.createTopic('other')
    const topics = ['t', 'other'].map(name => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const answer = await harness.request('OffsetDelete', { groupId, topics })
    const codes = answer.topics.map(({ partitions: [only] }) => only?.errorCode)
    expect(codes).toEqual(['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE'])
  })
})
