// Rolling: the conditions for a new segment, and the sync of the old one.

import { describe, expect, test } from 'vitest'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { batchOf, contents, FOLDER, fill, openLog, reconfigure, reopenAfterCrash, T0 } from '../log-fixture.ts'

describe('rolling', () => {
  test('a log rolls by size, and no segment exceeds its limit', () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, { segmentBytes: 300 })
    fill(
      log,
      Array.from({ length: 10 }, () => 1)
    )
    const names = storage.list(FOLDER).map(({ name }) => name)
    expect(names).toContain('00000000000000000000.log')
    expect(names).toContain('00000000000000000003.log')
    for (const name of names.filter(file => file.endsWith('.log'))) {
      expect(storage.size(`${FOLDER}/${name}`)).toBeLessThanOrEqual(300)
    }
  })

  test('a log rolls by the timestamps of the records since the first batch of the segment', () => {
    const log = openLog(new MemoryStorage(), { segmentMs: 1000 })
    log.append(batchOf([T0]), 0)
    log.append(batchOf([T0 + 1000n]), 0)
    expect(log.segments.length).toBe(1)
    log.append(batchOf([T0 + 1001n]), 0)
    expect(log.segments.length).toBe(2)
  })

  test('a log rolls by the clock if records have no timestamp', () => {
    const clock = new ManualClock()
    const log = openLog(new MemoryStorage(), { segmentMs: 1000 }, { clocks: clock })
    log.append(batchOf([-1n]), 0)
    clock.advance(1001)
    log.append(batchOf([-1n]), 0)
    expect(log.segments.length).toBe(2)
  })

  test('a log never rolls an empty segment, however old', () => {
    const clock = new ManualClock()
    const log = openLog(new MemoryStorage(), { segmentMs: 1000 }, { clocks: clock })
    clock.advance(100_000)
    log.append(batchOf([-1n]), 0)
    expect(log.segments.length).toBe(1)
  })

  test('a log rolls when an index is full', () => {
    const log = openLog(new MemoryStorage(), { segmentIndexBytes: 36, indexIntervalBytes: 1 })
    fill(log, [1, 1, 1, 1])
    expect(log.segments.length).toBe(2)
  })

  test('a full disk at a roll leaves the log unchanged', () => {
    let isFull = false
    const full = new StorageError('full', 'no room')
    const storage = new MemoryStorage({
      fault: ({ name }) => (isFull && name === 'append' ? { error: full } : undefined)
    })
    const log = openLog(storage, { segmentBytes: 200 })
    fill(log, [1, 1])
    isFull = true
    expect(() => fill(log, [1])).toThrow(full)
    expect(log).toMatchObject({ segments: [{ baseOffset: 0n }], logEndOffset: 2n })
    isFull = false
    fill(log, [1])
    expect(log).toMatchObject({ segments: [{ baseOffset: 0n }, { baseOffset: 2n }], logEndOffset: 3n })
  })

  test('new settings apply from the next append on', () => {
    const log = openLog()
    fill(log, [1, 1])
    reconfigure(log, { segmentBytes: 150 })
    fill(log, [1])
    expect(log.segments.length).toBe(2)
  })

  test('a roll moves the recovery point once the full segment is synced', async () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, { segmentBytes: 200 })
    fill(log, [1, 1, 1])
    await new Promise(setImmediate)
    expect(log.recoveryPoint).toBe(2n)
    storage.loseUnsynced()
    expect(contents(reopenAfterCrash(storage, {}, { recoveryPoint: 2n }))).toHaveLength(2)
  })

  test('a full segment whose sync fails takes the log offline', async () => {
    const storage = new MemoryStorage({
      fault: ({ name }) => (name === 'sync' ? { error: new StorageError('failed', 'lost') } : undefined)
    })
    const log = openLog(storage, { segmentBytes: 200 })
    fill(log, [1, 1, 1])
    await new Promise(setImmediate)
    expect(() => fill(log, [1])).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
  })
})
