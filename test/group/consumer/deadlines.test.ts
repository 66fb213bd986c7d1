import { describe, expect, it } from 'vitest'
import { Deadlines } from '../../../src/group/consumer/deadlines.ts'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

const NEVER = Number.POSITIVE_INFINITY

describe('deadlines', () => {
  it('tell the nearest, of whatever kind', () => {
    const deadlines = new Deadlines()
    expect(deadlines.next(0)).toBe(NEVER)
    deadlines.set('a', 'session', 30)
    deadlines.set('b', 'rebalance', 20)
    expect(deadlines.next(0)).toBe(20)
  })

  it('never tell one too late, and a time that has come only where there is one', () => {
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

  it('can be set only where none runs yet', () => {
    const deadlines = new Deadlines()
    deadlines.setIfAbsent('a', 'join', 10)
    deadlines.setIfAbsent('a', 'join', 20)
    expect(deadlines.next(0)).toBe(10)
  })

  it('are reached once a member', () => {
    const deadlines = new Deadlines()
    deadlines.set('a', 'session', 10)
    deadlines.set('a', 'rebalance', 5)
    deadlines.set('b', 'session', 11)
    expect([...deadlines.reached(10)]).toEqual([{ memberId: 'a', kind: 'session' }])
  })

  it('of a copy are its own', () => {
    const deadlines = new Deadlines()
    deadlines.set('a', 'session', 10)
    const copy = deadlines.copy()
    copy.set('a', 'session', 5)
    copy.forget('a')
    deadlines.set('b', 'session', 20)
    expect([deadlines.next(0), [...copy.reached(30)]]).toEqual([10, []])
  })
})

describe('members that are late', () => {
  it('go one after the other, in batches of their own', async () => {
    const driver = new GroupCoordinatorDriver()
    for (const memberId of ['a', 'b', 'c']) await driver.heartbeat(memberId, 0)
    const before = driver.journal.batches.length
    driver.clock.advance(45_000)
    expect(driver.group).toMatchObject({ state: 'Empty', groupEpoch: 7 })
    expect(driver.journal.batches.length).toBe(before + 3)
  })

  it('are those that sent nothing; who did stays', async () => {
    const driver = new GroupCoordinatorDriver()
    for (const memberId of ['a', 'b']) await driver.heartbeat(memberId, 0)
    driver.clock.advance(44_999)
    await driver.heartbeat('a', 2)
    driver.clock.advance(1)
    expect([...(driver.group?.members.keys() ?? [])]).toEqual(['a'])
  })

  it('stay while nothing can be written, and go when it can', async () => {
    const driver = new GroupCoordinatorDriver()
    for (const memberId of ['a', 'b']) await driver.heartbeat(memberId, 0)
    driver.fail()
    driver.clock.advance(60_000)
    expect(driver.group?.members.size).toBe(2)
    driver.heal()
    driver.clock.advance(1_000)
    expect(driver.group?.members.size).toBe(0)
  })

  it('that do not give partitions up in time go, too', async () => {
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

  it('have all of their time before them after a restart, to give partitions up as well', async () => {
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
