import { describe, expect, it } from 'vitest'
import { Deadlines } from '../../../src/group/consumer/deadlines.ts'
import { MigrationStage } from './migration-stage.ts'

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
    const stage = new MigrationStage()
    for (const memberId of ['a', 'b', 'c']) await stage.heartbeat(memberId, 0)
    const before = stage.journal.batches.length
    stage.clock.advance(45_000)
    expect(stage.group).toMatchObject({ state: 'Empty', groupEpoch: 7 })
    expect(stage.journal.batches.length).toBe(before + 3)
  })

  it('are those that sent nothing; who did stays', async () => {
    const stage = new MigrationStage()
    for (const memberId of ['a', 'b']) await stage.heartbeat(memberId, 0)
    stage.clock.advance(44_999)
    await stage.heartbeat('a', 2)
    stage.clock.advance(1)
    expect([...(stage.group?.members.keys() ?? [])]).toEqual(['a'])
  })

  it('stay while nothing can be written, and go when it can', async () => {
    const stage = new MigrationStage()
    for (const memberId of ['a', 'b']) await stage.heartbeat(memberId, 0)
    stage.fail()
    stage.clock.advance(60_000)
    expect(stage.group?.members.size).toBe(2)
    stage.heal()
    stage.clock.advance(1_000)
    expect(stage.group?.members.size).toBe(0)
  })

  it('that do not give partitions up in time go, too', async () => {
    const stage = new MigrationStage()
    await stage.heartbeat('slow', 0, { rebalanceTimeoutMs: 20_000 })
    await stage.heartbeat('b', 0)
    await stage.heartbeat('slow', 2)
    stage.clock.advance(10_000)
    await stage.heartbeat('slow', 2)
    stage.clock.advance(9_999)
    expect(stage.group?.members.size).toBe(2)
    stage.clock.advance(1)
    expect([...(stage.group?.members.keys() ?? [])]).toEqual(['b'])
  })

  it('have all of their time before them after a restart, to give partitions up as well', async () => {
    const stage = new MigrationStage()
    await stage.heartbeat('slow', 0, { rebalanceTimeoutMs: 20_000 })
    await stage.heartbeat('b', 0)
    await stage.heartbeat('slow', 2)
    stage.clock.advance(15_000)
    stage.restart()
    stage.clock.advance(19_999)
    expect(stage.group?.members.size).toBe(2)
    stage.clock.advance(1)
    expect([...(stage.group?.members.keys() ?? [])]).toEqual(['b'])
    stage.clock.advance(25_000)
    expect(stage.group?.members.size).toBe(0)
  })
})
