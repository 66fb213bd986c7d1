// A data directory with missing, truncated or damaged files.

import { describe, expect, test } from 'vitest'
import { MemoryStorage, type MemoryStorageOptions } from '../../../src/storage/memory-storage.ts'
import { replaceFile, StorageError } from '../../../src/storage/storage.ts'
import { DEFAULT_LOG_CONFIG } from '../default-log-config.ts'
import { batchOf, contents, T0 } from '../log-fixture.ts'
import { logOf, METADATA, names, ORDERS, OTHER_ID, open, TOPIC_ID } from './directory-fixture.ts'

/** Contents of all `.log` files of the partition. */
function logsIn(storage: MemoryStorage): Buffer[] {
  const paths = storage
    .list('my-orders-3')
    .flatMap(({ name }) => (name.endsWith('.log') ? [`my-orders-3/${name}`] : []))
  return paths.map(path => Buffer.from(storage.read(path, 0, storage.size(path))))
}

describe('missing index files after a clean stop', () => {
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: 200 }
  const firstSegment = 'my-orders-3/00000000000000000000'

  async function closedDirectory(fault: MemoryStorageOptions['fault'] = () => undefined) {
    const storage = new MemoryStorage({ fault })
    const directory = await open(storage)
    const log = directory.log(ORDERS, TOPIC_ID, config)
    for (let step = 0n; step < 4n; step++) log.append(batchOf([T0 + step]), 0)
    const before = contents(log)
    expect(log.segments.length).toBe(2)
    await directory.close()
    storage.removeNow(`${firstSegment}.timeindex`)
    return { storage, before }
  }

  test('missing index files are rebuilt', async () => {
    const { storage, before } = await closedDirectory()
    const log = logOf(await open(storage))
    expect(contents(log)).toEqual(before)
    expect(storage.size(`${firstSegment}.timeindex`)).toBe(12)
  })

  test('missing index files and damage in the middle take the log offline, and the data after the damage stays', async () => {
    const { storage } = await closedDirectory()
    storage.truncate(`${firstSegment}.log`, storage.size(`${firstSegment}.log`) - 1)
    const found = logsIn(storage)
    // The first of these starts leaves the directory unclean.
    for (const _ of [1, 2]) {
      const directory = await open(storage)
      expect(() => logOf(directory)).toThrow('000.log is damaged at position 78, and valid batches follow')
    }
    expect(logsIn(storage)).toEqual(found)
  })

  test('missing index files of a log that cannot be read keep the log offline', async () => {
    let isBroken = false
    const { storage } = await closedDirectory(({ name, path }) =>
      isBroken && name === 'read' && path === `${firstSegment}.log`
        ? { error: new StorageError('failed', 'input/output error') }
        : undefined
    )
    isBroken = true
    const directory = await open(storage)
    for (const _ of [1, 2]) expect(() => logOf(directory)).toThrow(StorageError)
  })
})

test('a log that lost its end after a clean stop keeps the remaining batches', async () => {
  const storage = new MemoryStorage()
  const directory = await open(storage)
  const log = directory.log(ORDERS, TOPIC_ID, { ...DEFAULT_LOG_CONFIG, indexIntervalBytes: 100 })
  for (let step = 0n; step < 20n; step++) log.append(batchOf([T0 + step]), 0)
  const before = contents(log)
  await directory.close()
  const path = 'my-orders-3/00000000000000000000.log'
  storage.truncate(path, storage.size(path) / 2)
  const reopened = logOf(await open(storage))
  expect(contents(reopened)).toEqual(before.slice(0, 10))
  expect(reopened.logEndOffset).toBe(10n)
})

test('the metadata log is not truncated at damage before its synced end, but at a torn end', async () => {
  const path = '__cluster_metadata-0/00000000000000000000.log'
  const flipped = async (position: (batchBytes: number) => number) => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    const log = logOf(directory, METADATA)
    for (let count = 0; count < 3; count++) log.append(batchOf([T0]), 0)
    await directory.close()
    const bytes = Buffer.from(storage.read(path, 0, storage.size(path)))
    const at = position(bytes.length / 3)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    replaceFile(storage, path, bytes)
    return storage
  }
  const inside = await flipped(size => size + size - 1)
  await expect(open(inside).then(directory => logOf(directory, METADATA))).rejects.toThrow(
    new RegExp(`${path} is damaged at position \\d+, and valid batches follow`)
  )
  const last = await flipped(size => 3 * size - 1)
  expect(logOf(await open(last), METADATA).logEndOffset).toBe(2n)
})

test('the metadata log stays if its partition.metadata is damaged', async () => {
  const storage = new MemoryStorage()
  const directory = await open(storage)
  logOf(directory, METADATA).append(batchOf([T0]), 0)
  await directory.close()
  const damaged = Buffer.from(`version: 0\ntopic_id: ${OTHER_ID}`)
  replaceFile(storage, '__cluster_metadata-0/partition.metadata', damaged)
  expect(logOf(await open(storage), METADATA).logEndOffset).toBe(1n)
  expect(names(storage).filter(name => name.endsWith('-stray'))).toEqual([])
})

test('a partition that cannot be recovered is offline, and the other partitions are not', async () => {
  let isBroken = false
  const storage = new MemoryStorage({
    fault: ({ name, path }) =>
      isBroken && name === 'read' && path.startsWith('my-orders-3/0')
        ? { error: new StorageError('failed', 'input/output error') }
        : undefined
  })
  const first = await open(storage)
  logOf(first).append(batchOf([T0]), 0)
  logOf(first, { topic: 'other', partition: 0 }, OTHER_ID).append(batchOf([T0]), 0)
  isBroken = true
  const next = await open(storage)
  expect(() => logOf(next)).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
  expect(logOf(next, { topic: 'other', partition: 0 }, OTHER_ID).logEndOffset).toBe(1n)
  isBroken = false
  await next.close()
  expect(storage.exists('.kafka_cleanshutdown')).toBe(false)
  expect(logOf(await open(storage)).logEndOffset).toBe(1n)
})
