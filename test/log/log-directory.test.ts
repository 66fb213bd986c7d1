import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DataDirectoryError } from '../../src/log/data-directory-error.ts'
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts'
import { LogDirectory } from '../../src/log/log-directory.ts'
import { MemoryStorage, type MemoryStorageOptions } from '../../src/log/memory-storage.ts'
import { NodeStorage } from '../../src/log/node-storage.ts'
import type { TopicPartition } from '../../src/log/partition-folder.ts'
import { replaceFile, type Storage, StorageError } from '../../src/log/storage.ts'
import { nextTurn } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { batchOf, contents, HandClock } from './log-fixture.ts'

const T0 = 1_700_000_000_000n
const TOPIC_ID = 'J5MVhC4LQ4u3oPUZ3z2vyA'
const OTHER_ID = 'Zk2yQ1xnSVmyPlYdSWQXdw'
const ORDERS = { topic: 'my-orders', partition: 3 }
const METADATA = { topic: '__cluster_metadata', partition: 0 }

function open(storage: Storage, clock = new HandClock(), identity: object = {}): Promise<LogDirectory> {
  const options = { storage, clock, random: seededRandom(5), logger: silentLogger }
  return LogDirectory.open({ ...options, identity: { nodeId: 1, ...identity } })
}

/** As the broker does when it knows its topics. */
function load(directory: LogDirectory, ids: (topic: string) => string | undefined): Promise<void> {
  const owned = ({ topic }: TopicPartition) => {
    const topicId = ids(topic)
    return topicId === undefined ? undefined : { topicId, config: () => DEFAULT_LOG_CONFIG }
  }
  return directory.load({ owned })
}

function logOf(directory: LogDirectory, partition = ORDERS, topicId = TOPIC_ID) {
  return directory.log(partition, topicId, DEFAULT_LOG_CONFIG)
}

function text(storage: Storage, path: string): string {
  return storage.read(path, 0, storage.size(path)).toString()
}

function names(storage: Storage, folder = ''): string[] {
  return storage.list(folder).map(({ name }) => name)
}

