import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { DecompressedTooLargeError } from '../../../../src/protocol/records/compression/codec.ts'
import { snappy } from '../../../../src/protocol/records/compression/snappy.ts'
import { codecContract, sample, whole } from './contract.ts'

const library = createRequire(import.meta.url)('snappy') as typeof import('snappy')

const LIMIT = 1_000_000
const bytes = sample(100_000)

const compress = (plain: Buffer) => whole(snappy.compress(plain, undefined))
const decompress = (compressed: Buffer) => whole(snappy.decompress(compressed, LIMIT))

codecContract('snappy', snappy)

test("less than a block's size at the end of snappy is ignored, as in the xerial library", () => {
  const framed = compress(bytes)
  expect(decompress(Buffer.concat([framed, Buffer.from([1, 2, 3])])).equals(bytes)).toBe(true)
  expect(() => decompress(framed.subarray(0, 15))).toThrow('a header is truncated')
})

test('snappy is written in the framing of the xerial library', () => {
  const framed = compress(bytes)
  expect(framed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
  const first = framed.subarray(20, 20 + framed.readInt32BE(16))
  expect(library.uncompressSync(first)).toEqual(bytes.subarray(0, 32_768))
})

test('snappy is read without framing, as librdkafka sends it', () => {
  expect(decompress(Buffer.from(library.compressSync(bytes))).equals(bytes)).toBe(true)
})

test('snappy is read from several framed streams in a row', () => {
  const twice = Buffer.concat([compress(bytes), compress(bytes)])
  expect(decompress(twice).equals(Buffer.concat([bytes, bytes]))).toBe(true)
})

test('snappy is refused when the header of a further stream is cut off, as Kafka refuses it', () => {
  const header = compress(Buffer.alloc(0))
  expect(decompress(Buffer.concat([compress(bytes), header])).equals(bytes)).toBe(true)
  expect(() => decompress(Buffer.concat([compress(bytes), header.subarray(0, 8)]))).toThrow('a header is truncated')
})

test('a few bytes of snappy that declare gigabytes are refused before an allocation', () => {
  const claims = Buffer.from('ffffffff0f00', 'hex')
  expect(() => decompress(claims)).toThrow(DecompressedTooLargeError)
  expect(() => decompress(Buffer.from('8080803f00', 'hex'))).toThrow()
})

test('a snappy block that is cut off or of negative size is refused', () => {
  const framed = compress(bytes)
  expect(() => decompress(framed.subarray(0, framed.length - 1))).toThrow()
  framed.writeInt32BE(-5, 16)
  expect(() => decompress(framed)).toThrow()
})
