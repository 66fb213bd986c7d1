import { describe, expect, it } from 'vitest'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

describe('a static member of a consumer group', () => {
  it('that joins anew as another instance leaves the place of the first one to others', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.heartbeat('a', 0, { instanceId: 'first' })
    expect(await driver.heartbeat('a', 0, { instanceId: 'second' })).toMatchObject({
      errorCode: 'NONE',
      memberEpoch: 2
    })
    expect(await driver.heartbeat('a', 2, { instanceId: 'first' })).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID' })
    expect(await driver.heartbeat('a', 2, { instanceId: 'second' })).toMatchObject({ errorCode: 'NONE' })
    expect(await driver.heartbeat('b', 0, { instanceId: 'first' })).toMatchObject({ errorCode: 'NONE', memberEpoch: 3 })
    driver.restart()
    expect(await driver.heartbeat('b', 3, { instanceId: 'first' })).toMatchObject({ errorCode: 'NONE' })
  })

  it('comes back into a full group under another id, but nobody takes a place that is not free', async () => {
    const driver = new GroupCoordinatorDriver({ settings: { 'group.consumer.max.size': 2 } })
    await driver.heartbeat('a', 0, { instanceId: 'i' })
    await driver.heartbeat('b', 0)
    const full = { errorCode: 'GROUP_MAX_SIZE_REACHED' }
    expect(await driver.heartbeat('c', 0)).toMatchObject(full)
    expect(await driver.heartbeat('c', 0, { instanceId: 'j' })).toMatchObject(full)
    expect(await driver.heartbeat('c', 0, { instanceId: 'i' })).toMatchObject({ errorCode: 'UNRELEASED_INSTANCE_ID' })
    await driver.heartbeat('a', -2, { instanceId: 'i' })
    expect(await driver.heartbeat('c', 0)).toMatchObject(full)
    expect(await driver.heartbeat('c', 0, { instanceId: 'i' })).toMatchObject({ errorCode: 'NONE', memberEpoch: 3 })
    expect(await driver.heartbeat('d', 0)).toMatchObject(full)
  })

  it('that speaks the classic protocol comes back into a full group as well', async () => {
    const driver = new GroupCoordinatorDriver({ settings: { 'group.consumer.max.size': 2 } })
    await driver.heartbeat('a', 0, { instanceId: 'i' })
    await driver.heartbeat('b', 0)
    expect(await driver.join({ groupInstanceId: 'j' })).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED' })
    expect(await driver.join({ groupInstanceId: 'i' })).toMatchObject({ errorCode: 'NONE' })
  })
})
