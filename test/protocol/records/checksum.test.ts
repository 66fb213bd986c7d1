import { expect, test } from 'vitest'
import { crc32, crc32c, plain } from '../../../src/protocol/records/checksum.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const CHECK = Buffer.from('123456789')

/** The checksum bit by bit, from the polynomial. */
function slowly(bytes: Buffer, polynomial: number): number {
  let register = 0xffffffff
  for (const byte of bytes) {
    register ^= byte
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? polynomial : 0)
  }
  return ~register >>> 0
}

test('the checksum has the published check values', () => {
  expect(crc32c(CHECK)).toBe(0xe3069283)
  expect(crc32(CHECK)).toBe(0xcbf43926)
  expect(crc32c(Buffer.alloc(0))).toBe(0)
})

test('short and long inputs have correct checksums in both implementations', () => {
  const random = seededRandom(1)
  for (const length of [1, 7, 511, 512, 513, 5000]) {
    const bytes = random.bytes(length)
    expect(crc32c(bytes), `crc32c of ${length}`).toBe(slowly(bytes, 0x82f63b78))
    expect(crc32(bytes), `crc32 of ${length}`).toBe(slowly(bytes, 0xedb88320))
  }
})

test('long inputs have correct checksums without the native module', () => {
  const bytes = seededRandom(3).bytes(5000)
  expect(plain.crc32c(bytes)).toBe(slowly(bytes, 0x82f63b78))
  expect(plain.crc32(bytes)).toBe(slowly(bytes, 0xedb88320))
})

test('a view in the middle of a Buffer has the checksum of its own bytes', () => {
  const whole = seededRandom(2).bytes(2000)
  const view = whole.subarray(100, 1900)
  expect(crc32c(view)).toBe(crc32c(Buffer.from(view)))
})
