import { describe, expect, test } from 'vitest'
import { settings } from '../../src/config/settings.ts'
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts'
import { MemoryStorage } from '../../src/log/memory-storage.ts'
import type { PartitionLog } from '../../src/log/partition-log.ts'
import { StorageError } from '../../src/log/storage.ts'
import { batchesIn, RecordBatch } from '../../src/protocol/records/batch.ts'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import { batchOf, contents, FOLDER, HandClock, openLog, reopenAfterCrash } from './log-fixture.ts'

const T0 = 1_700_000_000_000n

/** Appends batches of so many records each, a millisecond apart. */
function fill(log: PartitionLog, recordCounts: readonly number[], valueBytes = 10): void {
  for (const count of recordCounts) {
    const first = T0 + log.logEndOffset
    log.append(
      batchOf(
        Array.from({ length: count }, (_, index) => first + BigInt(index)),
        valueBytes
      ),
      0
    )
  }
}

function read(
  log: PartitionLog,
  offset: bigint,
  maxBytes: number,
  minOneBatch = true,
  upTo = log.logEndOffset
): Buffer {
  return log.read(offset, { maxBytes, upTo, minOneBatch })
}

function offsetsIn(bytes: Buffer): bigint[] {
  return [...batchesIn(bytes)].map(batch => batch.baseOffset)
}

describe('appending', () => {
  test('a batch gets the offsets after the last ones, and the leader epoch', () => {
    const log = openLog()
    expect(log.append(batchOf([T0, T0, T0]), 4)).toEqual({ baseOffset: 0n, lastOffset: 2n })
    expect(log.append(batchOf([T0]), 4)).toEqual({ baseOffset: 3n, lastOffset: 3n })
    expect(log).toMatchObject({ logStartOffset: 0n, logEndOffset: 4n, highWatermark: 4n, lastStableOffset: 4n })
    const [, second] = [...batchesIn(read(log, 0n, 10_000))]
    expect(second).toMatchObject({ baseOffset: 3n, partitionLeaderEpoch: 4 })
    expect(second?.hasValidCrc()).toBe(true)
  })

  test('a batch larger than a segment is refused before anything changes', () => {
    const log = openLog(new MemoryStorage(), { segmentBytes: 200 })
    expect(() => log.append(batchOf([T0], 300), 0)).toThrow(expect.objectContaining({ code: 'RECORD_LIST_TOO_LARGE' }))
    expect(log.logEndOffset).toBe(0n)
  })

  test('a full disk leaves the log as it was, and it goes on when there is room', () => {
    let isFull = false
    const full = new StorageError('full', 'no room')
    const storage = new MemoryStorage({
      fault: ({ name }) => (isFull && name === 'append' ? { error: full, writtenBytes: 30 } : undefined)
    })
    const log = openLog(storage)
    fill(log, [2, 2])
    const before = contents(log)
    isFull = true
    expect(() => fill(log, [2])).toThrow(full)
    expect(contents(log)).toEqual(before)
    isFull = false
    fill(log, [1])
    expect(contents(log)).toHaveLength(3)
    expect(contents(reopenAfterCrash(storage))).toEqual(contents(log))
  })

  test('after a write that cannot be undone the log is offline until it is opened again', () => {
    let isBroken = false
    const broken = new StorageError('failed', 'input/output error')
    const storage = new MemoryStorage({
      fault: ({ name }) => (isBroken && name !== 'read' ? { error: broken, writtenBytes: 30 } : undefined)
    })
    const log = openLog(storage)
    fill(log, [2])
    isBroken = true
    expect(() => fill(log, [1])).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
    isBroken = false
    expect(() => fill(log, [1])).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
    expect(() => read(log, 0n, 100)).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
    expect(offsetsIn(read(reopenAfterCrash(storage), 0n, 1000))).toEqual([0n])
  })

  test('an observer hears of batches with their offsets, of rolls before them, and of the end', async () => {
    const log = openLog(new MemoryStorage(), { segmentBytes: 200 })
    const heard: string[] = []
    log.observe({
      isLastOfProducer: () => false,
      observed: batch => {
        heard.push(`observed ${batch.baseOffset}-${batch.lastOffset}`)
        return undefined
      },
      firstUnstableOffset: () => undefined,
      arrived: () => {},
      offline: () => {},
      rolled: baseOffset => heard.push(`rolled ${baseOffset}`),
      closing: async endOffset => void heard.push(`closing ${endOffset}`)
    })
    fill(log, [2, 2, 1])
    await log.close()
    expect(heard).toEqual(['observed 0-1', 'observed 2-3', 'rolled 4', 'observed 4-4', 'closing 5'])
  })
})

