import { describe, expect, it } from 'vitest'
import { Deadlines } from '../../../src/group/consumer/deadlines.ts'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

const NEVER = Number.POSITIVE_INFINITY

describe('Deadlines', () => {
  it('the next deadline is the nearest of all kinds', () => {
    const deadlines = new Deadlines()
    expect(deadlines.next(0)).toBe(NEVER)
    deadlines.set('a', 'session', 30)
    deadlines.set('b', 'rebalance', 20)
    expect(deadlines.next(0)).toBe(20)
  })

  it('the next deadline is never too late, and a reached deadline is exact', () => {
    const deadlines = new Deadlines()
    deadlines.set('a', 'session', 10)
    deadlines.set('a', 'session', 50)
    deadlines.set('b', 'session', 40)
    expect(deadlines.next(9)).toBeLessThanOrEqual(40)
    expect(deadlines.next(10)).toBe(40)
    deadlines.forget('b')
    expect(deadlines.next(40)).toBe(50)
    deadlines.clear('a', 'session')
    expect(deadlines.next(50)).toBe(NEVER)
    deadlines.set('a', 'sync', 45)
    expect(deadlines.next(50)).toBe(45)
  })

  it('setIfAbsent keeps an existing deadline', () => {
    const deadlines = new Deadlines()
    deadlines.setIfAbsent('a', 'join', 10)
    deadlines.setIfAbsent('a', 'join', 20)
    expect(deadlines.next(0)).toBe(10)
  })

  it('a member with several reached deadlines is returned once', () => {
    const deadlines = new Deadlines()
    deadlines.set('a', 'session', 10)
    deadlines.set('a', 'rebalance', 5)
    deadlines.set('b', 'session', 11)
    expect([...deadlines.reached(10)]).toEqual([{ memberId: 'a', kind: 'session' }])
  })

  it('a copy changes independently', () => {
    const deadlines = new Deadlines()
    deadlines.set('a', 'session', 10)
    const copy = deadlines.copy()
    copy.set('a', 'session', 5)
    copy.forget('a')
    deadlines.set('b', 'session', 20)
    expect([deadlines.next(0), [...copy.reached(30)]]).toEqual([10, []])
  })
})

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
