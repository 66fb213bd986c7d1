/** Syncs of a log: their time, the callers that wait for them, and their failure. */
import { describe, expect, test } from 'vitest'
import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { batchOf, contents, FOLDER, openLog, reconfigure, reopenAfterCrash } from '../log-fixture.ts'
import { HeldStorage } from './held-storage.ts'

const EIO = new StorageError('failed', 'the device is gone')
const OFFLINE = expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' })

/** A log with one synced record, and its name. Holds syncs from now on. */
async function heldLog(config: Partial<LogConfig>, clock = new ManualClock()) {
  const storage = new HeldStorage({ canLosePower: true })
  const observed = { flushed: 0, offline: 0 }
  const observer = {
    flushed: () => {
      observed.flushed++
    },
    offline: () => {
      observed.offline++
    }
  }
  const log = openLog(storage, config, { clocks: clock, observer })
  append(log)
  log.syncNow()
  await yieldToEventLoop()
  observed.flushed = 0
  storage.hold()
  return { storage, log, observed, clock }
}

function append(log: PartitionLog, count = 1): void {
  for (let done = 0; done < count; done++) log.append(batchOf([1000n]), 0)
}

/** Returns whether a promise is settled, and its result. */
async function stateOf(promise: Promise<void> | undefined): Promise<'waits' | 'done' | 'failed'> {
  let state: 'waits' | 'done' | 'failed' = 'waits'
  promise?.then(
    () => {
      state = 'done'
    },
    () => {
      state = 'failed'
    }
  )
  await yieldToEventLoop()
  return promise ? state : 'done'
}

describe('a log with flush.messages=1', () => {
  test('the flush limit does not advance before the sync is done, which completes the waiting callers', async () => {
    const { storage, log, observed } = await heldLog({ flushMessages: 1 })
    append(log)
    const settled = log.settled()
    expect(log).toMatchObject({ flushLimit: 1n, logEndOffset: 2n, recoveryPoint: 1n })
    expect(await stateOf(settled)).toBe('waits')
    expect(observed.flushed).toBe(0)
    await storage.release()
    expect(await stateOf(settled)).toBe('done')
    expect(log).toMatchObject({ flushLimit: 2n, recoveryPoint: 2n })
    expect(observed.flushed).toBe(1)
    expect(log.settled()).toBeUndefined()
  })

  test('a sync serves all earlier appends, and appends during a sync are part of the next one', async () => {
    const { storage, log, observed } = await heldLog({ flushMessages: 1 })
    append(log)
    const first = log.settled()
    append(log, 20)
    const others = log.settled()
    expect(storage.asked).toHaveLength(1)
    await storage.release()
    expect([await stateOf(first), await stateOf(others)]).toEqual(['done', 'waits'])
    expect(log).toMatchObject({ flushLimit: 2n, logEndOffset: 22n })
    await storage.release()
    expect(await stateOf(others)).toBe('done')
    expect(storage.asked).toHaveLength(2)
    expect(observed.flushed).toBe(2)
  })

  test('data acknowledged after a sync survives a loss of power, with the names of its segments', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const storage = new HeldStorage({ canLosePower: true })
      storage.makeDirectory(FOLDER)
      const log = openLog(storage, { flushMessages: 1, segmentBytes: 200 })
      for (let batch = 0; batch < 12; batch++) {
        append(log)
        if (batch % 3 === seed % 3) await log.settled()
      }
      const promised = log.flushLimit
      const left = storage.losePower(seededRandom(seed), 'any', { canLosePower: true })
      const { recoveryPoint } = log
      const found = contents(reopenAfterCrash(left, {}, { recoveryPoint }))
      expect(found.length).toBeGreaterThanOrEqual(Number(promised))
    }
  })

  test('data that a dead process has not synced is synced before the flush limit includes it', () => {
    const storage = new HeldStorage()
    append(openLog(storage), 3)
    const log = reopenAfterCrash(storage, { flushMessages: 1 })
    expect(log).toMatchObject({ flushLimit: 3n, recoveryPoint: 3n })
    storage.loseUnsynced()
    expect(contents(reopenAfterCrash(storage))).toHaveLength(3)
  })

  test('a log that cannot sync the data of a dead process is offline', () => {
    const fault = ({ name }: { name: string }) => (isBroken && name === 'sync' ? { error: EIO } : undefined)
    let isBroken = false
    const storage = new HeldStorage({ fault })
    append(openLog(storage), 3)
    isBroken = true
    const log = reopenAfterCrash(storage, { flushMessages: 1 })
    isBroken = false
    expect(() => log.checkOnline()).toThrow(OFFLINE)
    expect(() => log.settled()).toThrow(OFFLINE)
  })

  test('a close waits for the current sync and completes the waiting callers', async () => {
    const { storage, log } = await heldLog({ flushMessages: 1 })
    append(log)
    const settled = log.settled()
    append(log)
    const later = log.settled()
    const closed = log.close()
    expect(await stateOf(closed)).toBe('waits')
    await storage.flow()
    await closed
    expect([await stateOf(settled), await stateOf(later)]).toEqual(['done', 'done'])
    expect(log.recoveryPoint).toBe(3n)
  })

  test('a deletion of the partition fails the waiting callers', async () => {
    const { storage, log, observed } = await heldLog({ flushMessages: 1 })
    append(log)
    const settled = log.settled()
    storage.rename(FOLDER, 'gone')
    log.abandon()
    await expect(settled).rejects.toMatchObject({ code: 'NOT_LEADER_OR_FOLLOWER' })
    expect(observed.offline).toBe(1)
    await storage.flow()
    expect(log.recoveryPoint).toBe(1n)
  })
})

