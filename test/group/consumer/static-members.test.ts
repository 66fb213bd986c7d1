import { describe, expect, it } from 'vitest'
import { MigrationStage } from './migration-stage.ts'

describe('a static member of a consumer group', () => {
  it('that joins anew as another instance leaves the place of the first one to others', async () => {
    const stage = new MigrationStage()
    await stage.heartbeat('a', 0, { instanceId: 'first' })
    expect(await stage.heartbeat('a', 0, { instanceId: 'second' })).toMatchObject({ errorCode: 'NONE', memberEpoch: 2 })
    expect(await stage.heartbeat('a', 2, { instanceId: 'first' })).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    expect(await stage.heartbeat('a', 2, { instanceId: 'second' })).toMatchObject({ errorCode: 'NONE' })
    expect(await stage.heartbeat('b', 0, { instanceId: 'first' })).toMatchObject({ errorCode: 'NONE', memberEpoch: 3 })
    stage.restart()
    expect(await stage.heartbeat('b', 3, { instanceId: 'first' })).toMatchObject({ errorCode: 'NONE' })
  })
})