describe('a new directory', () => {
  test('gets an identity and keeps it', async () => {
    const storage = new MemoryStorage()
    const first = await open(storage)
    expect(first.meta).toMatchObject({ nodeId: 1 })
    expect(first.meta.clusterId).toMatch(/^[\w-]{22}$/)
    expect(text(storage, 'meta.properties')).toContain(`cluster.id=${first.meta.clusterId}\nnode.id=1\n`)
    expect((await open(storage)).meta).toEqual(first.meta)
  })

  test('is still new where a first start died before it had an identity', async () => {
    const storage = new MemoryStorage()
    storage.append('meta.properties.tmp', Buffer.from('version=1\ncl'))
    await open(storage)
    expect(text(storage, 'meta.properties')).toMatch(/^version=1\ncluster.id=.{22}\nnode.id=1\n/)
  })

  test('has no partition folder before the first use of a partition', async () => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    expect(directory.has(ORDERS)).toBe(false)
    logOf(directory)
    expect(directory.has(ORDERS)).toBe(true)
    expect(text(storage, 'my-orders-3/partition.metadata')).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`)
    expect(logOf(directory)).toBe(logOf(directory))
  })
})

describe('a directory that is not ours', () => {
  test('files without meta.properties are refused in a sentence', async () => {
    const storage = new MemoryStorage()
    storage.append('holiday.jpg', Buffer.from('x'))
    await expect(open(storage)).rejects.toThrow(/holds files \(such as 'holiday.jpg'\)/)
    expect(names(storage)).toEqual(['holiday.jpg'])
  })

  test('another node or cluster is refused', async () => {
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

  test("Kafka's own meta.properties are understood, and get a directory id where there is none", async () => {
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
])('stop and start %s', (_name, create) => {
  test('a clean stop leaves the mark, the checkpoints and exact index files, and everything is found again', async () => {
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

  test('after a crash everything that was appended is there, and the start as of the last checkpoint', async () => {
    const { storage, cleanUp } = create()
    const clock = new HandClock()
    const log = logOf(await open(storage, clock))
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

  test('checkpoints of partitions that were not used stay', async () => {
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

test('a clean start opens no partition', async () => {
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

test('a stop does not wait for the disk where nothing was written', async () => {
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

test('moving the starts of many logs writes one checkpoint, not one each', async () => {
  let writes = 0
  const storage = new MemoryStorage({
    fault: ({ name, path }) => {
      if (name === 'append' && path.startsWith('log-start-offset-checkpoint')) writes++
      return undefined
    }
  })
  const clock = new HandClock()
  const directory = await open(storage, clock)
  for (let partition = 0; partition < 50; partition++) {
    const log = logOf(directory, { topic: 'my-orders', partition })
    log.append(batchOf([T0, T0]), 0)
    log.moveLogStart(1n)
  }
  clock.advance(60_000)
  expect(writes).toBe(1)
  expect(text(storage, 'log-start-offset-checkpoint')).toMatch(/^0\n50\nmy-orders 0 1\n/)
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

describe('index files that are missing after a clean stop', () => {
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

  test('are made again', async () => {
    const { storage, before } = await closedDirectory()
    const log = logOf(await open(storage))
    expect(contents(log)).toEqual(before)
    expect(storage.size(`${firstSegment}.timeindex`)).toBe(12)
  })

  test('are no excuse for a hole: behind damage that is found on the way nothing is kept', async () => {
    const { storage, before } = await closedDirectory()
    storage.truncate(`${firstSegment}.log`, storage.size(`${firstSegment}.log`) - 1)
    const log = logOf(await open(storage))
    expect(contents(log)).toEqual(before.slice(0, -3))
    expect(log.segments.length).toBe(1)
  })

  test('of a log that cannot be read keep it offline', async () => {
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

test('a log that lost its end after a clean stop keeps what is left of it', async () => {
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

test('metadata that is damaged amid what was synced is not cut short, a torn end is', async () => {
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
    new RegExp(`${path} is damaged at position \\d+, and what follows would be lost`)
  )
  const last = await flipped(size => 3 * size - 1)
  expect(logOf(await open(last), METADATA).logEndOffset).toBe(2n)
})

test('the metadata log stays where its partition.metadata is damaged', async () => {
  const storage = new MemoryStorage()
  const directory = await open(storage)
  logOf(directory, METADATA).append(batchOf([T0]), 0)
  await directory.close()
  const damaged = Buffer.from(`version: 0\ntopic_id: ${OTHER_ID}`)
  replaceFile(storage, '__cluster_metadata-0/partition.metadata', damaged)
  expect(logOf(await open(storage), METADATA).logEndOffset).toBe(1n)
  expect(names(storage).filter(name => name.endsWith('-stray'))).toEqual([])
})

test('a partition that cannot be recovered is offline, the others are not', async () => {
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

describe('deletion', () => {
  test('renames the folder at once, refuses the old log, and removes the files after the delay', async () => {
    const storage = new MemoryStorage()
    const clock = new HandClock()
    const directory = await open(storage, clock)
    const log = logOf(directory)
    log.append(batchOf([T0]), 0)
    directory.deleteLog(ORDERS, 60_000)
    expect(directory.has(ORDERS)).toBe(false)
    expect(names(storage).filter(name => /^my-orders-3\.[0-9a-f]{32}-delete$/.test(name))).toHaveLength(1)
    expect(() => log.append(batchOf([T0]), 0)).toThrow(expect.objectContaining({ code: 'NOT_LEADER_OR_FOLLOWER' }))
    clock.advance(60_000)
    await nextTurn()
    expect(names(storage).filter(name => name.startsWith('my-orders'))).toEqual([])
    await directory.close()
  })

  test('a new topic of the name starts afresh, at once and after a crash', async () => {
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
    await nextTurn()
    expect(names(storage).filter(name => name.endsWith('-delete'))).toEqual([])
  })

  test('a crash right after it leaves nothing of the old topic to the new one', async () => {
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

  test('a partition that was never used is deleted without a trace', async () => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    directory.deleteLog(ORDERS, 0)
    const checkpoints = ['cleaner-offset-checkpoint', 'recovery-point-offset-checkpoint']
    expect(names(storage).sort()).toEqual([...checkpoints, 'meta.properties'].sort())
  })

  test('a name too long for the suffix is cut', async () => {
    const storage = new MemoryStorage()
    const directory = await open(storage)
    const long = { topic: 'x'.repeat(249), partition: 12 }
    logOf(directory, long)
    directory.deleteLog(long, 1000)
    const [renamed] = names(storage).filter(name => name.endsWith('-delete'))
    expect(renamed).toHaveLength(255)
    expect(renamed).toMatch(/^x+-12\.[0-9a-f]{32}-delete$/)
  })

  test('nothing is left to fire after a stop', async () => {
    const clock = new HandClock()
    const directory = await open(new MemoryStorage(), clock)
    logOf(directory)
    directory.deleteLog(ORDERS, 60_000)
    await directory.close()
    expect(clock.alarms).toBe(0)
  })
})

describe('folders that belong to nobody', () => {
  test('of a topic that is not in the metadata, or had another id, are put aside', async () => {
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

  test('of an earlier topic are put aside when the new one is used', async () => {
    const storage = new MemoryStorage()
    const first = await open(storage)
    logOf(first).append(batchOf([T0]), 0)
    await first.close()
    const next = await open(storage)
    expect(logOf(next, ORDERS, OTHER_ID).logEndOffset).toBe(0n)
    expect(names(storage).filter(name => name.endsWith('-stray'))).toHaveLength(1)
  })

  test('with names that are not of a partition are left alone', async () => {
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

test('checkpoints are written every minute, and only when something has changed', async () => {
  const storage = new MemoryStorage()
  const clock = new HandClock()
  const directory = await open(storage, clock)
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

test('the metadata log is always recovered, and in no checkpoint', async () => {
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
