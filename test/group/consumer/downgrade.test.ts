import { describe, expect, it } from 'vitest'
import type { ClassicGroup } from '../../../src/group/classic/group.ts'
import { assignmentOf, partitionsOf, subscriptionOf } from '../embedded.ts'
import { MigrationStage, SESSION_MS } from './migration-stage.ts'

const CONSUMER_SESSION_MS = 45_000

function classicGroupOf({ group }: MigrationStage): ClassicGroup {
  if (group?.type !== 'classic') throw new Error(`the group is ${group?.type}`)
  return group
}

type Settings = ConstructorParameters<typeof MigrationStage>

/** A consumer group of `new`, or of an instance, and of members of the classic protocol; all have what they shall have. */
async function mixedGroup(stage: MigrationStage, classicMembers: number, instanceId: string | null = null) {
  await stage.heartbeat('new', 0, { instanceId, topicPartitions: [] })
  const ids: string[] = []
  for (let index = 0; index < classicMembers; index++) ids.push((await stage.join({ apiVersion: 3 })).memberId)
  const epochs = new Map(ids.map(id => [id, 0]))
  for (let round = 0; round < 4; round++) {
    const { memberEpoch = 0, assigned = new Map() } = stage.consumerGroup.members.get('new') ?? {}
    const topicPartitions = [...assigned].map(([topicId, of]) => ({ topicId, partitions: [...of.keys()] }))
    await stage.heartbeat('new', memberEpoch, { instanceId, topicPartitions })
    for (const memberId of ids) {
      const { generationId } = await stage.join({ memberId })
      await stage.sync(memberId, generationId)
      epochs.set(memberId, generationId)
    }
  }
  return ids.map(memberId => ({ memberId, generationId: epochs.get(memberId) ?? 0 }))
}

async function mixed(classicMembers: number, instanceId: string | null = null, ...settings: Settings) {
  const stage = new MigrationStage(...settings)
  return { stage, members: await mixedGroup(stage, classicMembers, instanceId) }
}