describe('a log with flush.messages above 1', () => {
  test('a log holds no sync before flush.messages records wait', async () => {
    const { storage, log } = await heldLog({ flushMessages: 3 })
    append(log, 2)
    expect(log.flushLimit).toBe(3n)
    expect(log.settled()).toBeUndefined()
    append(log, 2)
    expect(log.flushLimit).toBe(3n)
    expect(storage.asked).toHaveLength(1)
    await storage.release()
    // The record that was appended during the sync is not due.
    expect(log).toMatchObject({ flushLimit: 5n, recoveryPoint: 4n })
    expect(storage.asked).toHaveLength(1)
  })

  test('flush.messages can change at any time, and the flush limit never moves back', async () => {
    const { storage, log } = await heldLog({})
    append(log, 5)
    const { flushMessages } = log.config
    reconfigure(log, { flushMessages: 1 })
    expect(log.flushLimit).toBe(6n)
    append(log)
    expect(log.flushLimit).toBe(6n)
    reconfigure(log, { flushMessages })
    append(log)
    expect(log.flushLimit).toBe(6n)
    await storage.release()
    expect(log.flushLimit).toBe(8n)
  })
})

describe('a log with flush.ms', () => {
  test('no record is unsynced for longer than flush.ms, and no caller waits for the sync', async () => {
    const { storage, log, clock } = await heldLog({ flushMs: 100 })
    await storage.flow()
    append(log)
    clock.advance(99)
    append(log)
    expect(log.flushLimit).toBe(3n)
    expect(log.recoveryPoint).toBe(1n)
    clock.advance(1)
    await yieldToEventLoop()
    expect(log.recoveryPoint).toBe(3n)
    clock.advance(1000)
    await yieldToEventLoop()
    expect(clock.pendingAlarms).toBe(0)
  })

  test('flush.ms can change at any time', async () => {
    const { storage, log, clock } = await heldLog({})
    await storage.flow()
    append(log)
    expect(clock.pendingAlarms).toBe(0)
    reconfigure(log, { flushMs: 10 })
    clock.advance(10)
    await yieldToEventLoop()
    expect(log.recoveryPoint).toBe(2n)
    append(log)
    reconfigure(log, { flushMs: Number.MAX_SAFE_INTEGER })
    expect(clock.pendingAlarms).toBe(0)
  })
})

