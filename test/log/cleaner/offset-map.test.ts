import { describe, expect, test } from 'vitest'
import { OFFSET_MAP_ENTRY_BYTES, OffsetMap } from '../../../src/log/cleaner/offset-map.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const ROOMY = { memoryBytes: 1 << 20, loadFactor: 0.9 }
const key = (text: string) => Buffer.from(text)

describe('a map of offsets', () => {
  test('an offset map has the newest offset of every key, and no offset of a key that was never put', () => {
    const map = new OffsetMap(100n, 200n, ROOMY)
    expect(map.put(key('a'), 100n)).toBe(true)
    expect(map.put(key('b'), 101n)).toBe(true)
    expect(map.put(key('a'), 150n)).toBe(true)
    expect(map.get(key('a'))).toBe(150n)
    expect(map.get(key('b'))).toBe(101n)
    expect(map.get(key('c'))).toBeUndefined()
    expect(map.size).toBe(2)
  })

  test('an offset map accepts an empty key', () => {
    const map = new OffsetMap(0n, 10n, ROOMY)
    expect(map.get(key(''))).toBeUndefined()
    map.put(key(''), 0n)
    expect(map.get(key(''))).toBe(0n)
  })

  test('an offset map agrees with a Map for any keys', () => {
    const random = seededRandom(5)
    const map = new OffsetMap(1_000_000_000_000n, 1_000_000_005_000n, { memoryBytes: 1 << 20, loadFactor: 1 })
    const model = new Map<string, bigint>()
    for (let offset = 1_000_000_000_000n; offset < 1_000_000_005_000n; offset++) {
      const text = `key ${random.below(1500)}`
      expect(map.put(key(text), offset)).toBe(true)
      model.set(text, offset)
    }
    for (let number = 0; number < 2000; number++) {
      expect(map.get(key(`key ${number}`))).toBe(model.get(`key ${number}`))
    }
    expect(map.size).toBe(model.size)
  })

  test('an offset map takes no more memory than the offsets need, and no more than its limit', () => {
    expect(new OffsetMap(0n, 90n, ROOMY).memoryBytes).toBe(101 * OFFSET_MAP_ENTRY_BYTES)
    expect(new OffsetMap(0n, 1n << 40n, ROOMY).memoryBytes).toBeLessThanOrEqual(1 << 20)
    expect(new OffsetMap(0n, 0n, ROOMY).memoryBytes).toBe(OFFSET_MAP_ENTRY_BYTES)
  })

  test('an offset map takes new keys up to its load factor, and existing keys even then', () => {
    const map = new OffsetMap(0n, 1000n, { memoryBytes: 10 * OFFSET_MAP_ENTRY_BYTES, loadFactor: 0.5 })
    expect(map.capacity).toBe(5)
    for (let number = 0; number < 5; number++) expect(map.put(key(`${number}`), BigInt(number))).toBe(true)
    expect(map.put(key('one more'), 5n)).toBe(false)
    expect(map.get(key('one more'))).toBeUndefined()
    expect(map.put(key('3'), 6n)).toBe(true)
    expect(map.get(key('3'))).toBe(6n)
  })

  test('a full offset map is searched to its end', () => {
    const map = new OffsetMap(0n, 1000n, { memoryBytes: 4 * OFFSET_MAP_ENTRY_BYTES, loadFactor: 1 })
    for (let number = 0; number < 4; number++) expect(map.put(key(`${number}`), BigInt(number))).toBe(true)
    expect(map.put(key('4'), 4n)).toBe(false)
    expect(map.get(key('4'))).toBeUndefined()
  })
})
