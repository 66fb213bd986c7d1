import { expect, test } from 'vitest'
import { checkSegment } from '../../../src/log/recovery/segment-check.ts'
import { Segment } from '../../../src/log/segment/segment.ts'
import { runAtOnce } from '../../../src/runtime/pace.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { batchOf, FOLDER } from '../log-fixture.ts'

/** A segment that Apache Kafka wrote: interval 200, batches of 193 bytes from offset 20. */
test("a segment has index entries at Kafka's positions, and a final time entry", () => {
  const storage = new MemoryStorage()
  storage.makeDirectory(FOLDER)
  const segment = Segment.create(storage, FOLDER, 20n, 0)
  for (let offset = 20n; offset < 30n; offset++) {
    const batch = batchOf([1000n + offset], 193 - 61 - 9)
    expect(batch.sizeInBytes).toBe(193)
    batch.stamp(offset, 0)
    segment.append(batch, 200)
  }
  segment.finish()
  const entries = (name: string, size: number, read: (entry: Buffer) => unknown[]) => {
    const path = `${FOLDER}/00000000000000000020.${name}`
    const bytes = storage.read(path, 0, storage.size(path))
    return Array.from({ length: bytes.length / size }, (_, index) => read(bytes.subarray(index * size)))
  }
  expect(entries('index', 8, entry => [entry.readInt32BE(0) + 20, entry.readInt32BE(4)])).toEqual([
    [22, 386],
    [24, 772],
    [26, 1158],
    [28, 1544]
  ])
  expect(entries('timeindex', 12, entry => [entry.readBigInt64BE(0), entry.readInt32BE(8) + 20])).toEqual([
    [1022n, 22],
    [1024n, 24],
    [1026n, 26],
    [1028n, 28],
    [1029n, 29]
  ])
})

test('recovery writes the same index files as appends did', () => {
  const storage = new MemoryStorage()
  storage.makeDirectory(FOLDER)
  const segment = Segment.create(storage, FOLDER, 0n, 0)
  for (let offset = 0n; offset < 200n; offset++) {
    const batch = batchOf([1000n + ((offset * 7n) % 50n) + offset], Number(offset % 90n))
    batch.stamp(offset, 0)
    segment.append(batch, 300)
  }
  segment.finish()
  const bytesOf = (suffix: string) => {
    const path = `${FOLDER}/00000000000000000000.${suffix}`
    return Buffer.from(storage.read(path, 0, storage.size(path)))
  }
  const [index, timeIndex] = [bytesOf('index'), bytesOf('timeindex')]
  storage.removeNow(`${FOLDER}/00000000000000000000.index`)
  storage.truncate(`${FOLDER}/00000000000000000000.timeindex`, 24)
  const recovered = new Segment(storage, FOLDER, 0n, 0)
  const { size } = recovered
  expect(runAtOnce(checkSegment(storage, recovered, 300))).toEqual({ fileBytes: size, reason: undefined })
  expect(recovered.size).toBe(size)
  recovered.finish()
  expect(bytesOf('index').equals(index)).toBe(true)
  expect(bytesOf('timeindex').equals(timeIndex)).toBe(true)
})

test('recovery treats an offset beyond the range of the indexes as damage', () => {
  const storage = new MemoryStorage()
  storage.makeDirectory(FOLDER)
  for (const offset of [5n, 6n, 6n + (1n << 40n)]) {
    const batch = batchOf([1000n + offset])
    batch.stamp(offset, 0)
    storage.append(`${FOLDER}/00000000000000000005.log`, batch.bytes)
  }
  const recovered = new Segment(storage, FOLDER, 5n, 0)
  const { fileBytes, reason } = runAtOnce(checkSegment(storage, recovered, 300))
  expect([recovered.size, reason]).toEqual([
    (fileBytes / 3) * 2,
    expect.stringContaining('but offset 7 or a later one must follow')
  ])
  recovered.finish()
  expect(storage.size(recovered.path)).toBe(recovered.size)
  expect(recovered.endOffset).toBe(7n)
})
