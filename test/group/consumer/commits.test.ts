import { describe, expect, it } from 'vitest'
import { MigrationStage } from './migration-stage.ts'

const producer = { producerId: 1n, producerEpoch: 0 }

function commits(stage: MigrationStage, apiVersion: number, memberId: string, generationId: number, groupId = 'g') {
  const partition = { partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }
  const topics = [{ name: 'foo', topicId: stage.foo, partitions: [partition] }]
  const claim = { groupId, memberId, groupInstanceId: null, generationId, apiVersion }
  return stage.groups.offsets.commitInTransaction({ ...claim, retentionTimeMs: -1n, topics, producer })
}

async function errorOf(...args: Parameters<typeof commits>): Promise<string | undefined> {
  const [topic] = await commits(...args)
  return topic?.partitions[0]?.errorCode
}

describe('a commit within a transaction', () => {
  it('of a stale epoch is told so from version 6 on, and before as one of another generation', async () => {
    const stage = new MigrationStage()
    await stage.heartbeat('a', 0)
    expect(await errorOf(stage, 5, 'a', 2)).toBe('NONE')
    expect(await errorOf(stage, 6, 'a', 2)).toBe('NONE')
    for (const epoch of [0, 1, 3, -1]) {
      expect(await errorOf(stage, 5, 'a', epoch)).toBe('ILLEGAL_GENERATION')
      expect(await errorOf(stage, 6, 'a', epoch)).toBe('STALE_MEMBER_EPOCH')
    }
  })

  it('of a generation of a group that is none is told so from version 6 on', async () => {
    const stage = new MigrationStage()
    expect(await errorOf(stage, 5, 'a', 2, 'none')).toBe('ILLEGAL_GENERATION')
    expect(await errorOf(stage, 6, 'a', 2, 'none')).toBe('GROUP_ID_NOT_FOUND')
    expect(await errorOf(stage, 6, '', -1, 'none')).toBe('NONE')
  })
})
