// Recovery of the segments of a log at a start, after a clean stop and after a kill.

import { describe, expect, test } from 'vitest'
import { LogDirectory } from '../../../src/log/directory/log-directory.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { segmentPath } from '../../../src/log/segment/segment-names.ts'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { replaceFile } from '../../../src/storage/storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { DIRECTORY_SETTINGS } from '../default-log-config.ts'
import { batchOf, contents, FOLDER, T0 } from '../log-fixture.ts'
import {
  BATCH_BYTES,
  bytesOf,
  CONFIG,
  checkpoint,
  index,
  indexesOf,
  opened,
  PARTITION,
  TOPIC_ID,
  written
} from './recovery-fixture.ts'

function holdsAll(log: PartitionLog, before: readonly unknown[]): void {
  expect(contents(log)).toEqual(before)
  expect(log.logEndOffset).toBe(BigInt(before.length))
}

const timeIndex = (base: bigint) => segmentPath(FOLDER, base, 'timeindex')

describe('index files after a clean stop', () => {
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
  test.each(cases)('index files that %s are rebuilt after a clean stop', async (_, harm) => {
    const { storage, before, indexes } = await written('closed')
    harm(storage)
    const events = new RecordingEvents()
    const { log } = await opened(storage, events)
    expect(events.all).toEqual([])
    holdsAll(log(), before)
    expect(indexesOf(storage)).toEqual(indexes)
    expect(events.all).toMatchObject([{ type: 'IndexesRebuilt', topicPartition: FOLDER }])
  })
})

describe('recovery after a clean stop', () => {
  test('intact index files are not rebuilt after a clean stop', async () => {
    const { storage, before, indexes } = await written('closed')
    const events = new RecordingEvents()
    const { log } = await opened(storage, events)
    holdsAll(log(), before)
    expect(indexesOf(storage)).toEqual(indexes)
    expect(events.all).toEqual([])
  })

  test('a last segment that ends in garbage is truncated to its batches', async () => {
    const { storage, before } = await written('closed')
    storage.append(segmentPath(FOLDER, 30n, 'log'), Buffer.alloc(7, 0xab))
    const { log } = await opened(storage)
    holdsAll(log(), before)
    log().append(batchOf([T0]), 0)
    expect(log().logEndOffset).toBe(36n)
  })

  test('files of a dead cleaner are removed at the first use of the log', async () => {
    const { storage, before } = await written('closed')
    storage.append(segmentPath(FOLDER, 0n, 'log', '.cleaned'), Buffer.from('half'))
    storage.append(segmentPath(FOLDER, 0n, 'log', '.deleted'), Buffer.from('old'))
    const { log, directory } = await opened(storage)
    holdsAll(log(), before)
    await yieldToEventLoop()
    await directory.close()
    expect(storage.list(FOLDER).filter(({ name }) => /cleaned|deleted/.test(name))).toEqual([])
  })
})

describe('recovery after a kill', () => {
  test('recovery reads only what lies past the recovery point, and both ends of the rest', async () => {
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

  test('a log that ends before its checkpointed log start is empty and begins there', async () => {
    const { storage } = await written('killed')
    replaceFile(storage, 'log-start-offset-checkpoint', Buffer.from('0\n1\nt 0 100\n'))
    const { log } = await opened(storage)
    expect(log()).toMatchObject({ logStartOffset: 100n, logEndOffset: 100n })
    log().append(batchOf([T0]), 0)
    expect(contents(log())).toHaveLength(1)
  })

  test('a short log gets its index files when it is closed, and timestamp lookups work before', async () => {
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
    'a leader epoch file of %j is rebuilt from the batches',
    async content => {
      const { storage, before } = await written('killed')
      replaceFile(storage, `${FOLDER}/leader-epoch-checkpoint`, Buffer.from(content))
      const { log } = await opened(storage)
      holdsAll(log(), before)
      expect(log().leaderEpochs.latest?.epoch).toBe(0)
    }
  )

  test('preallocated indexes are truncated to their entries', async () => {
    const { storage, before } = await written('killed')
    storage.append(index(30n), Buffer.alloc(8192))
    storage.append(timeIndex(30n), Buffer.alloc(12 * 700))
    const { log, directory } = await opened(storage)
    holdsAll(log(), before)
    await directory.close()
    expect(storage.size(index(30n))).toBe(16)
    expect(storage.size(timeIndex(30n))).toBe(24)
  })

  test('a truncation reports the bytes that it removes, including later segments', async () => {
    const { storage } = await written('killed')
    storage.truncate(segmentPath(FOLDER, 10n, 'log'), 3 * BATCH_BYTES + 5)
    const events = new RecordingEvents()
    const ports = { storage, clocks: new ManualClock(), random: seededRandom(5), events }
    const directory = await LogDirectory.open({ ...DIRECTORY_SETTINGS, ...ports, identity: { nodeId: 1 } })
    directory.log(PARTITION, TOPIC_ID, CONFIG)
    const cut = { topicPartition: FOLDER, baseOffset: 10n, endOffset: 13n, cutBytes: 5, removedSegments: 2 }
    expect(events.all).toMatchObject([{ type: 'LogTruncated', ...cut }])
  })

  test('damage before the recovery point with batches after it takes the log offline, and no file is changed', async () => {
    const { storage } = await written('killed')
    checkpoint(storage, 'recovery-point-offset', '0\n1\nt 0 34\n')
    const path = segmentPath(FOLDER, 30n, 'log')
    const bytes = bytesOf(storage, path)
    bytes.writeUInt8(bytes.readUInt8(3 * BATCH_BYTES - 1) ^ 1, 3 * BATCH_BYTES - 1)
    replaceFile(storage, path, bytes)
    for (const _ of [1, 2]) expect((await opened(storage)).log).toThrow(`damaged at position ${2 * BATCH_BYTES}`)
    expect(bytesOf(storage, path)).toEqual(bytes)
    checkpoint(storage, 'recovery-point-offset', '0\n1\nt 0 32\n')
    expect((await opened(storage)).log().logEndOffset).toBe(32n)
  })

  test('damage ends the log, and a crash during the truncation leaves no gap', async () => {
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

/** Runs an action whose storage operations fail after the first `operations`. Returns whether any failed. */
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
