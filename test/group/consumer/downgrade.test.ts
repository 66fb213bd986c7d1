import { describe, expect, it } from 'vitest'
import type { ClassicGroup } from '../../../src/group/classic/group.ts'
import { assignmentOf, partitionsOf, subscriptionOf } from '../embedded.ts'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'
import { SESSION_MS } from '../group-settings.ts'

const CONSUMER_SESSION_MS = 45_000

function classicGroupOf({ group }: GroupCoordinatorDriver): ClassicGroup {
  if (group?.type !== 'classic') throw new Error(`the group is ${group?.type}`)
  return group
}

type Settings = ConstructorParameters<typeof GroupCoordinatorDriver>[0]

const UPGRADE_ONLY: Settings = { settings: { 'group.consumer.migration.policy': 'upgrade' } }

/** Makes a consumer group of `new`, dynamic or static, and of classic members; all have the partitions of their targets. */
async function mixedGroup(driver: GroupCoordinatorDriver, classicMembers: number, instanceId: string | null = null) {
  await driver.heartbeat('new', 0, { instanceId, topicPartitions: [] })
  const ids: string[] = []
  for (let index = 0; index < classicMembers; index++) ids.push((await driver.join({ apiVersion: 3 })).memberId)
  const epochs = new Map(ids.map(id => [id, 0]))
  for (let round = 0; round < 4; round++) {
    const { memberEpoch = 0, assigned = new Map() } = driver.consumerGroup.members.get('new') ?? {}
    const topicPartitions = [...assigned].map(([topicId, of]) => ({ topicId, partitions: [...of.keys()] }))
    await driver.heartbeat('new', memberEpoch, { instanceId, topicPartitions })
    for (const memberId of ids) {
      const { generationId } = await driver.join({ memberId })
      await driver.sync(memberId, generationId)
      epochs.set(memberId, generationId)
    }
  }
  return ids.map(memberId => ({ memberId, generationId: epochs.get(memberId) ?? 0 }))
}

async function mixed(classicMembers: number, instanceId: string | null = null, settings: Settings = {}) {
  const driver = new GroupCoordinatorDriver(settings)
  return { driver, members: await mixedGroup(driver, classicMembers, instanceId) }
}

