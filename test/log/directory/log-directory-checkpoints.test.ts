// Times and contents of the checkpoints of a data directory.
import { expect, test } from 'vitest'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { batchOf, T0 } from '../log-fixture.ts'
import { load, logOf, METADATA, open, openWithCheckpoints, text } from './directory-fixture.ts'

test('a data directory writes one checkpoint, not one each, when the starts of many logs move', async () => {
  let writes = 0
  const storage = new MemoryStorage({
    fault: ({ name, path }) => {
      if (name === 'append' && path.startsWith('log-start-offset-checkpoint')) writes++
      return undefined
    }
  })
  const clock = new ManualClock()
  const directory = await openWithCheckpoints(storage, clock)
  for (let partition = 0; partition < 50; partition++) {
    const log = logOf(directory, { topic: 'my-orders', partition })
    log.append(batchOf([T0, T0]), 0)
    log.moveLogStart(1n)
  }
  clock.advance(60_000)
  expect(writes).toBe(1)
  expect(text(storage, 'log-start-offset-checkpoint')).toMatch(/^0\n50\nmy-orders 0 1\n/)
})

test('checkpoints are written every minute, and only after a change', async () => {
  const storage = new MemoryStorage()
  const clock = new ManualClock()
  const directory = await openWithCheckpoints(storage, clock)
  logOf(directory).append(batchOf([T0]), 0)
  clock.advance(60_000)
  expect(text(storage, 'replication-offset-checkpoint')).toBe('0\n1\nmy-orders 3 1\n')
  const operations = storage.operationCount
  clock.advance(60_000)
  expect(storage.operationCount).toBe(operations)
})

test('a damaged checkpoint file counts as empty', async () => {
  const storage = new MemoryStorage()
  const first = await open(storage)
  logOf(first).append(batchOf([T0]), 0)
  await first.close()
  for (const file of ['recovery-point-offset-checkpoint', 'log-start-offset-checkpoint']) {
    storage.truncate(file, 0)
    storage.append(file, Buffer.from('0\n7\nnonsense\n'))
  }
  expect(logOf(await open(storage))).toMatchObject({ logStartOffset: 0n, logEndOffset: 1n })
})

test('the metadata log is always recovered and has no entry in any checkpoint', async () => {
  const storage = new MemoryStorage()
  const first = await open(storage)
  logOf(first, METADATA, 'AAAAAAAAAAAAAAAAAAAAAQ').append(batchOf([T0]), 1)
  await first.close()
  expect(text(storage, 'recovery-point-offset-checkpoint')).toBe('0\n0\n')
  storage.append('__cluster_metadata-0/00000000000000000000.log', Buffer.from('torn'))
  const next = await open(storage)
  await load(next, () => undefined)
  expect(logOf(next, METADATA, 'AAAAAAAAAAAAAAAAAAAAAQ').logEndOffset).toBe(1n)
})
