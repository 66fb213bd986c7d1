/** Faults at each storage operation: it fails, or the process dies with it. No acknowledged batch may be lost. */
import { expect, test } from 'vitest'
import { MemoryStorage, type StorageFault } from '../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { batchOf, contents, openLog, reopenAfterCrash } from '../log-fixture.ts'

const CONFIG = { segmentBytes: 300, indexIntervalBytes: 50 }
const BATCHES = 12

/** Appends batches until one fails or all are appended. Returns the acknowledged batches. */
function appendUntilFailure(storage: MemoryStorage): { acknowledged: bigint[]; error: unknown } {
  const acknowledged: bigint[] = []
  try {
    const log = openLog(storage, CONFIG)
    for (let number = 0; number < BATCHES; number++) {
      acknowledged.push(log.append(batchOf([1000n + BigInt(number)], number * 5), number >> 2).baseOffset)
    }
    return { acknowledged, error: undefined }
  } catch (error) {
    return { acknowledged, error }
  }
}

function operationsOf(run: (storage: MemoryStorage) => void): number {
  const storage = new MemoryStorage()
  run(storage)
  return storage.operationCount
}

test.each([0, 1, 40])(
  'a process that dies at any operation, %i bytes into it, loses no acknowledged batch',
  writtenBytes => {
    const operations = operationsOf(appendUntilFailure)
    expect(operations).toBeGreaterThan(BATCHES)
    for (let last = 2; last <= operations; last++) {
      let isDead = false
      const fault = ({ number }: { number: number }): StorageFault | undefined => {
        if (isDead || number < last) return undefined
        return { error: new StorageError('failed', 'killed'), writtenBytes: number === last ? writtenBytes : 0 }
      }
      const storage = new MemoryStorage({ fault })
      const { acknowledged } = appendUntilFailure(storage)
      isDead = true
      const reopened = reopenAfterCrash(storage, CONFIG)
      const found = contents(reopened).map(({ baseOffset }) => baseOffset)
      expect(found.slice(0, acknowledged.length)).toEqual(acknowledged)
      expect(found.length).toBeLessThanOrEqual(acknowledged.length + 1)
      reopened.append(batchOf([5000n]), 9)
      expect(contents(reopened)).toHaveLength(found.length + 1)
    }
  }
)

test('an operation for which there is no room fails that append alone', () => {
  const operations = operationsOf(appendUntilFailure)
  for (let failing = 2; failing <= operations; failing++) {
    let enabled = true
    const fault = ({ number, name }: { number: number; name: string }): StorageFault | undefined =>
      enabled && number === failing && name === 'append'
        ? { error: new StorageError('full', 'no room'), writtenBytes: 20 }
        : undefined
    const storage = new MemoryStorage({ fault })
    const log = openOrRetry(storage)
    let acknowledged = 0
    for (let number = 0; number < BATCHES; number++) {
      try {
        log.append(batchOf([1000n + BigInt(number)], number * 5), number >> 2)
        acknowledged++
      } catch (error) {
        expect(error).toMatchObject({ kind: 'full' })
      }
    }
    enabled = false
    expect(acknowledged).toBeGreaterThanOrEqual(BATCHES - 1)
    expect(contents(log)).toHaveLength(acknowledged)
    expect(contents(reopenAfterCrash(storage, CONFIG))).toEqual(contents(log))
  }
})

test('a log start that could not be moved stays where it was, at each operation that fails', () => {
  let failing: number | undefined
  const fault = ({ number }: { number: number }): StorageFault | undefined =>
    number === failing ? { error: new StorageError('full', 'no room') } : undefined
  const storage = new MemoryStorage({ fault })
  const log = openLog(storage, CONFIG)
  for (let number = 0; number < BATCHES; number++) log.append(batchOf([1000n]), number)
  for (let start = 1n; start < 5n; start++) {
    const before = { logStartOffset: log.logStartOffset, earliest: log.leaderEpochs.earliest }
    failing = storage.operationCount + Number(start)
    try {
      log.moveLogStart(start)
    } catch (error) {
      expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
      expect({ logStartOffset: log.logStartOffset, earliest: log.leaderEpochs.earliest }).toEqual(before)
      log.moveLogStart(start)
    }
    expect(log.logStartOffset).toBe(start)
    expect(log.leaderEpochs.earliest?.startOffset).toBe(start)
  }
})

function openOrRetry(storage: MemoryStorage) {
  try {
    return openLog(storage, CONFIG)
  } catch {
    return openLog(storage, CONFIG)
  }
}
