/** The high watermark of a partition: its moves by appends, flushes and changes of the role, and the callers that wait for it. */
import { describe, expect, test } from 'vitest'
import { PartitionLog } from '../../src/log/partition-log/partition-log.ts'
import { HighWatermark } from '../../src/replica/high-watermark.ts'
import type { Role } from '../../src/replica/role.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { batchOf, logOptions, reconfigure } from '../log/log-fixture.ts'
import { HeldStorage } from '../log/partition-log/held-storage.ts'

const LEADER: Role = { kind: 'leader', leaderEpoch: 0, inSyncFollowers: [] }
const WITH_FOLLOWER: Role = { kind: 'leader', leaderEpoch: 0, inSyncFollowers: [2] }
const FOLLOWER: Role = { kind: 'follower', leaderEpoch: 1, leaderId: 2 }
const RESIGNED = new Error('not the leader')
const SIZE = batchOf([1000n]).sizeInBytes

/** A log with one synced record, whose syncs wait until the test releases them, and its high watermark. */
async function partition(flushMessages: number | undefined, role = LEADER) {
  const storage = new HeldStorage()
  const arrived: number[] = []
  const log: PartitionLog = new PartitionLog({
    ...logOptions(storage, flushMessages === undefined ? {} : { flushMessages }),
    observer: {
      observed: () => undefined,
      firstUnstableOffset: () => undefined,
      flushed: () => highWatermark.advance(),
      offline: why => highWatermark.fail(why),
      isLastOfProducer: () => false,
      rolled: () => {},
      closing: async () => {}
    }
  })
  const highWatermark = new HighWatermark(log, bytes => arrived.push(bytes))
  const become = (next: Role) => highWatermark.follow(next, () => RESIGNED)
  const append = () => {
    const batch = batchOf([1000n])
    log.append(batch, 0)
    highWatermark.appended(batch.nextOffset, batch.sizeInBytes)
  }
  become(LEADER)
  append()
  log.syncNow()
  await yieldToEventLoop()
  become(role)
  arrived.length = 0
  storage.hold()
  return { storage, log, highWatermark, arrived, append, become }
}

describe('the high watermark of the only replica', () => {
  test('it follows each append', async () => {
    const { log, highWatermark, arrived, append } = await partition(undefined)
    append()
    append()
    expect(log).toMatchObject({ highWatermark: 3n, lastStableOffset: 3n })
    expect(arrived).toEqual([SIZE, SIZE])
    expect(highWatermark.reached(3n)).toBeUndefined()
  })

  test('it includes a batch that flush.messages requires to be synced only after the sync', async () => {
    const { storage, log, highWatermark, arrived, append } = await partition(1)
    append()
    const first = highWatermark.reached(2n)
    append()
    append()
    const last = highWatermark.reached(4n)
    expect(log).toMatchObject({ highWatermark: 1n, lastStableOffset: 1n, logEndOffset: 4n })
    expect(arrived).toEqual([])
    await storage.release()
    await first
    expect(log.highWatermark).toBe(2n)
    await storage.release()
    await last
    expect(log.highWatermark).toBe(4n)
    expect(arrived).toEqual([SIZE, 2 * SIZE])
  })

  test('it includes all batches after a sync that makes no other due, with those that were appended meanwhile', async () => {
    const { storage, log, arrived, append } = await partition(3)
    for (let count = 0; count < 4; count++) append()
    expect(log.highWatermark).toBe(3n)
    await storage.release()
    expect(log).toMatchObject({ highWatermark: 5n, recoveryPoint: 4n })
    expect(arrived).toEqual([SIZE, SIZE, 2 * SIZE])
  })

  test('it never moves back when flush.messages changes', async () => {
    const { storage, log, append } = await partition(undefined)
    append()
    reconfigure(log, { flushMessages: 1 })
    append()
    expect(log.highWatermark).toBe(2n)
    await storage.release()
    expect(log.highWatermark).toBe(3n)
  })

  test('a failed sync fails the callers that wait for it', async () => {
    const { storage, log, highWatermark, append } = await partition(1)
    append()
    const waiting = expect(highWatermark.reached(2n)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    await storage.fail(new StorageError('failed', 'the device is gone'))
    await waiting
    expect(log.highWatermark).toBe(1n)
  })
})

describe('the high watermark of several replicas', () => {
  test('it stays while another replica is in sync, and includes all batches once the ISR has shrunk to the leader', async () => {
    const { log, highWatermark, arrived, append, become } = await partition(undefined, WITH_FOLLOWER)
    append()
    append()
    const waiting = highWatermark.reached(3n)
    expect(log).toMatchObject({ highWatermark: 1n, flushLimit: 3n })
    become(LEADER)
    await waiting
    expect(log.highWatermark).toBe(3n)
    expect(arrived).toEqual([2 * SIZE])
  })

  test('a leader that becomes a follower fails the callers that wait, and its flushes do not move the offset', async () => {
    const { storage, log, highWatermark, append, become } = await partition(1)
    append()
    const waiting = highWatermark.reached(2n)
    become(FOLLOWER)
    await expect(waiting).rejects.toBe(RESIGNED)
    await storage.release()
    expect(log).toMatchObject({ highWatermark: 1n, flushLimit: 2n })
    become(LEADER)
    expect(log.highWatermark).toBe(2n)
  })
})
