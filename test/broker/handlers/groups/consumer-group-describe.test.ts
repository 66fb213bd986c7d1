import { describe, expect, it } from 'vitest'
import { Harness } from '../../../../src/testing/harness.ts'

describe('ConsumerGroupDescribe', () => {
  it("uses Kafka's messages, which its tools print, for a missing group and one of another type", async () => {
    await using harness = await Harness.start()
    const topicId = await harness.createTopic('t')
    await harness.request('FindCoordinator', { coordinatorKeys: ['g'] })
    const partitions = [{ partitionIndex: 0, committedOffset: 7n, committedMetadata: null }]
    await harness.request('OffsetCommit', { groupId: 'simple', topics: [{ topicId, partitions }] })
    const { groups } = await harness.request('ConsumerGroupDescribe', { groupIds: ['none', 'simple'] })
    expect(groups).toMatchObject([
      { groupId: 'none', errorCode: 'GROUP_ID_NOT_FOUND', errorMessage: 'Group none not found.' },
      { groupId: 'simple', errorCode: 'GROUP_ID_NOT_FOUND', errorMessage: 'Group simple is not a consumer group.' }
    ])
  })

  it('returns the heartbeat fields and the assignment of a member, including its rack, also after a restart', async () => {
    const harness = await Harness.start()
    const topicId = await harness.createTopic('t')
    await harness.request('FindCoordinator', { coordinatorKeys: ['g'] })
    const memberFields = { memberId: 'm', instanceId: 'i', rackId: 'r1', subscribedTopicNames: ['t'] }
    const joining = {
      groupId: 'g',
      memberEpoch: 0,
      rebalanceTimeoutMs: 1000,
      topicPartitions: [],
      serverAssignor: null
    }
    const { memberEpoch } = await harness.request('ConsumerGroupHeartbeat', { ...joining, ...memberFields })
    const topicPartitions = [{ topicId, topicName: 't', partitions: [0] }]
    const member = {
      ...memberFields,
      memberEpoch,
      assignment: { topicPartitions },
      targetAssignment: { topicPartitions }
    }
    const group = {
      groupState: 'Stable',
      groupEpoch: memberEpoch,
      assignmentEpoch: memberEpoch,
      assignorName: 'uniform'
    }
    const described = { groups: [{ ...group, members: [{ ...member, memberType: 1, clientHost: '/127.0.0.1' }] }] }
    expect(await harness.request('ConsumerGroupDescribe', { groupIds: ['g'] })).toMatchObject(described)
    await harness.stop()
    await using again = await Harness.start({ storage: harness.storage })
    expect(await again.request('ConsumerGroupDescribe', { groupIds: ['g'] })).toMatchObject(described)
  })
})
