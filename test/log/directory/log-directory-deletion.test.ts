// Deleted partitions, and folders without a topic.
import { describe, expect, test } from 'vitest'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { batchOf, T0 } from '../log-fixture.ts'
import { load, logOf, names, ORDERS, OTHER_ID, open, TOPIC_ID } from './directory-fixture.ts'

describe('the deletion of a partition', () => {
  test('a deletion renames the folder at once, refuses the old log, and removes the files after the delay', async () => {
    const storage = new MemoryStorage()
    const clock = new ManualClock()
    const directory = await open(storage, clock)
    const log = logOf(directory)
    log.append(batchOf([T0]), 0)
    directory.deleteLog(ORDERS, 60_000)
    expect(directory.has(ORDERS)).toBe(false)
    expect(names(storage).filter(name => /^my-orders-3\.[0-9a-f]{32}-delete$/.test(name))).toHaveLength(1)
    expect(() => log.append(batchOf([T0]), 0)).toThrow(expect.objectContaining({ code: 'NOT_LEADER_OR_FOLLOWER' }))
    clock.advance(60_000)
    await yieldToEventLoop()
    expect(names(storage).filter(name => name.startsWith('my-orders'))).toEqual([])
    await directory.close()
  })

  test('a new topic with the name of a deleted one starts empty, at once and after a crash', async () => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    logOf(directory).append(batchOf([T0, T0, T0]), 0)
    logOf(directory).moveLogStart(2n)
    directory.checkpoint()
    directory.deleteLog(ORDERS, 60_000)
    expect(logOf(directory, ORDERS, OTHER_ID)).toMatchObject({ logStartOffset: 0n, logEndOffset: 0n })
    logOf(directory, ORDERS, OTHER_ID).append(batchOf([T0]), 0)
    const next = await open(storage)
    expect(logOf(next, ORDERS, OTHER_ID)).toMatchObject({ logStartOffset: 0n, logEndOffset: 1n })
    await load(next, () => OTHER_ID)
    await yieldToEventLoop()
    expect(names(storage).filter(name => name.endsWith('-delete'))).toEqual([])
  })

  test('a crash right after a deletion leaves no data of the old topic to the new one', async () => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    logOf(directory).append(batchOf([T0, T0, T0]), 0)
    logOf(directory).moveLogStart(2n)
    directory.checkpoint()
    directory.deleteLog(ORDERS, 60_000)
    const next = await open(storage)
    logOf(next, ORDERS, OTHER_ID).append(batchOf([T0]), 0)
    const last = await open(storage)
    expect(logOf(last, ORDERS, OTHER_ID)).toMatchObject({ logStartOffset: 0n, logEndOffset: 1n })
  })

  test('a deleted partition that was never used leaves no files', async () => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    directory.deleteLog(ORDERS, 0)
    const checkpoints = ['cleaner-offset-checkpoint', 'recovery-point-offset-checkpoint']
    expect(names(storage).sort()).toEqual([...checkpoints, 'meta.properties'].sort())
  })

  test('a name that is too long for the suffix is truncated', async () => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    const long = { topic: 'x'.repeat(249), partition: 12 }
    logOf(directory, long)
    directory.deleteLog(long, 1000)
    const [renamed] = names(storage).filter(name => name.endsWith('-delete'))
    expect(renamed).toHaveLength(255)
    expect(renamed).toMatch(/^x+-12\.[0-9a-f]{32}-delete$/)
  })

  test('a stop leaves no pending deletion', async () => {
    const clock = new ManualClock()
    const directory = await open(new MemoryStorage(), clock)
    logOf(directory)
    directory.deleteLog(ORDERS, 60_000)
    await directory.close()
    expect(clock.pendingAlarms).toBe(0)
  })
})

describe('folders without a topic', () => {
  test('folders of a topic that is not in the metadata, or has another id, are renamed as strays', async () => {
    const storage = new MemoryStorage()
    const first = await open(storage)
    logOf(first, { topic: 'gone', partition: 0 })
    logOf(first, { topic: 'again', partition: 0 })
    logOf(first, ORDERS)
    logOf(first, { topic: 'again', partition: 0 }).append(batchOf([T0]), 0)
    const next = await open(storage)
    const ids = new Map([
      ['again', OTHER_ID],
      ['my-orders', TOPIC_ID]
    ])
    await load(next, topic => ids.get(topic))
    expect(next.has(ORDERS)).toBe(true)
    expect(next.has({ topic: 'gone', partition: 0 })).toBe(false)
    expect(next.has({ topic: 'again', partition: 0 })).toBe(false)
    expect(names(storage).filter(name => name.endsWith('-stray'))).toHaveLength(2)
  })

  test('folders of an earlier topic are renamed as strays when the new topic is used', async () => {
    const storage = new MemoryStorage()
    const first = await open(storage)
    logOf(first).append(batchOf([T0]), 0)
    await first.close()
    const next = await open(storage)
    expect(logOf(next, ORDERS, OTHER_ID).logEndOffset).toBe(0n)
    expect(names(storage).filter(name => name.endsWith('-stray'))).toHaveLength(1)
  })

  test('folders whose names are not of a partition stay as they are', async () => {
    const storage = new MemoryStorage()
    await open(storage)
    const foreign = ['lost+found', 'no-number-x', `t-0.${'0'.repeat(32)}-future`, `t-0.${'0'.repeat(32)}-stray`]
    for (const name of foreign) storage.makeDirectory(name)
    const directory = await open(storage)
    await load(directory, () => undefined)
    await directory.close()
    for (const name of foreign) expect(storage.exists(name)).toBe(true)
  })
})