describe('reading', () => {
  test('begins with the batch that holds the offset', () => {
    const log = openLog()
    fill(log, [3, 3, 3])
    expect(offsetsIn(read(log, 4n, 10_000))).toEqual([3n, 6n])
    expect(offsetsIn(read(log, 6n, 10_000))).toEqual([6n])
  })

  test('cuts the last batch wherever the limit falls', () => {
    const log = openLog()
    fill(log, [1, 1, 1])
    const [first] = [...batchesIn(read(log, 0n, 10_000))]
    const size = first?.sizeInBytes ?? 0
    expect(read(log, 0n, size + 7)).toHaveLength(size + 7)
    expect(read(log, 1n, size)).toHaveLength(size)
  })

  test('a first batch over the limit comes whole, or not at all, as was asked', () => {
    const log = openLog()
    fill(log, [1, 1], 5000)
    expect(offsetsIn(read(log, 1n, 10))).toEqual([1n])
    expect(read(log, 1n, 0, true).length).toBeGreaterThan(5000)
    expect(read(log, 1n, 10, false)).toHaveLength(0)
  })

  test('goes from one segment to the next, one at a time', () => {
    const log = openLog(new MemoryStorage(), { segmentBytes: 200 })
    fill(log, [1, 1, 1, 1, 1])
    expect(log.segments.length).toBe(3)
    expect(offsetsIn(read(log, 0n, 10_000))).toEqual([0n, 1n])
    expect(offsetsIn(read(log, 2n, 10_000))).toEqual([2n, 3n])
  })

  test('stops below the given offset', () => {
    const log = openLog(new MemoryStorage(), { segmentBytes: 200 })
    fill(log, [1, 1, 1, 1, 1])
    expect(offsetsIn(read(log, 0n, 10_000, true, 1n))).toEqual([0n])
    expect(read(log, 1n, 10_000, true, 1n)).toHaveLength(0)
    expect(read(log, 4n, 10_000, true, 2n)).toHaveLength(0)
  })

  test('at the end there is nothing, beyond it an error', () => {
    const log = openLog()
    fill(log, [2])
    expect(read(log, 2n, 100)).toHaveLength(0)
    expect(() => read(log, 3n, 100)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(() => read(log, -1n, 100)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
  })
})

describe('rolling', () => {
  test('by size: no segment outgrows its limit', () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, { segmentBytes: 300 })
    fill(
      log,
      Array.from({ length: 10 }, () => 1)
    )
    const names = storage.list(FOLDER).map(({ name }) => name)
    expect(names).toContain('00000000000000000000.log')
    expect(names).toContain('00000000000000000003.log')
    for (const name of names.filter(one => one.endsWith('.log'))) {
      expect(storage.size(`${FOLDER}/${name}`)).toBeLessThanOrEqual(300)
    }
  })

  test('by the time of the records since the first batch of the segment', () => {
    const log = openLog(new MemoryStorage(), { segmentMs: 1000 })
    log.append(batchOf([T0]), 0)
    log.append(batchOf([T0 + 1000n]), 0)
    expect(log.segments.length).toBe(1)
    log.append(batchOf([T0 + 1001n]), 0)
    expect(log.segments.length).toBe(2)
  })

  test('by the clock where records have no time', () => {
    const clock = new HandClock()
    const log = openLog(new MemoryStorage(), { segmentMs: 1000 }, { clock })
    log.append(batchOf([-1n]), 0)
    clock.advance(1001)
    log.append(batchOf([-1n]), 0)
    expect(log.segments.length).toBe(2)
  })

  test('never of an empty segment, however old', () => {
    const clock = new HandClock()
    const log = openLog(new MemoryStorage(), { segmentMs: 1000 }, { clock })
    clock.advance(100_000)
    log.append(batchOf([-1n]), 0)
    expect(log.segments.length).toBe(1)
  })

  test('when an index is full', () => {
    const log = openLog(new MemoryStorage(), { segmentIndexBytes: 36, indexIntervalBytes: 1 })
    fill(log, [1, 1, 1, 1])
    expect(log.segments.length).toBe(2)
  })

  test('a full disk at the roll changes nothing', () => {
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

  test('new settings hold from the next append on', () => {
    const log = openLog()
    fill(log, [1, 1])
    log.reconfigure({ ...DEFAULT_LOG_CONFIG, segmentBytes: 150 })
    fill(log, [1])
    expect(log.segments.length).toBe(2)
  })

  test('moves the recovery point once the full segment is on the disk', async () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, { segmentBytes: 200 })
    fill(log, [1, 1, 1])
    await new Promise(setImmediate)
    expect(log.recoveryPoint).toBe(2n)
    storage.loseUnsynced()
    expect(contents(reopenAfterCrash(storage, {}, { recoveryPoint: 2n }))).toHaveLength(2)
  })

  test('a full segment that does not reach the disk takes the log offline', async () => {
    const storage = new MemoryStorage({
      fault: ({ name }) => (name === 'sync' ? { error: new StorageError('failed', 'lost') } : undefined)
    })
    const log = openLog(storage, { segmentBytes: 200 })
    fill(log, [1, 1, 1])
    await new Promise(setImmediate)
    expect(() => fill(log, [1])).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
  })
})