describe('a consumer group whose last member of the consumer protocol leaves', () => {
  it('becomes a classic group: the end of the one, then the other, in one batch', async () => {
    const { stage } = await mixed(2)
    await stage.heartbeat('regex', 0, { subscribedTopicNames: null, subscribedTopicRegex: 'ba.*' })
    await stage.heartbeat('regex', -1)
    const before = stage.journal.batches.length
    expect(await stage.heartbeat('new', -1)).toMatchObject({ errorCode: 'NONE', memberEpoch: -1 })
    expect(stage.journal.batches.length).toBe(before + 1)
    expect(stage.written(before)).toEqual([
      ...Array(3).fill('ConsumerGroupCurrentMemberAssignment -'),
      ...Array(3).fill('ConsumerGroupTargetAssignmentMember -'),
      'ConsumerGroupTargetAssignmentMetadata -',
      ...Array(3).fill('ConsumerGroupMemberMetadata -'),
      'ConsumerGroupPartitionMetadata -',
      'ConsumerGroupMetadata -',
      'GroupMetadata'
    ])
    const { state, members, protocolType, leader } = classicGroupOf(stage)
    expect({ state, protocolType, isLed: members.has(leader ?? '') }).toEqual({
      state: 'PreparingRebalance',
      protocolType: 'consumer',
      isLed: true
    })
  })

  it('asks those that are left to join again, in the next generation', async () => {
    const { stage, members } = await mixed(2)
    const generation = members[0]?.generationId ?? 0
    await stage.heartbeat('new', -1)
    for (const { memberId, generationId } of members) {
      expect(await stage.beat(memberId, generationId)).toBe('REBALANCE_IN_PROGRESS')
    }
    const answers = await Promise.all(members.map(({ memberId }) => stage.join({ memberId })))
    expect(answers.map(({ errorCode }) => errorCode)).toEqual(['NONE', 'NONE'])
    expect(answers[0]?.generationId).toBe(generation + 1)
    const leader = answers.find(({ memberId, leader }) => memberId === leader)
    expect(leader?.members.map(({ memberId }) => memberId).sort()).toEqual(
      members.map(({ memberId }) => memberId).sort()
    )
  })

  it('has in the log what they were to have', async () => {
    const { stage, members } = await mixed(1)
    const [{ memberId, generationId } = { memberId: '', generationId: 0 }] = members
    const { assignment } = await stage.sync(memberId, generationId)
    await stage.heartbeat('new', -1)
    stage.restart()
    const group = classicGroupOf(stage)
    expect(group).toMatchObject({ state: 'Stable', generationId, protocolName: 'range', leader: memberId })
    expect(partitionsOf(group.members.get(memberId)?.assignment ?? Buffer.alloc(0))).toEqual(partitionsOf(assignment))
    expect(group.subscribedTopics).toEqual(new Set(['foo']))
  })

  it('does so as well when it is taken for gone, or removed by an administrator', async () => {
    const { stage, members } = await mixed(1)
    for (let ms = 0; ms < CONSUMER_SESSION_MS; ms += SESSION_MS - 1) {
      for (const { memberId, generationId } of members) await stage.beat(memberId, generationId)
      stage.clock.advance(SESSION_MS - 1)
    }
    expect(classicGroupOf(stage).members.size).toBe(1)

    const other = (await mixed(1, 'i')).stage
    expect(await other.leave('', 'i')).toBe('NONE')
    expect(classicGroupOf(other).members.size).toBe(1)
  })

  it('takes a member for gone that is not heard of within its own session', async () => {
    const { stage } = await mixed(2)
    await stage.heartbeat('new', -1)
    stage.clock.advance(SESSION_MS - 1)
    expect(classicGroupOf(stage).members.size).toBe(2)
    stage.clock.advance(1)
    expect(classicGroupOf(stage).members.size).toBe(0)
  })

  it('becomes a consumer group again when another comes', async () => {
    const { stage, members } = await mixed(1)
    await stage.heartbeat('new', -1)
    const joining = stage.join({ memberId: members[0]?.memberId ?? '' })
    await joining
    expect(await stage.heartbeat('newer', 0)).toMatchObject({ errorCode: 'NONE' })
    expect(stage.group?.type).toBe('consumer')
  })

  it('stays a consumer group that is empty, when nobody is left', async () => {
    const { stage } = await mixed(0)
    await stage.heartbeat('new', -1)
    expect(stage.group).toMatchObject({ type: 'consumer', state: 'Empty', groupEpoch: 3, assignmentEpoch: 3 })
    const { memberId } = await stage.join()
    expect(memberId).not.toBe('')
    expect(classicGroupOf(stage).generationId).toBe(0)
    stage.restart()
    expect(stage.group?.type).toBe('classic')
  })

  it('stays a consumer group where it may not change, or would be too large', async () => {
    const settings: Settings[] = [
      [{ migrationPolicy: 'upgrade' }],
      [{ migrationPolicy: 'bidirectional' }, { maxSize: 1 }]
    ]
    for (const each of settings) {
      const { stage } = await mixed(2, null, ...each)
      await stage.heartbeat('new', -1)
      expect(stage.group).toMatchObject({ type: 'consumer', members: { size: 2 } })
    }
    const { stage } = await mixed(2, null, { migrationPolicy: 'downgrade' }, { maxSize: 2 })
    await stage.heartbeat('new', -1)
    expect(stage.group?.type).toBe('classic')
  })

  it('stays a consumer group where the journal fails', async () => {
    const { stage, members } = await mixed(1)
    stage.journal.failure = new Error('the disk is full')
    await expect(stage.heartbeat('new', -1)).rejects.toThrow('the disk is full')
    stage.journal.failure = undefined
    expect(stage.group).toMatchObject({ type: 'consumer', members: { size: 2 } })
    expect(await stage.beat(members[0]?.memberId ?? '', members[0]?.generationId ?? 0)).toBe('NONE')
  })
})

