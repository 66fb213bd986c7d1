import { describe, expect, it } from 'vitest'
import { Harness } from './harness.ts'

describe('ConsumerGroupDescribe', () => {
  it('tells in the words of Kafka, which its tools print, that a group is not there or of another kind', async () => {
    await using harness = await Harness.start()
    const topicId = await harness.createTopic('t')
    await harness.get('FindCoordinator', { coordinatorKeys: ['g'] })
    const partitions = [{ partitionIndex: 0, committedOffset: 7n, committedMetadata: null }]
    await harness.get('OffsetCommit', { groupId: 'simple', topics: [{ topicId, partitions }] })
    const { groups } = await harness.get('ConsumerGroupDescribe', { groupIds: ['none', 'simple'] })
    expect(groups).toMatchObject([
      { groupId: 'none', errorCode: 'GROUP_ID_NOT_FOUND', errorMessage: 'Group none not found.' },
      { groupId: 'simple', errorCode: 'GROUP_ID_NOT_FOUND', errorMessage: 'Group simple is not a consumer group.' }
    ])
  })
})
