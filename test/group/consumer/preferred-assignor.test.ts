import { describe, expect, it } from 'vitest'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

describe('server assignors of consumer groups', () => {
  it('a change of the preferred assignor raises the group epoch, other votes do not', async () => {
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
