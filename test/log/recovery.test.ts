/** Folders whose files do not fit together, and what opening them after a clean stop or a crash makes of that. */
import { describe, expect, test } from 'vitest'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts'
import { LogDirectory } from '../../src/log/log-directory.ts'
import { MemoryStorage } from '../../src/log/memory-storage.ts'
import type { PartitionLog } from '../../src/log/partition-log.ts'
import { type SegmentSuffix, segmentPath } from '../../src/log/segment-names.ts'
import { replaceFile } from '../../src/log/storage.ts'
import type { RecordBatch } from '../../src/protocol/records/batch.ts'
import { crc32c } from '../../src/protocol/records/checksum.ts'
import { nextTurn } from '../../src/runtime/clock.ts'
import { type Logger, silentLogger } from '../../src/runtime/logger.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { batchOf, contents, HandClock } from './log-fixture.ts'

const T0 = 1_700_000_000_000n
const TOPIC_ID = 'J5MVhC4LQ4u3oPUZ3z2vyA'
const PARTITION = { topic: 't', partition: 0 }
const FOLDER = 't-0'
const BATCH_BYTES = batchOf([T0]).sizeInBytes
/** Segments of ten batches, with an index entry for every other one. */
const CONFIG = { ...DEFAULT_LOG_CONFIG, segmentBytes: 10 * BATCH_BYTES, indexIntervalBytes: BATCH_BYTES }

async function opened(storage: MemoryStorage, warnings: string[] = []) {
  const warn: Logger['warn'] = (_, message) => warnings.push(message)
  const world = { storage, clock: new HandClock(), random: seededRandom(5), logger: { ...silentLogger, warn } }
  const directory = await LogDirectory.open({ ...world, identity: { nodeId: 1 } })
  return { directory, log: () => directory.log(PARTITION, TOPIC_ID, CONFIG) }
}

/** A directory with a log of 35 batches in four segments, and what is in it. */
async function written(end: 'closed' | 'killed') {
  const storage = new MemoryStorage()
  const { directory, log } = await opened(storage)
  for (let step = 0n; step < 35n; step++) log().append(batchOf([T0 + step]), 0)
  const before = contents(log())
  const indexes = indexesOf(storage)
  directory.checkpoint()
  if (end === 'closed') await directory.close()
  return { storage, before, indexes: end === 'closed' ? indexesOf(storage) : indexes }
}

function indexesOf(storage: MemoryStorage): Record<string, string> {
  const names = storage.list(FOLDER).map(({ name }) => name)
  const found = names.filter(name => name.endsWith('index')).map(name => [name, bytesOf(storage, `${FOLDER}/${name}`)])
  return Object.fromEntries(found.map(([name, bytes]) => [name, bytes?.toString('hex')]))
}

function bytesOf(storage: MemoryStorage, path: string): Buffer {
  return Buffer.from(storage.read(path, 0, storage.size(path)))
}

function holdsAll(log: PartitionLog, before: readonly unknown[]): void {
  expect(contents(log)).toEqual(before)
  expect(log.logEndOffset).toBe(BigInt(before.length))
}

const index = (base: bigint) => segmentPath(FOLDER, base, 'index')
const timeIndex = (base: bigint) => segmentPath(FOLDER, base, 'timeindex')

describe('after a clean stop index files are made again that', () => {
  const cases: [string, (storage: MemoryStorage) => void][] = [
    ['are missing', storage => storage.removeNow(index(10n))],
    ['are missing in the last segment', storage => storage.removeNow(index(30n))],
    ['have lost their times', storage => storage.removeNow(timeIndex(10n))],
    ['end in the middle of an entry', storage => storage.truncate(index(10n), 12)],
    ['end in the middle of a time', storage => storage.truncate(timeIndex(10n), 13)],
    ['point beyond the log', storage => replaceFile(storage, index(10n), Buffer.from('000000090000ffff', 'hex'))],
    ['point before the log', storage => replaceFile(storage, index(10n), Buffer.from('00000009ffffffff', 'hex'))],
    ['hold impossible times', storage => replaceFile(storage, timeIndex(10n), Buffer.alloc(12, 0xff))]
  ]
  test.each(cases)('%s', async (_, harm) => {
    const { storage, before, indexes } = await written('closed')
    harm(storage)
    const warnings: string[] = []
    const { log } = await opened(storage, warnings)
    expect(warnings).toEqual([])
    holdsAll(log(), before)
    expect(indexesOf(storage)).toEqual(indexes)
    expect(warnings).toEqual(['a segment lacks index files that fit it: it is checked, and they are made again'])
  })
})