describe('the log start', () => {
  test('moves forward only, and never beyond the high watermark', () => {
    const log = openLog()
    fill(log, [5, 5])
    log.moveLogStart(7n)
    log.moveLogStart(3n)
    expect(log.logStartOffset).toBe(7n)
    expect(() => log.moveLogStart(11n)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(() => read(log, 6n, 100)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(offsetsIn(read(log, 7n, 1000))).toEqual([5n])
  })

  test('beyond the end of what is left the log begins again there', () => {
    const storage = new MemoryStorage()
    fill(openLog(storage), [5])
    const log = openLog(storage, {}, { logStartOffset: 50n })
    expect(log).toMatchObject({ logStartOffset: 50n, logEndOffset: 50n })
    fill(log, [1])
    expect(offsetsIn(read(log, 50n, 1000))).toEqual([50n])
  })
})

describe('leader epochs', () => {
  test('say where an epoch ended', () => {
    const log = openLog()
    log.append(batchOf([T0, T0]), 1)
    log.append(batchOf([T0]), 3)
    log.beginLeaderEpoch(5)
    expect(log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 2n })
    expect(log.endOffsetForEpoch(2)).toEqual({ epoch: 1, endOffset: 2n })
    expect(log.endOffsetForEpoch(5)).toEqual({ epoch: 5, endOffset: 3n })
    expect(log.endOffsetForEpoch(6)).toBeUndefined()
    expect(log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 0n })
    expect(log.endOffsetForEpoch(-2)).toEqual({ epoch: -2, endOffset: 0n })
    expect(log.endOffsetForEpoch(-1)).toBeUndefined()
  })

  test('are found again in the batches after a crash', () => {
    const storage = new MemoryStorage()
    const log = openLog(storage)
    log.append(batchOf([T0, T0]), 1)
    log.append(batchOf([T0]), 3)
    storage.removeNow(`${FOLDER}/leader-epoch-checkpoint`)
    expect(reopenAfterCrash(storage).endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 2n })
  })
})

