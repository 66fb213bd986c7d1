import { describe, expect, it } from 'vitest'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

describe('static members of consumer groups', () => {
  it('a member that rejoins with another instance id releases the first instance id', async () => {
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

  it('a static member rejoins a full group with another member id, and other members are refused', async () => {
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

  it('a static member of the classic protocol rejoins a full group', async () => {
    const driver = new GroupCoordinatorDriver({ settings: { 'group.consumer.max.size': 2 } })
    await driver.heartbeat('a', 0, { instanceId: 'i' })
    await driver.heartbeat('b', 0)
    expect(await driver.join({ groupInstanceId: 'j' })).toMatchObject({ errorCode: 'GROUP_MAX_SIZE_REACHED' })
    expect(await driver.join({ groupInstanceId: 'i' })).toMatchObject({ errorCode: 'NONE' })
  })
})