describe('a failed sync', () => {
  test('a failed sync fails all waiting callers and takes the log offline until a restart', async () => {
    const { storage, log, observed } = await heldLog({ flushMessages: 1 })
    append(log)
    const first = log.settled()
    append(log)
    const second = log.settled()
    const outcomes = Promise.allSettled([first, second])
    await storage.fail(EIO)
    expect(await outcomes).toEqual([
      { status: 'rejected', reason: OFFLINE },
      { status: 'rejected', reason: OFFLINE }
    ])
    await storage.flow()
    expect(log).toMatchObject({ flushLimit: 1n, recoveryPoint: 1n })
    expect(observed.offline).toBe(1)
    expect(observed.flushed).toBe(0)
    expect(storage.asked).toHaveLength(1)
    expect(() => append(log)).toThrow(OFFLINE)
    expect(() => log.settled()).toThrow(OFFLINE)
    expect(() => log.read(0n, { maxBytes: 1000, upTo: 1n, minOneBatch: true })).toThrow(OFFLINE)
    await expect(log.close()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(storage.asked).toHaveLength(1)
  })

  test('a failed sync of a full segment takes the log offline', async () => {
    const { storage, log } = await heldLog({ segmentBytes: 200 })
    append(log, 3)
    await storage.fail(EIO)
    expect(() => append(log)).toThrow(OFFLINE)
  })

  test('a sync does not move the recovery point after an append has taken the log offline', async () => {
    let isBroken = false
    const fault = ({ name }: { name: string }) => (isBroken && name === 'append' ? { error: EIO } : undefined)
    const storage = new HeldStorage({ fault })
    const log = openLog(storage, { flushMessages: 1 })
    storage.hold()
    append(log)
    const settled = log.settled()
    isBroken = true
    expect(() => append(log)).toThrow(OFFLINE)
    await expect(settled).rejects.toEqual(OFFLINE)
    await storage.flow()
    expect(log.recoveryPoint).toBe(0n)
  })
})

describe('the sync of a full segment', () => {
  test('a full segment is synced with its indexes and its name while appends continue', async () => {
    const { storage, log } = await heldLog({ segmentBytes: 200, indexIntervalBytes: 1 })
    await storage.flow()
    append(log, 3)
    expect(log.segments.length).toBe(2)
    expect(log).toMatchObject({ flushLimit: 4n, recoveryPoint: 1n })
    await yieldToEventLoop()
    expect(log.recoveryPoint).toBe(2n)
    storage.loseUnsynced()
    const reopened = reopenAfterCrash(storage, {}, { recoveryPoint: 2n })
    expect(contents(reopened)).toHaveLength(2)
  })

  test('the index files of a full segment are synced before the recovery point passes it', async () => {
    const storage = new HeldStorage({ canLosePower: true })
    const log = openLog(storage, { segmentBytes: 200, indexIntervalBytes: 1, flushMessages: 1 })
    for (let batch = 0; batch < 9; batch++) {
      append(log)
      await log.settled()
    }
    const { recoveryPoint } = log
    storage.loseUnsynced()
    const reopened = reopenAfterCrash(storage, { segmentBytes: 200 }, { recoveryPoint })
    expect(contents(reopened)).toHaveLength(9)
    expect(reopened.reader.maxTimestampOffset()?.timestamp).toBe(1000n)
  })

  test('a synchronous sync covers full segments whose own syncs are under way', async () => {
    const { storage, log } = await heldLog({ segmentBytes: 200 })
    append(log, 2)
    expect(log.segments.length).toBe(2)
    log.syncNow()
    expect(log.recoveryPoint).toBe(3n)
    storage.loseUnsynced()
    expect(contents(reopenAfterCrash(storage))).toHaveLength(3)
    await storage.flow()
    expect(log.recoveryPoint).toBe(3n)
  })
})