describe('timestamps', () => {
  test('lead to the first record that is not earlier, inside its batch', () => {
    const log = openLog()
    log.append(batchOf([T0, T0 + 5n, T0 + 3n]), 2)
    log.append(batchOf([T0 + 4n, T0 + 9n]), 2)
    expect(log.reader.offsetForTimestamp(T0 + 4n)).toEqual({ offset: 1n, timestamp: T0 + 5n, leaderEpoch: 2 })
    expect(log.reader.offsetForTimestamp(T0 + 6n)).toEqual({ offset: 4n, timestamp: T0 + 9n, leaderEpoch: 2 })
    expect(log.reader.offsetForTimestamp(0n)).toMatchObject({ offset: 0n })
    expect(log.reader.offsetForTimestamp(T0 + 10n)).toBeUndefined()
  })

  test('are looked up in compressed batches, and by append time where that counts', () => {
    const log = openLog()
    log.append(batchOf([T0, T0 + 5n], 10, { codec: 'gzip' }), 0)
    log.append(batchOf([T0, T0], 10, { timestampType: 'LogAppendTime', maxTimestamp: T0 + 50n }), 0)
    expect(log.reader.offsetForTimestamp(T0 + 1n)).toMatchObject({ offset: 1n, timestamp: T0 + 5n })
    expect(log.reader.offsetForTimestamp(T0 + 6n)).toMatchObject({ offset: 2n, timestamp: T0 + 50n })
  })

  test('are looked up in a batch that is larger than any that is let in by default', () => {
    const log = openLog()
    const value = Buffer.alloc(settings['minikafka.max.decompressed.bytes'].byDefault.value)
    log.append(buildBatch([{ timestamp: T0, key: null, value }], { codec: 'zstd' }), 0)
    expect(log.reader.offsetForTimestamp(T0)).toMatchObject({ offset: 0n })
  })

  test('below the log start do not count', () => {
    const log = openLog()
    log.append(batchOf([T0, T0 + 5n, T0 + 6n]), 0)
    log.moveLogStart(2n)
    expect(log.reader.offsetForTimestamp(T0)).toMatchObject({ offset: 2n })
  })

  test('the largest of all belongs to the first record that has it', () => {
    const log = openLog(new MemoryStorage(), { segmentBytes: 250 })
    log.append(batchOf([T0, T0 + 9n, T0 + 9n]), 0)
    log.append(batchOf([T0 + 9n]), 0)
    log.append(batchOf([T0 + 1n]), 0)
    expect(log.reader.maxTimestampOffset()).toEqual({ offset: 1n, timestamp: T0 + 9n, leaderEpoch: 0 })
    expect(openLog().reader.maxTimestampOffset()).toBeUndefined()
  })
})

