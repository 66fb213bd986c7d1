// The log of a partition: appends, reads and the log start.
import { describe, expect, test } from 'vitest'
import type { BatchObserver } from '../../../src/log/partition-log/batch-observer.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { batchesIn, RecordBatch } from '../../../src/protocol/records/batch.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { batchOf, contents, fill, openLog, reopenAfterCrash, T0 } from '../log-fixture.ts'

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
  test('a batch gets the next offsets and the leader epoch', () => {
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

  test('a full disk leaves the log unchanged, and appends succeed when there is room', () => {
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

  test('a failed write that cannot be undone takes the log offline until it is opened again', () => {
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

  test('an observer gets batches with their offsets, rolls before them, and the end', async () => {
    const heard: string[] = []
    const observer: Partial<BatchObserver> = {
      observed: batch => {
        heard.push(`observed ${batch.baseOffset}-${batch.lastOffset}`)
        return undefined
      },
      rolled: baseOffset => heard.push(`rolled ${baseOffset}`),
      closing: async endOffset => void heard.push(`closing ${endOffset}`)
    }
    const log = openLog(new MemoryStorage(), { segmentBytes: 200 }, { observer })
    fill(log, [2, 2, 1])
    await log.close()
    expect(heard).toEqual(['observed 0-1', 'observed 2-3', 'rolled 4', 'observed 4-4', 'closing 5'])
  })
})

describe('reading', () => {
  test('a read begins with the batch that contains the offset', () => {
    const log = openLog()
    fill(log, [3, 3, 3])
    expect(offsetsIn(read(log, 4n, 10_000))).toEqual([3n, 6n])
    expect(offsetsIn(read(log, 6n, 10_000))).toEqual([6n])
  })

  test('a read cuts the last batch at the limit, wherever that is', () => {
    const log = openLog()
    fill(log, [1, 1, 1])
    const [first] = [...batchesIn(read(log, 0n, 10_000))]
    const size = first?.sizeInBytes ?? 0
    expect(read(log, 0n, size + 7)).toHaveLength(size + 7)
    expect(read(log, 1n, size)).toHaveLength(size)
  })

  test('a first batch over the limit is returned whole or not at all, as requested', () => {
    const log = openLog()
    fill(log, [1, 1], 5000)
    expect(offsetsIn(read(log, 1n, 10))).toEqual([1n])
    expect(read(log, 1n, 0, true).length).toBeGreaterThan(5000)
    expect(read(log, 1n, 10, false)).toHaveLength(0)
  })

  test('a read covers one segment, and the next read the next segment', () => {
    const log = openLog(new MemoryStorage(), { segmentBytes: 200 })
    fill(log, [1, 1, 1, 1, 1])
    expect(log.segments.length).toBe(3)
    expect(offsetsIn(read(log, 0n, 10_000))).toEqual([0n, 1n])
    expect(offsetsIn(read(log, 2n, 10_000))).toEqual([2n, 3n])
  })

  test('a read stops below the given offset', () => {
    const log = openLog(new MemoryStorage(), { segmentBytes: 200 })
    fill(log, [1, 1, 1, 1, 1])
    expect(offsetsIn(read(log, 0n, 10_000, true, 1n))).toEqual([0n])
    expect(read(log, 1n, 10_000, true, 1n)).toHaveLength(0)
    expect(read(log, 4n, 10_000, true, 2n)).toHaveLength(0)
  })

  test('a read at the log end is empty, and a read beyond it is an error', () => {
    const log = openLog()
    fill(log, [2])
    expect(read(log, 2n, 100)).toHaveLength(0)
    expect(() => read(log, 3n, 100)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(() => read(log, -1n, 100)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
  })
})

describe('the log start', () => {
  test('the log start moves forward only, and never beyond the high watermark', () => {
    const log = openLog()
    fill(log, [5, 5])
    log.moveLogStart(7n)
    log.moveLogStart(3n)
    expect(log.logStartOffset).toBe(7n)
    expect(() => log.moveLogStart(11n)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(() => read(log, 6n, 100)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(offsetsIn(read(log, 7n, 1000))).toEqual([5n])
  })

  test('a log start beyond the remaining end empties the log, which begins again there', () => {
    const storage = new MemoryStorage()
    fill(openLog(storage), [5])
    const log = openLog(storage, {}, { logStartOffset: 50n })
    expect(log).toMatchObject({ logStartOffset: 50n, logEndOffset: 50n })
    fill(log, [1])
    expect(offsetsIn(read(log, 50n, 1000))).toEqual([50n])
  })
})

test('a deleted log refuses callers that still use it', () => {
  const log = openLog()
  log.abandon()
  expect(() => fill(log, [1])).toThrow(expect.objectContaining({ code: 'NOT_LEADER_OR_FOLLOWER' }))
})

test('a log returns its batches from any offset', () => {
  const log = openLog(new MemoryStorage(), { segmentBytes: 250 })
  fill(log, [2, 2, 2, 2])
  const bases = (offset: bigint, upTo?: bigint) => [...log.batches(offset, upTo)].map(batch => batch.baseOffset)
  expect(bases(0n)).toEqual([0n, 2n, 4n, 6n])
  expect(bases(3n)).toEqual([2n, 4n, 6n])
  expect(bases(3n, 6n)).toEqual([2n, 4n])
  expect(bases(8n)).toEqual([])
  expect([...log.batches(0n)].every(batch => batch instanceof RecordBatch && batch.hasValidCrc())).toBe(true)
})
