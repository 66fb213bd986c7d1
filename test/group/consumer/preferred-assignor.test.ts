import { describe, expect, it } from 'vitest'
import { MigrationStage } from './migration-stage.ts'

describe('a vote for an assignor', () => {
  it('begins another epoch where it changes who divides the partitions, and only there', async () => {
    const stage = new MigrationStage()
    const votes = (memberId: string, memberEpoch: number, serverAssignor: string | null) =>
      stage.heartbeat(memberId, memberEpoch, { serverAssignor })
    expect(await votes('a', 0, null)).toMatchObject({ memberEpoch: 2 })
    expect(await votes('a', 2, 'uniform')).toMatchObject({ memberEpoch: 2 })
    expect(await votes('a', 2, 'range')).toMatchObject({ memberEpoch: 3 })
    expect(await votes('a', 3, 'range')).toMatchObject({ memberEpoch: 3 })
    expect(await votes('a', 3, null)).toMatchObject({ memberEpoch: 3 })
    expect(await votes('b', 0, 'range')).toMatchObject({ memberEpoch: 4 })
    expect(await votes('b', 4, 'uniform')).toMatchObject({ memberEpoch: 5 })
  })
})
