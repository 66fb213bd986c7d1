import { describe, expect, it } from 'vitest'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

describe('timeouts of consumer members', () => {
  it('expired members are removed in one batch each', async () => {
    const driver = new GroupCoordinatorDriver()
    for (const memberId of ['a', 'b', 'c']) await driver.heartbeat(memberId, 0)
    const before = driver.journal.batches.length
    driver.clock.advance(45_000)
    expect(driver.group).toMatchObject({ state: 'Empty', groupEpoch: 7 })
    expect(driver.journal.batches.length).toBe(before + 3)
  })

  it('a member without heartbeats is removed, a member with heartbeats stays', async () => {
    const driver = new GroupCoordinatorDriver()
    for (const memberId of ['a', 'b']) await driver.heartbeat(memberId, 0)
    driver.clock.advance(44_999)
    await driver.heartbeat('a', 2)
    driver.clock.advance(1)
    expect([...(driver.group?.members.keys() ?? [])]).toEqual(['a'])
  })

  it('expired members stay while appends fail, and are removed later', async () => {
    const driver = new GroupCoordinatorDriver()
    for (const memberId of ['a', 'b']) await driver.heartbeat(memberId, 0)
    driver.fail()
    driver.clock.advance(60_000)
    expect(driver.group?.members.size).toBe(2)
    driver.heal()
    driver.clock.advance(1_000)
    expect(driver.group?.members.size).toBe(0)
  })

  it('a member that does not revoke partitions within its rebalance timeout is removed', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.heartbeat('slow', 0, { rebalanceTimeoutMs: 20_000 })
    await driver.heartbeat('b', 0)
    await driver.heartbeat('slow', 2)
    driver.clock.advance(10_000)
    await driver.heartbeat('slow', 2)
    driver.clock.advance(9_999)
    expect(driver.group?.members.size).toBe(2)
    driver.clock.advance(1)
    expect([...(driver.group?.members.keys() ?? [])]).toEqual(['b'])
  })

  it('session and rebalance timeouts start again after a restart', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.heartbeat('slow', 0, { rebalanceTimeoutMs: 20_000 })
    await driver.heartbeat('b', 0)
    await driver.heartbeat('slow', 2)
    driver.clock.advance(15_000)
    driver.restart()
    driver.clock.advance(19_999)
    expect(driver.group?.members.size).toBe(2)
    driver.clock.advance(1)
    expect([...(driver.group?.members.keys() ?? [])]).toEqual(['b'])
    driver.clock.advance(25_000)
    expect(driver.group?.members.size).toBe(0)
  })
})
