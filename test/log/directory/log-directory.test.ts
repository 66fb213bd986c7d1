// The identity of a data directory, its stop and its start.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DataDirectoryError } from '../../../src/storage/data-directory-error.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { NodeStorage } from '../../../src/storage/node-storage.ts'
import { type Storage, StorageError } from '../../../src/storage/storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { batchOf, contents, T0 } from '../log-fixture.ts'
import {
  logOf,
  METADATA,
  names,
  ORDERS,
  OTHER_ID,
  open,
  openWithCheckpoints,
  TOPIC_ID,
  text
} from './directory-fixture.ts'

describe('a new directory', () => {
  test('a new directory gets an identity and keeps it', async () => {
    const storage = new MemoryStorage()
    const first = await open(storage)
    expect(first.meta).toMatchObject({ nodeId: 1 })
    expect(first.meta.clusterId).toMatch(/^[\w-]{22}$/)
    expect(text(storage, 'meta.properties')).toContain(`cluster.id=${first.meta.clusterId}\nnode.id=1\n`)
    expect((await open(storage)).meta).toEqual(first.meta)
  })

  test('a directory is still new if its first start died before it had an identity', async () => {
    const storage = new MemoryStorage()
    storage.append('meta.properties.tmp', Buffer.from('version=1\ncl'))
    await open(storage)
    expect(text(storage, 'meta.properties')).toMatch(/^version=1\ncluster.id=.{22}\nnode.id=1\n/)
  })

  test('a directory has no partition folder before the first use of a partition', async () => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    expect(directory.has(ORDERS)).toBe(false)
    logOf(directory)
    expect(directory.has(ORDERS)).toBe(true)
    expect(text(storage, 'my-orders-3/partition.metadata')).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`)
    expect(logOf(directory)).toBe(logOf(directory))
  })
})

describe('a directory of another node', () => {
  test('a directory that has files but no meta.properties is refused with one sentence', async () => {
    const storage = new MemoryStorage()
    storage.append('holiday.jpg', Buffer.from('x'))
    await expect(open(storage)).rejects.toThrow(/holds files \(such as 'holiday.jpg'\)/)
    expect(names(storage)).toEqual(['holiday.jpg'])
  })

  test('a directory of another node or cluster is refused', async () => {
    const storage = new MemoryStorage()
    await open(storage, undefined, { clusterId: 'mine' })
    await expect(open(storage, undefined, { nodeId: 2 })).rejects.toThrow(DataDirectoryError)
    await expect(open(storage, undefined, { clusterId: 'theirs' })).rejects.toThrow(/belongs to cluster 'mine'/)
    await open(storage, undefined, { clusterId: 'mine' })
  })

  test.each(['', 'version=0\nbroker.id=1\n', 'version=1\nnode.id=1\n', 'version=1\ncluster.id=x\nnode.id=one\n'])(
    'meta.properties of %j are refused',
    async content => {
      const storage = new MemoryStorage()
      storage.append('meta.properties', Buffer.from(content))
      await expect(open(storage)).rejects.toThrow(DataDirectoryError)
    }
  )

  test("Kafka's own meta.properties are accepted and get a directory id if they have none", async () => {
    const storage = new MemoryStorage()
    storage.append(
      'meta.properties',
      Buffer.from('#\n#Fri Nov 21 10:00:00 UTC 2025\nnode.id=1\nversion=1\ncluster.id=a\\=b\n')
    )
    const { meta } = await open(storage)
    expect(meta.clusterId).toBe('a=b')
    expect(text(storage, 'meta.properties')).toContain(`directory.id=${meta.directoryId}\n`)
    expect((await open(storage)).meta).toEqual(meta)
  })
})

describe.each<[string, () => { storage: Storage; cleanUp: () => void }]>([
  ['in memory', () => ({ storage: new MemoryStorage(), cleanUp: () => {} })],
  [
    'on disk',
    () => {
      const root = mkdtempSync(join(tmpdir(), 'minikafka-directory-'))
      const storage = new NodeStorage(root)
      const cleanUp = () => {
        storage.close()
        rmSync(root, { recursive: true })
      }
      return { storage, cleanUp }
    }
  ]
])('stop and start of a directory %s', (_name, create) => {
  test('a clean stop writes the clean shutdown file, checkpoints and exact index files, and a start finds all data', async () => {
    const { storage, cleanUp } = create()
    const directory = await open(storage)
    const log = logOf(directory)
    for (let step = 0n; step < 5n; step++) log.append(batchOf([T0 + step], 3000), 0)
    log.moveLogStart(2n)
    const before = contents(log)
    await directory.close()
    expect(text(storage, '.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":-1}')
    expect(text(storage, 'recovery-point-offset-checkpoint')).toBe('0\n1\nmy-orders 3 5\n')
    expect(text(storage, 'log-start-offset-checkpoint')).toBe('0\n1\nmy-orders 3 2\n')
    expect(text(storage, 'replication-offset-checkpoint')).toBe('0\n1\nmy-orders 3 5\n')
    expect(text(storage, 'my-orders-3/leader-epoch-checkpoint')).toBe('0\n1\n0 2\n')
    expect(storage.size('my-orders-3/00000000000000000000.index')).toBe(16)
    expect(storage.size('my-orders-3/00000000000000000000.timeindex')).toBe(24)

    const next = await open(storage)
    expect(next.wasClean).toBe(true)
    expect(storage.exists('.kafka_cleanshutdown')).toBe(false)
    expect(contents(logOf(next))).toEqual(before)
    expect(logOf(next)).toMatchObject({ logStartOffset: 2n, logEndOffset: 5n, recoveryPoint: 5n })
    cleanUp()
  })

  test('a start after a crash finds all appended batches, and the log start of the last checkpoint', async () => {
    const { storage, cleanUp } = create()
    const clock = new ManualClock()
    const log = logOf(await openWithCheckpoints(storage, clock))
    for (let step = 0n; step < 5n; step++) log.append(batchOf([T0 + step]), 0)
    log.moveLogStart(3n)
    clock.advance(60_000)
    log.moveLogStart(4n)
    storage.append('my-orders-3/00000000000000000000.log', Buffer.from('torn'))
    const next = await open(storage)
    expect(next.wasClean).toBe(false)
    expect(logOf(next)).toMatchObject({ logStartOffset: 3n, logEndOffset: 5n })
    logOf(next).append(batchOf([T0]), 0)
    expect(contents(logOf(next))).toHaveLength(3)
    cleanUp()
  })

  test('checkpoint entries of partitions that were not used stay', async () => {
    const { storage, cleanUp } = create()
    const first = await open(storage)
    logOf(first).append(batchOf([T0, T0]), 0)
    logOf(first).moveLogStart(1n)
    await first.close()
    const second = await open(storage)
    logOf(second, { topic: 'other', partition: 0 }, OTHER_ID).append(batchOf([T0]), 0)
    await second.close()
    expect(text(storage, 'recovery-point-offset-checkpoint')).toBe('0\n2\nmy-orders 3 2\nother 0 1\n')
    expect(logOf(await open(storage)).logStartOffset).toBe(1n)
    cleanUp()
  })
})

test('a start after a clean stop opens no partition', async () => {
  const storage = new MemoryStorage()
  const first = await open(storage)
  logOf(first).append(batchOf([T0]), 0)
  await first.close()
  const touched: string[] = []
  const watched = new MemoryStorage({ fault: ({ path }) => void touched.push(path) })
  for (const folder of ['', 'my-orders-3']) {
    watched.makeDirectory(folder)
    for (const { name, kind } of storage.list(folder)) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (kind === 'file') watched.append(path, storage.read(path, 0, storage.size(path)))
    }
  }
  touched.length = 0
  await open(watched)
  expect(touched.filter(path => path.startsWith('my-orders-3'))).toEqual([])
})

test('a stop does not wait for the disk if no batch was appended', async () => {
  const synced: string[] = []
  const storage = new MemoryStorage({ fault: ({ name, path }) => void (name === 'sync' && synced.push(path)) })
  const first = await open(storage)
  logOf(first).append(batchOf([T0]), 0)
  await first.close()
  const second = await open(storage)
  logOf(second)
  synced.length = 0
  await second.close()
  expect(synced.filter(path => path.startsWith('my-orders-3'))).toEqual([])
})

test('a log that cannot be closed keeps the directory unclean', async () => {
  let isBroken = false
  const storage = new MemoryStorage({
    fault: ({ name, path }) =>
      isBroken && name === 'sync' && path.endsWith('.log') ? { error: new StorageError('failed', 'lost') } : undefined
  })
  const directory = await open(storage)
  logOf(directory).append(batchOf([T0]), 0)
  isBroken = true
  await directory.close()
  expect(storage.exists('.kafka_cleanshutdown')).toBe(false)
  expect(text(storage, 'recovery-point-offset-checkpoint')).toBe('0\n1\nmy-orders 3 0\n')
})

test.each(['recovery-point-offset-checkpoint', '.kafka_cleanshutdown'])(
  'a stop for which the disk has no room for %s still closes all logs, and is not clean',
  async file => {
    let isFull = false
    const closed: string[] = []
    const storage = new MemoryStorage({
      fault: ({ name, path }) => {
        if (isFull && name === 'sync' && path.endsWith('.log')) closed.push(path.slice(0, path.indexOf('/')))
        const fails = isFull && name === 'append' && path.startsWith(file)
        return fails ? { error: new StorageError('full', 'no space left') } : undefined
      }
    })
    const directory = await open(storage)
    logOf(directory).append(batchOf([T0]), 0)
    logOf(directory, METADATA).append(batchOf([T0]), 0)
    isFull = true
    await directory.close()
    expect(closed).toEqual(['my-orders-3', '__cluster_metadata-0'])
    expect(storage.exists('.kafka_cleanshutdown')).toBe(false)
    isFull = false
    expect(logOf(await open(storage)).logEndOffset).toBe(1n)
  }
)
