import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { lz4, xxhash32 } from '../../../../src/protocol/records/compression/lz4.ts'
import { codecContract, sample, whole } from './contract.ts'
import { lz4Frame } from './frames.ts'

const library = createRequire(import.meta.url)('lz4-napi') as typeof import('lz4-napi')

const LIMIT = 1_000_000
const bytes = sample(300_000)
const frame = library.compressFrameSync(bytes)

const compress = (plain: Buffer) => whole(lz4.compress(plain, undefined))
const decompress = (compressed: Buffer) => whole(lz4.decompress(compressed, LIMIT))

codecContract('lz4', lz4)

test('LZ4 is written as a frame of independent blocks without a content checksum', () => {
  const written = compress(bytes)
  expect(written.readUInt32LE(0)).toBe(0x184d2204)
  expect(written.readUInt8(4)).toBe(0b0110_0000)
  expect(library.decompressFrameSync(written).equals(bytes)).toBe(true)
})

test('LZ4 is read with block and content checksums', () => {
  const checked = library.compressFrameSync(bytes, { blockChecksums: true, contentChecksum: true })
  expect(decompress(checked).equals(bytes)).toBe(true)
  checked.writeUInt8(checked.readUInt8(100) ^ 1, 100)
  expect(() => decompress(checked)).toThrow(/checksum/)
})

test('LZ4 is read with the content size in the header', () => {
  const sized = Buffer.from('04224d18 68 40 0300000000000000 87 03000080 616263 00000000'.replaceAll(' ', ''), 'hex')
  expect(String(decompress(sized))).toBe('abc')
})

test.each([
  ['another magic', 0],
  ['a header that does not fit its checksum', 6]
])('LZ4 is refused with %s', (_, at) => {
  const damaged = Buffer.from(frame)
  damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
  expect(() => decompress(damaged)).toThrow()
})

test('LZ4 is refused with linked blocks or an unknown block size, as Kafka refuses it', () => {
  for (const [at, value] of [
    [4, 0x40],
    [4, 0xa0],
    [5, 0x30],
    [5, 0x41]
  ] as const) {
    const damaged = Buffer.from(frame)
    damaged.writeUInt8(value, at)
    expect(() => decompress(damaged), `${value} at ${at}`).toThrow()
  }
})

test('LZ4 is refused with a block above the maximum size of its header', () => {
  const damaged = Buffer.from(frame)
  damaged.writeUInt32LE(0x7fffffff, 7)
  expect(() => decompress(damaged)).toThrow()
})

test('LZ4 is refused without its end mark', () => {
  expect(() => decompress(frame.subarray(0, frame.length - 4))).toThrow()
})

test('LZ4 is refused without the content checksum that its header declares, and read with a wrong one', () => {
  const checked = lz4Frame(bytes, { contentChecksum: 'wrong' })
  expect(decompress(checked).equals(bytes)).toBe(true)
  expect(() => decompress(checked.subarray(0, -1))).toThrow()
})

test('bytes after the first LZ4 frame are ignored, including another frame', () => {
  expect(decompress(Buffer.concat([frame, frame])).equals(bytes)).toBe(true)
  expect(decompress(Buffer.concat([frame, Buffer.from('junk')])).equals(bytes)).toBe(true)
})

test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f]
])('the xxHash32 of %o is the published hash', (text, hash) => {
  expect(xxhash32(Buffer.from(text))).toBe(hash)
})