describe('after a clean stop', () => {
  test('nothing is made again where all is as it should be', async () => {
    const { storage, before, indexes } = await written('closed')
    const warnings: string[] = []
    const { log } = await opened(storage, warnings)
    holdsAll(log(), before)
    expect(indexesOf(storage)).toEqual(indexes)
    expect(warnings).toEqual([])
  })

  test('a last segment that ends in garbage is cut back to its batches', async () => {
    const { storage, before } = await written('closed')
    storage.append(segmentPath(FOLDER, 30n, 'log'), Buffer.alloc(7, 0xab))
    const { log } = await opened(storage)
    holdsAll(log(), before)
    log().append(batchOf([T0]), 0)
    expect(log().logEndOffset).toBe(36n)
  })

  test('what a dead cleaner has left is cleared at the first use', async () => {
    const { storage, before } = await written('closed')
    storage.append(segmentPath(FOLDER, 0n, 'log', '.cleaned'), Buffer.from('half'))
    storage.append(segmentPath(FOLDER, 0n, 'log', '.deleted'), Buffer.from('old'))
    const { log, directory } = await opened(storage)
    holdsAll(log(), before)
    await nextTurn()
    await directory.close()
    expect(storage.list(FOLDER).filter(({ name }) => /cleaned|deleted/.test(name))).toEqual([])
  })
})

