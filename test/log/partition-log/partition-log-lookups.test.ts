// Lookups in a log: end offsets of leader epochs, and offsets for timestamps.
import { describe, expect, test } from 'vitest'
import { settings } from '../../../src/config/tables/broker.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { batchOf, FOLDER, openLog, reopenAfterCrash, T0 } from '../log-fixture.ts'

describe('leader epochs', () => {
  test('a lookup by leader epoch returns the end offset of the epoch', () => {
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

  test('leader epochs are rebuilt from the batches after a crash', () => {
    const storage = new MemoryStorage()
    const log = openLog(storage)
    log.append(batchOf([T0, T0]), 1)
    log.append(batchOf([T0]), 3)
    storage.removeNow(`${FOLDER}/leader-epoch-checkpoint`)
    expect(reopenAfterCrash(storage).endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 2n })
  })
})

describe('lookups by timestamp', () => {
  test('a lookup by timestamp finds the first record that is not earlier, inside its batch', () => {
    const log = openLog()
    log.append(batchOf([T0, T0 + 5n, T0 + 3n]), 2)
    log.append(batchOf([T0 + 4n, T0 + 9n]), 2)
    expect(log.reader.offsetForTimestamp(T0 + 4n)).toEqual({ offset: 1n, timestamp: T0 + 5n, leaderEpoch: 2 })
    expect(log.reader.offsetForTimestamp(T0 + 6n)).toEqual({ offset: 4n, timestamp: T0 + 9n, leaderEpoch: 2 })
    expect(log.reader.offsetForTimestamp(0n)).toMatchObject({ offset: 0n })
    expect(log.reader.offsetForTimestamp(T0 + 10n)).toBeUndefined()
  })

  test('a lookup by timestamp reads compressed batches, and uses the append time of LogAppendTime batches', () => {
    const log = openLog()
    log.append(batchOf([T0, T0 + 5n], 10, { codec: 'gzip' }), 0)
    log.append(batchOf([T0, T0], 10, { timestampType: 'LogAppendTime', maxTimestamp: T0 + 50n }), 0)
    expect(log.reader.offsetForTimestamp(T0 + 1n)).toMatchObject({ offset: 1n, timestamp: T0 + 5n })
    expect(log.reader.offsetForTimestamp(T0 + 6n)).toMatchObject({ offset: 2n, timestamp: T0 + 50n })
  })

  test('a lookup by timestamp reads a batch that is larger than the default max.message.bytes', () => {
    const log = openLog()
    const value = Buffer.alloc(settings['minikafka.max.decompressed.bytes'].byDefault.value)
    log.append(buildBatch([{ timestamp: T0, key: null, value }], { codec: 'zstd' }), 0)
    expect(log.reader.offsetForTimestamp(T0)).toMatchObject({ offset: 0n })
  })

  test('a lookup by timestamp ignores records below the log start', () => {
    const log = openLog()
    log.append(batchOf([T0, T0 + 5n, T0 + 6n]), 0)
    log.moveLogStart(2n)
    expect(log.reader.offsetForTimestamp(T0)).toMatchObject({ offset: 2n })
  })

  test('a lookup of the largest timestamp finds the first record that has it', () => {
    const log = openLog(new MemoryStorage(), { segmentBytes: 250 })
    log.append(batchOf([T0, T0 + 9n, T0 + 9n]), 0)
    log.append(batchOf([T0 + 9n]), 0)
    log.append(batchOf([T0 + 1n]), 0)
    expect(log.reader.maxTimestampOffset()).toEqual({ offset: 1n, timestamp: T0 + 9n, leaderEpoch: 0 })
    expect(openLog().reader.maxTimestampOffset()).toBeUndefined()
  })
})
