import { describe, expect, it } from 'vitest'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

describe('a vote for an assignor', () => {
  it('begins another epoch where it changes who divides the partitions, and only there', async () => {
    const driver = new GroupCoordinatorDriver()
    const votes = (memberId: string, memberEpoch: number, serverAssignor: string | null) =>
      driver.heartbeat(memberId, memberEpoch, { serverAssignor })
    expect(await votes('a', 0, null)).toMatchObject({ memberEpoch: 2 })
    expect(await votes('a', 2, 'uniform')).toMatchObject({ memberEpoch: 2 })
    expect(await votes('a', 2, 'range')).toMatchObject({ memberEpoch: 3 })
    expect(await votes('a', 3, 'range')).toMatchObject({ memberEpoch: 3 })
    expect(await votes('a', 3, null)).toMatchObject({ memberEpoch: 3 })
    expect(await votes('b', 0, 'range')).toMatchObject({ memberEpoch: 4 })
    expect(await votes('b', 4, 'uniform')).toMatchObject({ memberEpoch: 5 })
  })
})