describe('downgrade when the last consumer member leaves', () => {
  it('the group becomes a classic group: tombstones and the new record are one batch', async () => {
    const { driver } = await mixed(2)
    await driver.heartbeat('regex', 0, { subscribedTopicNames: null, subscribedTopicRegex: 'ba.*' })
    await driver.heartbeat('regex', -1)
    const before = driver.journal.batches.length
    expect(await driver.heartbeat('new', -1)).toMatchObject({ errorCode: 'NONE', memberEpoch: -1 })
    expect(driver.journal.batches.length).toBe(before + 1)
    expect(driver.written(before)).toEqual([
      ...Array(3).fill('ConsumerGroupCurrentMemberAssignment -'),
      ...Array(3).fill('ConsumerGroupTargetAssignmentMember -'),
      'ConsumerGroupTargetAssignmentMetadata -',
      ...Array(3).fill('ConsumerGroupMemberMetadata -'),
      'ConsumerGroupPartitionMetadata -',
      'ConsumerGroupMetadata -',
      'GroupMetadata'
    ])
    const { state, members, protocolType, leader } = classicGroupOf(driver)
    expect({ state, protocolType, isLed: members.has(leader ?? '') }).toEqual({
      state: 'PreparingRebalance',
      protocolType: 'consumer',
      isLed: true
    })
  })

  it('the classic members rejoin in the next generation', async () => {
    const { driver, members } = await mixed(2)
    const generation = members[0]?.generationId ?? 0
    await driver.heartbeat('new', -1)
    for (const { memberId, generationId } of members) {
      expect(await driver.beat(memberId, generationId)).toBe('REBALANCE_IN_PROGRESS')
    }
    const answers = await Promise.all(members.map(({ memberId }) => driver.join({ memberId })))
    expect(answers.map(({ errorCode }) => errorCode)).toEqual(['NONE', 'NONE'])
    expect(answers[0]?.generationId).toBe(generation + 1)
    const leader = answers.find(({ memberId, leader }) => memberId === leader)
    expect(leader?.members.map(({ memberId }) => memberId).sort()).toEqual(
      members.map(({ memberId }) => memberId).sort()
    )
  })

  it('the record of the classic group has the targets of its members', async () => {
    const { driver, members } = await mixed(1)
    const [{ memberId, generationId } = { memberId: '', generationId: 0 }] = members
    const { assignment } = await driver.sync(memberId, generationId)
    await driver.heartbeat('new', -1)
    driver.restart()
    const group = classicGroupOf(driver)
    expect(group).toMatchObject({ state: 'Stable', generationId, protocolName: 'range', leader: memberId })
    expect(partitionsOf(group.members.get(memberId)?.assignment ?? Buffer.alloc(0))).toEqual(partitionsOf(assignment))
    expect(group.subscribedTopics).toEqual(new Set(['foo']))
  })

  it('an expired member and a member removed by an administrator cause the downgrade as well', async () => {
    const { driver, members } = await mixed(1)
    for (let ms = 0; ms < CONSUMER_SESSION_MS; ms += SESSION_MS - 1) {
      for (const { memberId, generationId } of members) await driver.beat(memberId, generationId)
      driver.clock.advance(SESSION_MS - 1)
    }
    expect(classicGroupOf(driver).members.size).toBe(1)

    const other = (await mixed(1, 'i')).driver
    expect(await other.leave('', 'i')).toBe('NONE')
    expect(classicGroupOf(other).members.size).toBe(1)
  })

  it('a classic member without heartbeats is removed after its session timeout', async () => {
    const { driver } = await mixed(2)
    await driver.heartbeat('new', -1)
    driver.clock.advance(SESSION_MS - 1)
    expect(classicGroupOf(driver).members.size).toBe(2)
    driver.clock.advance(1)
    expect(classicGroupOf(driver).members.size).toBe(0)
  })

  it('the classic group becomes a consumer group again when a consumer member joins', async () => {
    const { driver, members } = await mixed(1)
    await driver.heartbeat('new', -1)
    const joining = driver.join({ memberId: members[0]?.memberId ?? '' })
    await joining
    expect(await driver.heartbeat('newer', 0)).toMatchObject({ errorCode: 'NONE' })
    expect(driver.group?.type).toBe('consumer')
  })

  it('a group without members stays an empty consumer group', async () => {
    const { driver } = await mixed(0)
    await driver.heartbeat('new', -1)
    expect(driver.group).toMatchObject({ type: 'consumer', state: 'Empty', groupEpoch: 3, assignmentEpoch: 3 })
    const { memberId } = await driver.join()
    expect(memberId).not.toBe('')
    expect(classicGroupOf(driver).generationId).toBe(0)
    driver.restart()
    expect(driver.group?.type).toBe('classic')
  })

  it('the group stays a consumer group if the policy forbids a downgrade or the group is too large', async () => {
    for (const settings of [UPGRADE_ONLY, { settings: { 'group.max.size': 1 } }]) {
      const { driver } = await mixed(2, null, settings)
      await driver.heartbeat('new', -1)
      expect(driver.group).toMatchObject({ type: 'consumer', members: { size: 2 } })
    }
    const { driver } = await mixed(2, null, {
      settings: { 'group.consumer.migration.policy': 'downgrade', 'group.max.size': 2 }
    })
    await driver.heartbeat('new', -1)
    expect(driver.group?.type).toBe('classic')
  })

  it('the group stays a consumer group if the append fails', async () => {
    const { driver, members } = await mixed(1)
    driver.journal.failure = new Error('the disk is full')
    await expect(driver.heartbeat('new', -1)).rejects.toThrow('the disk is full')
    driver.journal.failure = undefined
    expect(driver.group).toMatchObject({ type: 'consumer', members: { size: 2 } })
    expect(await driver.beat(members[0]?.memberId ?? '', members[0]?.generationId ?? 0)).toBe('NONE')
  })
})

