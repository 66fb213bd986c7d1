import { describe, expect, it } from 'vitest'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

const producer = { producerId: 1n, producerEpoch: 0 }

function commits(
  driver: GroupCoordinatorDriver,
  apiVersion: number,
  memberId: string,
  generationId: number,
  groupId = 'g'
) {
  const partition = { partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }
  const topics = [{ name: 'foo', topicId: driver.foo, partitions: [partition] }]
  const claim = { groupId, memberId, groupInstanceId: null, generationId, apiVersion }
  return driver.coordinator.offsets.commitInTransaction({ ...claim, retentionTimeMs: -1n, topics, producer })
}

async function errorOf(...args: Parameters<typeof commits>): Promise<string | undefined> {
  const [topic] = await commits(...args)
  return topic?.partitions[0]?.errorCode
}

describe('TxnOffsetCommit of a consumer group', () => {
  it('a commit with a stale epoch gets STALE_MEMBER_EPOCH from version 6 on, and ILLEGAL_GENERATION before', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.heartbeat('a', 0)
    expect(await errorOf(driver, 5, 'a', 2)).toBe('NONE')
    expect(await errorOf(driver, 6, 'a', 2)).toBe('NONE')
    for (const epoch of [0, 1, 3, -1]) {
      expect(await errorOf(driver, 5, 'a', epoch)).toBe('ILLEGAL_GENERATION')
      expect(await errorOf(driver, 6, 'a', epoch)).toBe('STALE_MEMBER_EPOCH')
    }
  })

  it('a commit to an unknown group gets GROUP_ID_NOT_FOUND from version 6 on, ILLEGAL_GENERATION before', async () => {
    const driver = new GroupCoordinatorDriver()
    expect(await errorOf(driver, 5, 'a', 2, 'none')).toBe('ILLEGAL_GENERATION')
    expect(await errorOf(driver, 6, 'a', 2, 'none')).toBe('GROUP_ID_NOT_FOUND')
    expect(await errorOf(driver, 6, '', -1, 'none')).toBe('NONE')
  })
})