describe('after a kill', () => {
  test('only what lies past the recovery point is gone through; of the rest both ends are looked at', async () => {
    const { storage, before } = await written('killed')
    const checkpoint = 'recovery-point-offset-checkpoint'
    replaceFile(storage, checkpoint, Buffer.from('0\n1\nt 0 20\n'))
    const read = new Map<string, number>()
    const readFile = storage.read.bind(storage)
    storage.read = (path, position, length) => {
      const bytes = readFile(path, position, length)
      if (path.endsWith('.log')) read.set(path, (read.get(path) ?? 0) + bytes.length)
      return bytes
    }
    const { directory, log } = await opened(storage)
    await directory.load({ owned: () => ({ topicId: TOPIC_ID, config: () => CONFIG }) })
    const scanned = [...read].filter(([, bytes]) => bytes > 3 * BATCH_BYTES).map(([path]) => path)
    expect(scanned).toEqual([20n, 30n].map(base => segmentPath(FOLDER, base, 'log')))
    holdsAll(log(), before)
  })

  test.each(['0\n1\nt 0 1000\n', '0\n1\nt 0 0\n', 'nonsense'])('a recovery point of %j does no harm', async content => {
    const { storage, before } = await written('killed')
    replaceFile(storage, 'recovery-point-offset-checkpoint', Buffer.from(content))
    holdsAll((await opened(storage)).log(), before)
  })

  test('a log that is shorter than any checkpoint says begins again where it must', async () => {
    const { storage } = await written('killed')
    replaceFile(storage, 'log-start-offset-checkpoint', Buffer.from('0\n1\nt 0 100\n'))
    const { log } = await opened(storage)
    expect(log()).toMatchObject({ logStartOffset: 100n, logEndOffset: 100n })
    log().append(batchOf([T0]), 0)
    expect(contents(log())).toHaveLength(1)
  })

  test('a short log gets its index files when it is closed, and its times are known before', async () => {
    const storage = new MemoryStorage()
    const first = await opened(storage)
    first.log().append(batchOf([T0 + 7n]), 0)
    first.log().append(batchOf([T0]), 0)
    const { directory, log } = await opened(storage)
    expect(log().segments[0]?.largestTimestamp).toEqual({ timestamp: T0 + 7n, offset: 0n })
    expect(storage.exists(index(0n)) || storage.exists(timeIndex(0n))).toBe(false)
    await directory.close()
    expect([storage.size(index(0n)), storage.size(timeIndex(0n))]).toEqual([0, 12])
  })

  test.each(['', 'nonsense', '0\n1\n', '0\n2\n0 0\n5 1', '0\n2\n4 3\n5 3\n'])(
    'a leader epoch file of %j is made again from the batches',
    async content => {
      const { storage, before } = await written('killed')
      replaceFile(storage, `${FOLDER}/leader-epoch-checkpoint`, Buffer.from(content))
      const { log } = await opened(storage)
      holdsAll(log(), before)
      expect(log().leaderEpochs.latest?.epoch).toBe(0)
    }
  )

  test('indexes that were laid out in advance are cut to their entries', async () => {
    const { storage, before } = await written('killed')
    storage.append(index(30n), Buffer.alloc(8192))
    storage.append(timeIndex(30n), Buffer.alloc(12 * 700))
    const { log, directory } = await opened(storage)
    holdsAll(log(), before)
    await directory.close()
    expect(storage.size(index(30n))).toBe(16)
    expect(storage.size(timeIndex(30n))).toBe(24)
  })

  test('what a cut takes is told, later segments included', async () => {
    const { storage } = await written('killed')
    storage.truncate(segmentPath(FOLDER, 10n, 'log'), 3 * BATCH_BYTES + 5)
    const told: object[] = []
    const logger: Logger = { ...silentLogger, warn: bindings => void told.push(bindings) }
    const world = { storage, clock: new HandClock(), random: seededRandom(5), logger }
    const directory = await LogDirectory.open({ ...world, identity: { nodeId: 1 } })
    directory.log(PARTITION, TOPIC_ID, CONFIG)
    const cut = { folder: FOLDER, segment: 10n, endOffset: 13n, cutBytes: 5, removedSegments: 2 }
    expect(told).toEqual([expect.objectContaining(cut)])
  })

  test('damage ends the log, and a crash in the middle of cutting it makes no hole', async () => {
    for (let at = 1; ; at++) {
      const { storage, before } = await written('killed')
      const path = segmentPath(FOLDER, 10n, 'log')
      const bytes = bytesOf(storage, path)
      bytes.writeUInt8(bytes.readUInt8(3 * BATCH_BYTES - 1) ^ 1, 3 * BATCH_BYTES - 1)
      replaceFile(storage, path, bytes)
      const started = await opened(storage)
      const crashed = crashAfter(storage, at, () => started.log())
      holdsAll((await opened(storage)).log(), before.slice(0, 12))
      if (!crashed) break
    }
  })
})