describe('downgrade when a classic member replaces the last consumer member', () => {
  const again = { groupInstanceId: 'i', protocols: [{ name: 'range', metadata: subscriptionOf(['foo']) }] }

  it('the group becomes a stable classic group if the new member has the same subscription', async () => {
    const { driver, members } = await mixed(1, 'i')
    const generation = members[0]?.generationId ?? 0
    const answer = await driver.join(again)
    expect(answer).toMatchObject({ errorCode: 'NONE', generationId: generation, protocolName: 'range', members: [] })
    expect(classicGroupOf(driver)).toMatchObject({ state: 'Stable', generationId: generation })
    const all = [...members, { memberId: answer.memberId, generationId: generation }]
    const shares = await Promise.all(
      all.map(async ({ memberId }) => {
        const groupInstanceId = memberId === answer.memberId ? 'i' : null
        expect(await driver.beat(memberId, generation, { groupInstanceId })).toBe('NONE')
        return partitionsOf((await driver.sync(memberId, generation, { groupInstanceId })).assignment)?.foo ?? []
      })
    )
    expect(shares.flat().sort()).toEqual([0, 1, 2, 3])
    driver.restart()
    expect(classicGroupOf(driver).staticMembers).toEqual(new Map([['i', answer.memberId]]))
  })

  it('the group becomes a rebalancing classic group if the new member has another subscription', async () => {
    const { driver, members } = await mixed(1, 'i')
    const generation = members[0]?.generationId ?? 0
    const protocols = [{ name: 'range', metadata: subscriptionOf(['foo', 'bar']) }]
    const answer = await driver.join({ groupInstanceId: 'i', protocols })
    expect(answer.errorCode).toBe('NONE')
    expect(classicGroupOf(driver)).toMatchObject({ state: 'PreparingRebalance', generationId: generation })
    const changes = { memberId: answer.memberId, groupInstanceId: 'i', protocols }
    const joined = await Promise.all([driver.join(changes), driver.join({ memberId: members[0]?.memberId ?? '' })])
    expect(joined.map(({ generationId }) => generationId)).toEqual([generation + 1, generation + 1])
  })

  it('a classic group of the new member alone is possible', async () => {
    const { driver } = await mixed(0, 'i')
    const answer = await driver.join(again)
    expect(answer.errorCode).toBe('NONE')
    expect([...classicGroupOf(driver).members.keys()]).toEqual([answer.memberId])
  })

  it('the group stays a consumer group if the policy, its size or another consumer member forbids a downgrade', async () => {
    for (const settings of [UPGRADE_ONLY, { settings: { 'group.max.size': 1 } }]) {
      const { driver } = await mixed(1, 'i', settings)
      expect(await driver.join(again)).toMatchObject({ errorCode: 'NONE' })
      expect(driver.group).toMatchObject({ type: 'consumer', members: { size: 2 } })
    }
    const { driver } = await mixed(1, 'i')
    await driver.heartbeat('other', 0)
    expect(await driver.join(again)).toMatchObject({ errorCode: 'NONE' })
    expect(driver.group).toMatchObject({ type: 'consumer', members: { size: 3 } })
  })
})

it('a group keeps its offsets and members in repeated upgrades and downgrades with restarts', async () => {
  const driver = new GroupCoordinatorDriver()
  await driver.classicGroup([{ foo: [0, 1, 2, 3] }])
  for (let round = 0; round < 3; round++) {
    await driver.heartbeat('new', 0)
    expect(driver.group?.type).toBe('consumer')
    driver.restart()
    expect(driver.group).toMatchObject({ type: 'consumer', members: { size: 2 } })
    await driver.heartbeat('new', -1)
    expect(classicGroupOf(driver).members.size).toBe(1)
    driver.restart()
    const [memberId = ''] = classicGroupOf(driver).members.keys()
    const { generationId } = await driver.join({ memberId })
    const assignment = assignmentOf({ foo: [0, 1, 2, 3] })
    await driver.sync(memberId, generationId, { assignments: [{ memberId, assignment }] })
    expect(classicGroupOf(driver).state).toBe('Stable')
  }
})
