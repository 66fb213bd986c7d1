/** The offset index and the time index compared with a scan of their entries. */
import { describe, expect, test } from 'vitest'
import { OffsetIndex } from '../../../src/log/segment/offset-index.ts'
import { TimeIndex } from '../../../src/log/segment/time-index.ts'
import { CorruptRecordError } from '../../../src/protocol/records/batch.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../src/storage/storage.ts'

const BASE = 5_000_000_000n

describe('the offset index', () => {
  test("an offset index has Kafka's bytes: relative last offset and position", () => {
    const storage = new MemoryStorage()
    const index = new OffsetIndex(storage, 'i', 20n)
    index.add(22n, 386)
    index.add(24n, 772)
    index.flush()
    expect(storage.read('i', 0, 100).toString('hex')).toBe('00000002000001820000000400000304')
  })

  test.each([0, 3, 700, 2000])('a lookup in %i entries agrees with a scan, before and after reopening', count => {
    const random = seededRandom(count)
    const storage = new MemoryStorage()
    const index = new OffsetIndex(storage, 'i', BASE)
    const entries: { offset: bigint; position: number }[] = []
    let offset = BASE
    for (let position = 0; entries.length < count; ) {
      index.reserve()
      offset += 1n + BigInt(random.below(50))
      position += 1 + random.below(5000)
      index.add(offset, position)
      entries.push({ offset, position })
    }
    const check = (tested: OffsetIndex) => {
      for (let probe = 0; probe < 200; probe++) {
        const target = BASE + BigInt(random.below(Number(offset - BASE) + 20))
        const expected = entries.findLast(entry => entry.offset <= target)?.position ?? 0
        expect(tested.positionBefore(target)).toBe(expected)
      }
      expect(tested.lastPosition).toBe(entries.at(-1)?.position ?? 0)
      expect(tested.count).toBe(count)
    }
    check(index)
    index.flush()
    check(new OffsetIndex(storage, 'i', BASE))
  })

  test('a preallocated index ends where the zeros begin', () => {
    const storage = new MemoryStorage()
    const index = new OffsetIndex(storage, 'i', 0n)
    for (let entry = 1; entry <= 1000; entry++) {
      index.reserve()
      index.add(BigInt(entry), entry * 10)
    }
    index.flush()
    storage.append('i', Buffer.alloc(80_000))
    const reopened = new OffsetIndex(storage, 'i', 0n)
    expect([reopened.count, reopened.positionBefore(5000n)]).toEqual([1000, 10_000])
    storage.truncate('i', 0)
    storage.append('i', Buffer.alloc(80_000))
    expect(new OffsetIndex(storage, 'i', 0n).count).toBe(0)
  })

  test('a failed flush loses no entry', () => {
    let isFull = true
    const storage = new MemoryStorage({
      fault: ({ name }) =>
        isFull && name === 'append' ? { error: new StorageError('full', 'no room'), writtenBytes: 5 } : undefined
    })
    const index = new OffsetIndex(storage, 'i', 0n)
    index.add(7n, 70)
    expect(() => index.flush()).toThrow(StorageError)
    expect(index.positionBefore(7n)).toBe(70)
    isFull = false
    index.flush()
    expect(new OffsetIndex(storage, 'i', 0n).positionBefore(7n)).toBe(70)
  })

  test('an offset index is full when its file may not grow', () => {
    const index = new OffsetIndex(new MemoryStorage(), 'i', 0n)
    index.add(1n, 1)
    expect([index.isFull(15), index.isFull(16)]).toEqual([true, false])
  })
})

describe('the time index', () => {
  test("a time index has Kafka's bytes: timestamp and relative offset", () => {
    const storage = new MemoryStorage()
    const index = new TimeIndex(storage, 'i', 20n)
    index.offer({ timestamp: 1_700_000_000_000n, offset: 22n })
    index.flush()
    expect(storage.read('i', 0, 100).toString('hex')).toBe('0000018bcfe5680000000002')
  })

  test('a time index takes growing timestamps only, and finds the last entry that is not later', () => {
    const random = seededRandom(3)
    const storage = new MemoryStorage()
    const index = new TimeIndex(storage, 'i', BASE)
    const entries: { timestamp: bigint; offset: bigint }[] = []
    for (let step = 0; step < 2000; step++) {
      const entry = { timestamp: BigInt(random.below(step * 10 + 1)), offset: BASE + BigInt(step) }
      index.reserve()
      index.offer(entry)
      if (entry.timestamp > (entries.at(-1)?.timestamp ?? -1n)) entries.push(entry)
    }
    index.flush()
    for (const tested of [index, new TimeIndex(storage, 'i', BASE)]) {
      expect(tested.count).toBe(entries.length)
      expect(tested.last).toEqual(entries.at(-1))
      for (let probe = -1; probe < 21_000; probe += 97) {
        const expected = entries.findLast(entry => entry.timestamp <= BigInt(probe))
        expect(tested.entryBefore(BigInt(probe))).toEqual(expected ?? { timestamp: -1n, offset: BASE })
      }
    }
  })

  test('a time index keeps one slot for the final entry', () => {
    const index = new TimeIndex(new MemoryStorage(), 'i', 0n)
    index.offer({ timestamp: 1n, offset: 0n })
    expect([index.isFull(24), index.isFull(36)]).toEqual([true, false])
  })
})

test('an index that another program has shortened is CorruptRecordError, which readers and retention handle', () => {
  const storage = new MemoryStorage()
  const index = new TimeIndex(storage, 'i', BASE)
  index.offer({ timestamp: 1n, offset: BASE + 1n })
  index.offer({ timestamp: 2n, offset: BASE + 2n })
  index.flush()
  expect(index.entryBefore(2n)).toEqual({ timestamp: 2n, offset: BASE + 2n })
  storage.truncate('i', 12)
  expect(() => index.entryBefore(2n)).toThrow(CorruptRecordError)
})
