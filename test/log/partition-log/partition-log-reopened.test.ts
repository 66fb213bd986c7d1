// A log that is opened again, intact or damaged.
import { describe, expect, test } from 'vitest'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { contents, FOLDER, fill, openLog, reopenAfterCrash } from '../log-fixture.ts'

describe('a damaged log', () => {
  test('a log truncated at any byte keeps the whole batches before it, and accepts appends', () => {
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
  ])('%s keeps the right batches after a full segment has lost whole batches', (_which, isCompacted, left) => {
    const storage = new MemoryStorage()
    const config = { segmentBytes: 250, isCompacted }
    fill(openLog(storage, config), [1, 1, 1, 1, 1, 1, 1, 1])
    const path = `${FOLDER}/00000000000000000003.log`
    storage.truncate(path, storage.size(path) / 3)
    const reopened = reopenAfterCrash(storage, config)
    expect(contents(reopened).map(({ baseOffset }) => baseOffset)).toEqual(left)
  })

  test('a flipped bit truncates the log there, and later segments are removed', () => {
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

  test('index files without a log file are removed', () => {
    const storage = new MemoryStorage()
    fill(openLog(storage), [1])
    storage.append(`${FOLDER}/00000000000000000009.index`, Buffer.alloc(8))
    reopenAfterCrash(storage)
    expect(storage.exists(`${FOLDER}/00000000000000000009.index`)).toBe(false)
  })
})

test('a cleanly closed log is opened without reading any records but the last batch', async () => {
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