describe('files that are not where their names say', () => {
  const name = (base: bigint) => segmentPath(FOLDER, base, 'log')
  /** A copy of the second segment, of offsets 10 to 19, under another name. */
  function copied(storage: MemoryStorage, base: bigint, suffixes: readonly SegmentSuffix[]): void {
    for (const suffix of suffixes) {
      replaceFile(storage, segmentPath(FOLDER, base, suffix), bytesOf(storage, segmentPath(FOLDER, 10n, suffix)))
    }
  }

  const ALL: readonly SegmentSuffix[] = ['log', 'index', 'timeindex']
  const cases: [string, RegExp, (storage: MemoryStorage) => void][] = [
    ['a copy that begins before its name', /15\.log begins at offset 10/, storage => copied(storage, 15n, ALL)],
    ['one without indexes', /15\.log begins at offset 10/, storage => copied(storage, 15n, ['log'])],
    ['one that comes last', /50\.log begins at offset 10/, storage => copied(storage, 50n, ['log'])],
    ['a copy that begins after its name', /05\.log begins/, storage => copied(storage, 5n, ALL)],
    ['a longer copy', /00\.log ends at offset 19, and \S*10\.log begins/, storage => longer(storage)],
    [
      'a longer copy without indexes',
      /00\.log ends at offset 19/,
      storage => {
        longer(storage)
        storage.removeNow(index(0n))
      }
    ]
  ]
  /** Of the first segment, which goes on to where the second ends. */
  function longer(storage: MemoryStorage): void {
    storage.append(name(0n), bytesOf(storage, name(10n)))
  }

  test.each(cases)('%s: the partition is offline, and nothing is changed', async (_, what, mislay) => {
    for (const end of ['closed', 'killed'] as const) {
      const { storage } = await written(end)
      mislay(storage)
      const found = storage
        .list(FOLDER)
        .filter(({ name }) => name.endsWith('.log'))
        .map(({ name }) => name)
      const logs = found.map(name => bytesOf(storage, `${FOLDER}/${name}`))
      // The first start leaves the directory unclean: the second must find the same.
      for (const _ of [1, 2]) expect((await opened(storage)).log).toThrow(what)
      expect(found.map(name => bytesOf(storage, `${FOLDER}/${name}`))).toEqual(logs)
    }
  })
})