describe('a consumer group whose last member of the consumer protocol is replaced by one of the classic protocol', () => {
  const again = { groupInstanceId: 'i', protocols: [{ name: 'range', metadata: subscriptionOf(['foo']) }] }

  it('becomes a classic group without a rebalance, when the newcomer is subscribed to the same', async () => {
    const { stage, members } = await mixed(1, 'i')
    const generation = members[0]?.generationId ?? 0
    const answer = await stage.join(again)
    expect(answer).toMatchObject({ errorCode: 'NONE', generationId: generation, protocolName: 'range', members: [] })
    expect(classicGroupOf(stage)).toMatchObject({ state: 'Stable', generationId: generation })
    const all = [...members, { memberId: answer.memberId, generationId: generation }]
    const shares = await Promise.all(
      all.map(async ({ memberId }) => {
        const groupInstanceId = memberId === answer.memberId ? 'i' : null
        expect(await stage.beat(memberId, generation, { groupInstanceId })).toBe('NONE')
        return partitionsOf((await stage.sync(memberId, generation, { groupInstanceId })).assignment)?.foo ?? []
      })
    )
    expect(shares.flat().sort()).toEqual([0, 1, 2, 3])
    stage.restart()
    expect(classicGroupOf(stage).staticMembers).toEqual(new Map([['i', answer.memberId]]))
  })

  it('rebalances as a classic group, when the newcomer is subscribed to something else', async () => {
    const { stage, members } = await mixed(1, 'i')
    const generation = members[0]?.generationId ?? 0
    const protocols = [{ name: 'range', metadata: subscriptionOf(['foo', 'bar']) }]
    const answer = await stage.join({ groupInstanceId: 'i', protocols })
    expect(answer.errorCode).toBe('NONE')
    expect(classicGroupOf(stage)).toMatchObject({ state: 'PreparingRebalance', generationId: generation })
    const changes = { memberId: answer.memberId, groupInstanceId: 'i', protocols }
    const joined = await Promise.all([stage.join(changes), stage.join({ memberId: members[0]?.memberId ?? '' })])
    expect(joined.map(({ generationId }) => generationId)).toEqual([generation + 1, generation + 1])
  })

  it('becomes one of that member alone', async () => {
    const { stage } = await mixed(0, 'i')
    const answer = await stage.join(again)
    expect(answer.errorCode).toBe('NONE')
    expect([...classicGroupOf(stage).members.keys()]).toEqual([answer.memberId])
  })

  it('stays a consumer group where it may not change, would be too large, or has others of the consumer protocol', async () => {
    const limited: Settings[] = [[{ migrationPolicy: 'upgrade' }], [{}, { maxSize: 1 }]]
    for (const settings of limited) {
      const { stage } = await mixed(1, 'i', ...settings)
      expect(await stage.join(again)).toMatchObject({ errorCode: 'NONE' })
      expect(stage.group).toMatchObject({ type: 'consumer', members: { size: 2 } })
    }
    const { stage } = await mixed(1, 'i')
    await stage.heartbeat('other', 0)
    expect(await stage.join(again)).toMatchObject({ errorCode: 'NONE' })
    expect(stage.group).toMatchObject({ type: 'consumer', members: { size: 3 } })
  })
})

it('a group goes to the other kind and back with offsets and members, whatever it is on disk', async () => {
  const stage = new MigrationStage()
  await stage.classicGroup([{ foo: [0, 1, 2, 3] }])
  for (let round = 0; round < 3; round++) {
    await stage.heartbeat('new', 0)
    expect(stage.group?.type).toBe('consumer')
    stage.restart()
    expect(stage.group).toMatchObject({ type: 'consumer', members: { size: 2 } })
    await stage.heartbeat('new', -1)
    expect(classicGroupOf(stage).members.size).toBe(1)
    stage.restart()
    const [memberId = ''] = classicGroupOf(stage).members.keys()
    const { generationId } = await stage.join({ memberId })
    const assignment = assignmentOf({ foo: [0, 1, 2, 3] })
    await stage.sync(memberId, generationId, { assignments: [{ memberId, assignment }] })
    expect(classicGroupOf(stage).state).toBe('Stable')
  }
})
