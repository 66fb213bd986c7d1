// The members of a gzip stream. The interop suite compares a broker's responses to such streams with those of Apache Kafka.
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { DecompressedTooLargeError } from '../../../../src/protocol/records/compression/codec.ts'
import { compress, decompress } from '../../../../src/protocol/records/compression/codecs.ts'
import { gzip } from '../../../../src/protocol/records/compression/gzip.ts'
import { codecContract, whole } from './contract.ts'
import { gzipMember } from './frames.ts'

const RECORDS = Buffer.from('records of a batch. '.repeat(50))
const HEADER_BYTES = 10
const unreadable = expect.objectContaining({ code: 'UNKNOWN_SERVER_ERROR' })

function read(...parts: readonly (Buffer | string)[]): string {
  return String(Buffer.concat([...decompress('gzip', Buffer.concat(parts.map(part => Buffer.from(part))))]))
}

/** The pieces before the error that ends them. */
function readUntilError(bytes: Buffer): { text: string; error: unknown } {
  const pieces: Buffer[] = []
  try {
    for (const piece of decompress('gzip', bytes)) pieces.push(piece)
  } catch (error) {
    return { text: String(Buffer.concat(pieces)), error }
  }
  throw new Error('the stream has no error')
}

codecContract('gzip', gzip)

test('gzip is written and read as zlib writes and reads it', () => {
  expect(gunzipSync(whole(compress('gzip', RECORDS))).equals(RECORDS)).toBe(true)
  expect(read(gzipSync(RECORDS))).toBe(`${RECORDS}`)
})

test.each([1, 3, 18, 19, 9000])('%i bytes after the last gzip member are ignored when they are no member', length => {
  const member = gzipMember(RECORDS)
  expect(read(member, Buffer.alloc(length))).toBe(`${RECORDS}`)
  expect(read(member, Buffer.alloc(length, 'junk'))).toBe(`${RECORDS}`)
})

test.each([
  ['whose fixed header is cut off', gzipMember(RECORDS).subarray(0, 9)],
  ['whose extra field is cut off', gzipMember(RECORDS, { extra: 'x'.repeat(30) }).subarray(0, 30)],
  ['whose file name never ends', gzipMember(RECORDS, { name: 'x'.repeat(30) }).subarray(0, 30)],
  ['whose comment never ends', gzipMember(RECORDS, { comment: 'x'.repeat(30) }).subarray(0, 30)],
  ['with a wrong header checksum', gzipMember(RECORDS, { headerCrc: 'wrong' })],
  ['of an unknown compression method', gzipMember(RECORDS, { method: 7 })]
])('a further gzip member %s is ignored', (_, member) => {
  expect(read(gzipMember(RECORDS), member)).toBe(`${RECORDS}`)
})

test('all gzip members are read in order, including an empty one', () => {
  expect(read(gzipMember(Buffer.from('first ')), gzipMember(Buffer.alloc(0)), gzipMember(Buffer.from('last')))).toBe(
    'first last'
  )
})

test('every optional field of a gzip header is skipped, and reserved flags are ignored', () => {
  const fields = { extra: 'extra', name: 'file', comment: 'a comment', headerCrc: 'valid', flags: 0xe1 } as const
  const member = gzipMember(RECORDS, fields)
  expect(read(member, member)).toBe(`${RECORDS}${RECORDS}`)
})

test.each([
  ['with a wrong header checksum', gzipMember(RECORDS, { headerCrc: 'wrong' })],
  ['of an unknown compression method', gzipMember(RECORDS, { method: 7 })],
  ['with another magic', gzipMember(RECORDS, { magic: 0x8c1f })],
  ['whose header is cut off', gzipMember(RECORDS).subarray(0, HEADER_BYTES - 1)],
  ['whose extra field is cut off', gzipMember(RECORDS, { extra: 'x'.repeat(30) }).subarray(0, 30)]
])('a first gzip member %s is refused', (_, member) => {
  expect(() => read(member)).toThrow(unreadable)
})

test.each([
  ['with a wrong checksum', gzipMember(RECORDS, { crc: 1 })],
  ['with a wrong size', gzipMember(RECORDS, { size: 1 })],
  ['whose trailer is cut off', gzipMember(RECORDS).subarray(0, -1)]
])('a gzip member %s is refused after its bytes', (_, member) => {
  expect(readUntilError(member)).toEqual({ text: `${RECORDS}`, error: unreadable })
  expect(readUntilError(Buffer.concat([gzipMember(RECORDS), member]))).toEqual({
    text: `${RECORDS}${RECORDS}`,
    error: unreadable
  })
})

test('a gzip member that is cut off returns the bytes before the cut, then is refused', () => {
  const stored = gzipMember(RECORDS, { level: 0 })
  const { text, error } = readUntilError(stored.subarray(0, 100))
  expect(error).toEqual(unreadable)
  expect(text.length).toBeGreaterThan(0)
  expect(`${RECORDS}`.startsWith(text)).toBe(true)
})

test('damage in a further gzip member is refused', () => {
  const damaged = Buffer.concat([gzipMember(RECORDS).subarray(0, HEADER_BYTES), Buffer.alloc(30, 0xff)])
  expect(readUntilError(Buffer.concat([gzipMember(RECORDS), damaged]))).toEqual({
    text: `${RECORDS}`,
    error: unreadable
  })
})

test('the limit applies to all gzip members together', () => {
  const two = Buffer.concat([gzipMember(RECORDS), gzipMember(RECORDS)])
  expect([...decompress('gzip', two, 2 * RECORDS.length)].length).toBe(2)
  expect(() => [...decompress('gzip', two, 2 * RECORDS.length - 1)]).toThrow(DecompressedTooLargeError)
})

test('a gzip trailer that declares gigabytes allocates no more than the limit', () => {
  const claim = Buffer.concat([gzipMember(Buffer.alloc(1_000_000)), Buffer.from('ffffffff', 'hex')])
  const [piece] = decompress('gzip', claim, 1_100_000)
  expect(piece?.length).toBe(1_000_000)
  expect(piece?.buffer.byteLength).toBeLessThanOrEqual(1_100_000)
})