describe('a gap between two segments after a crash', () => {
  /** Two full segments beyond the recovery point and one more; the second has lost its last batches whole. */
  async function lost() {
    const { storage, before } = await written('killed')
    replaceFile(storage, 'recovery-point-offset-checkpoint', Buffer.from('0\n1\nt 0 10\n'))
    storage.truncate(segmentPath(FOLDER, 10n, 'log'), 7 * BATCH_BYTES)
    return { storage, whole: before.slice(0, 17), withHole: [...before.slice(0, 17), ...before.slice(20)] }
  }

  async function found(storage: MemoryStorage, config: Partial<LogConfig> = {}) {
    const { directory } = await opened(storage)
    const log = directory.log(PARTITION, TOPIC_ID, { ...CONFIG, ...config })
    expect(log.logEndOffset).toBe((contents(log).at(-1)?.baseOffset ?? -1n) + 1n)
    return contents(log)
  }

  test('ends the log where it was never on the disk', async () => {
    const { storage, whole } = await lost()
    expect(await found(storage)).toEqual(whole)
  })

  test('ends the log of a partition that is younger than the recovery points', async () => {
    const { storage, whole } = await lost()
    replaceFile(storage, 'recovery-point-offset-checkpoint', Buffer.from('0\n0\n'))
    expect(await found(storage)).toEqual(whole)
  })

  test('ends the log in a new directory, which knows of its partitions from the beginning', async () => {
    const storage = new MemoryStorage()
    const { log } = await opened(storage)
    for (let step = 0n; step < 25n; step++) log().append(batchOf([T0 + step]), 0)
    const before = contents(log())
    storage.truncate(segmentPath(FOLDER, 0n, 'log'), 9 * BATCH_BYTES)
    expect(await found(storage)).toEqual(before.slice(0, 9))
  })

  const harmless: [string, (storage: MemoryStorage) => void][] = [
    ['the disk had it', storage => checkpoint(storage, 'recovery-point-offset', '0\n1\nt 0 20\n')],
    ['nobody knows what the disk had', storage => storage.removeNow('recovery-point-offset-checkpoint')],
    ['what the disk had is damaged', storage => checkpoint(storage, 'recovery-point-offset', '0\n7\nt 0 10\n')],
    ['what the disk had is empty', storage => checkpoint(storage, 'recovery-point-offset', '')],
    ['nobody knows what was compacted', storage => storage.removeNow('cleaner-offset-checkpoint')],
    ['what was compacted is damaged', storage => checkpoint(storage, 'cleaner-offset', '0\n7\nt 0 10\n')],
    ['it was compacted once', storage => checkpoint(storage, 'cleaner-offset', '0\n1\nt 0 10\n')],
    [
      'retention took what was there',
      storage => storage.append(segmentPath(FOLDER, 18n, 'log', '.deleted'), Buffer.alloc(9))
    ]
  ]
  test.each(harmless)('is kept where %s', async (_, given) => {
    const { storage, withHole } = await lost()
    given(storage)
    expect(await found(storage)).toEqual(withHole)
  })

  test('is kept where an index is made again of what the disk had', async () => {
    const { storage, withHole } = await lost()
    checkpoint(storage, 'recovery-point-offset', '0\n1\nt 0 35\n')
    storage.removeNow(index(10n))
    expect(await found(storage)).toEqual(withHole)
  })

  test('is kept before the log start: what follows is offered', async () => {
    const { storage, withHole } = await lost()
    checkpoint(storage, 'log-start-offset', '0\n1\nt 0 25\n')
    expect(await found(storage)).toEqual(withHole.slice(-10))
  })

  test('is kept in a log that is compacted', async () => {
    const { storage, withHole } = await lost()
    expect(await found(storage, { isCompacted: true, isDeleted: false })).toEqual(withHole)
  })

  test.each([
    [4, 'among the batches'],
    [0, 'at the beginning']
  ])('is kept where others tell of compaction: batch %d of a segment is missing, %s', async missing => {
    const { storage, withHole } = await lost()
    const path = segmentPath(FOLDER, 10n, 'log')
    const bytes = bytesOf(storage, path)
    const left = [bytes.subarray(0, missing * BATCH_BYTES), bytes.subarray((missing + 1) * BATCH_BYTES)]
    replaceFile(storage, path, Buffer.concat(left))
    expect(await found(storage)).toEqual(withHole.filter(({ baseOffset }) => baseOffset !== 10n + BigInt(missing)))
  })

  test('is kept where a batch has fewer records than offsets', async () => {
    const storage = new MemoryStorage()
    const { log } = await opened(storage)
    log().append(filteredBatch(), 0)
    for (let step = 0n; step < 25n; step++) log().append(batchOf([T0 + step]), 0)
    const before = contents(log())
    const [first, second] = log().segments
    storage.truncate(segmentPath(FOLDER, 0n, 'log'), (first?.size ?? 0) - BATCH_BYTES)
    expect(await found(storage)).toEqual(before.filter(({ baseOffset }) => baseOffset + 1n !== second?.baseOffset))
  })

  test('is kept after a clean stop, whatever has happened to its files since', async () => {
    const { storage, before } = await written('closed')
    storage.truncate(segmentPath(FOLDER, 10n, 'log'), 7 * BATCH_BYTES)
    expect(await found(storage)).toEqual([...before.slice(0, 17), ...before.slice(20)])
  })
})

function checkpoint(storage: MemoryStorage, name: string, content: string): void {
  replaceFile(storage, `${name}-checkpoint`, Buffer.from(content))
}

/** A batch of three offsets of which compaction has left one record. */
function filteredBatch(): RecordBatch {
  const batch = batchOf([T0])
  batch.bytes.writeInt32BE(2, 23)
  batch.bytes.writeUInt32BE(crc32c(batch.bytes.subarray(21)), 17)
  return batch
}

/** Does something of which only the first `operations` changes happen. Returns whether that was not all. */
function crashAfter(storage: MemoryStorage, operations: number, act: () => unknown): boolean {
  const methods = ['append', 'truncate', 'rename', 'removeNow'] as const
  let left = operations
  for (const name of methods) {
    const real: (...args: never[]) => void = storage[name].bind(storage)
    Object.assign(storage, {
      [name]: (...args: never[]) => {
        if (left-- <= 0) throw new Error('the process is gone')
        real(...args)
      }
    })
  }
  try {
    act()
    return false
  } catch {
    return true
  } finally {
    for (const name of methods) Reflect.deleteProperty(storage, name)
  }
}