describe('damage', () => {
  test('a log cut at any byte keeps the whole batches before, and takes more', () => {
    const storage = new MemoryStorage()
    const sizes: number[] = []
    const log = openLog(storage)
    for (const count of [1, 2, 1]) {
      fill(log, [count])
      sizes.push(log.sizeInBytes)
    }
    const path = `${FOLDER}/00000000000000000000.log`
    const bytes = storage.read(path, 0, log.sizeInBytes)
    for (let size = 0; size <= bytes.length; size++) {
      const torn = new MemoryStorage()
      torn.makeDirectory(FOLDER)
      torn.append(path, bytes.subarray(0, size))
      const reopened = reopenAfterCrash(torn)
      const whole = sizes.filter(end => end <= size).length
      expect(reopened.logEndOffset).toBe([0n, 1n, 3n, 4n][whole])
      fill(reopened, [1])
      expect(contents(reopened)).toHaveLength(whole + 1)
    }
  })

  test.each([
    ['a log', false, [0n, 1n, 2n, 3n]],
    ['a log that is compacted, where records go,', true, [0n, 1n, 2n, 3n, 6n, 7n]]
  ])('%s of which a full segment has lost whole batches', (_which, isCompacted, left) => {
    const storage = new MemoryStorage()
    const config = { segmentBytes: 250, isCompacted }
    fill(openLog(storage, config), [1, 1, 1, 1, 1, 1, 1, 1])
    const path = `${FOLDER}/00000000000000000003.log`
    storage.truncate(path, storage.size(path) / 3)
    const reopened = reopenAfterCrash(storage, config)
    expect(contents(reopened).map(({ baseOffset }) => baseOffset)).toEqual(left)
  })

  test('a flipped bit cuts the log there, and takes later segments along', () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, { segmentBytes: 250 })
    fill(log, [1, 1, 1, 1, 1, 1, 1, 1])
    const path = `${FOLDER}/00000000000000000003.log`
    const bytes = Buffer.from(storage.read(path, 0, storage.size(path)))
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
    storage.truncate(path, 0)
    storage.append(path, bytes)
    const reopened = reopenAfterCrash(storage)
    expect(reopened.logEndOffset).toBe(4n)
    expect(storage.list(FOLDER).filter(({ name }) => name.endsWith('.log'))).toHaveLength(2)
    fill(reopened, [1])
    expect(contents(reopened).map(({ baseOffset }) => baseOffset)).toEqual([0n, 1n, 2n, 3n, 4n])
  })

  test('segments before the recovery point are not looked at', () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, { segmentBytes: 250 })
    fill(log, [1, 1, 1, 1, 1, 1, 1, 1])
    const names = new Set<string>()
    const watched = new MemoryStorage({ fault: ({ name, path }) => void (name === 'read' && names.add(path)) })
    watched.makeDirectory(FOLDER)
    for (const { name } of storage.list(FOLDER)) {
      const path = `${FOLDER}/${name}`
      watched.append(path, storage.read(path, 0, storage.size(path)))
    }
    reopenAfterCrash(watched, {}, { recoveryPoint: 6n })
    expect([...names].filter(name => name.endsWith('.log'))).toEqual([`${FOLDER}/00000000000000000006.log`])
  })

  test('index files without a log go', () => {
    const storage = new MemoryStorage()
    fill(openLog(storage), [1])
    storage.append(`${FOLDER}/00000000000000000009.index`, Buffer.alloc(8))
    reopenAfterCrash(storage)
    expect(storage.exists(`${FOLDER}/00000000000000000009.index`)).toBe(false)
  })
})

test('a clean log is opened without a look at its records, but the last', async () => {
  const storage = new MemoryStorage()
  const log = openLog(storage, { segmentBytes: 10_000, indexIntervalBytes: 100 })
  fill(
    log,
    Array.from({ length: 300 }, () => 1),
    100
  )
  const before = contents(log)
  await log.close()
  let logBytesRead = 0
  const watched = new MemoryStorage({
    fault: ({ name, path }) => void (name === 'read' && path.endsWith('.log') && logBytesRead++)
  })
  watched.makeDirectory(FOLDER)
  for (const { name } of storage.list(FOLDER)) {
    const path = `${FOLDER}/${name}`
    watched.append(path, storage.read(path, 0, storage.size(path)))
  }
  const reopened = openLog(watched)
  expect(logBytesRead).toBe(1)
  expect(contents(reopened)).toEqual(before)
})

test('a deleted log refuses whoever still holds it', () => {
  const log = openLog()
  log.abandon()
  expect(() => fill(log, [1])).toThrow(expect.objectContaining({ code: 'NOT_LEADER_OR_FOLLOWER' }))
})

test('batches come out again from any offset', () => {
  const log = openLog(new MemoryStorage(), { segmentBytes: 250 })
  fill(log, [2, 2, 2, 2])
  const bases = (offset: bigint, upTo?: bigint) => [...log.batches(offset, upTo)].map(batch => batch.baseOffset)
  expect(bases(0n)).toEqual([0n, 2n, 4n, 6n])
  expect(bases(3n)).toEqual([2n, 4n, 6n])
  expect(bases(3n, 6n)).toEqual([2n, 4n])
  expect(bases(8n)).toEqual([])
  expect([...log.batches(0n)].every(batch => batch instanceof RecordBatch && batch.hasValidCrc())).toBe(true)
})
