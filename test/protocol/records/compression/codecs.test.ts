import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { DecompressedTooLargeError } from '../../../../src/protocol/records/compression/codec.ts'
import {
  type Compression,
  codecId,
  codecOf,
  compress,
  decompress
} from '../../../../src/protocol/records/compression/codecs.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'
import { lz4Frame } from './frames.ts'

const require = createRequire(import.meta.url)
const lz4 = require('lz4-napi') as typeof import('lz4-napi')
const snappy = require('snappy') as typeof import('snappy')

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const unreadable = expect.objectContaining({ code: 'UNKNOWN_SERVER_ERROR' })

function inflate(codec: Compression, bytes: Buffer, limit?: number): Buffer {
  return Buffer.concat([...decompress(codec, bytes, limit)])
}

/** Half noise, half repetition. */
function sample(length: number): Buffer {
  const noise = seededRandom(length).bytes(length / 2)
  return Buffer.concat([noise, Buffer.alloc(length - noise.length, 'again and ')])
}

describe.each(CODECS)('%s', codec => {
  test.each([0, 1, 100, 65_536, 65_537, 1_000_000])('gives %i bytes back', length => {
    const bytes = sample(length)
    expect(inflate(codec, compress(codec, bytes)).equals(bytes)).toBe(true)
  })

  test('accepts a level', () => {
    const bytes = sample(1000)
    expect(inflate(codec, compress(codec, bytes, 1)).equals(bytes)).toBe(true)
  })

  test('ends a bomb at the limit, in pieces that are bounded themselves', () => {
    const limit = 5_000_000
    const bomb = compress(codec, Buffer.alloc(64 * 1024 * 1024))
    let total = 0
    expect(() => {
      for (const piece of decompress(codec, bomb, limit)) {
        total += piece.length
        expect(piece.buffer.byteLength).toBeLessThanOrEqual(limit)
      }
    }).toThrow(DecompressedTooLargeError)
    expect(total).toBeLessThanOrEqual(limit)
  })

  test('may come to exactly the limit', () => {
    expect(inflate(codec, compress(codec, Buffer.alloc(100_000)), 100_000).length).toBe(100_000)
    expect(() => inflate(codec, compress(codec, Buffer.alloc(100_000)), 99_999)).toThrow(DecompressedTooLargeError)
  })

  test('refuses noise', () => {
    expect(() => inflate(codec, seededRandom(6).bytes(100))).toThrow(unreadable)
    if (codec === 'zstd') expect(inflate(codec, Buffer.alloc(0))).toEqual(Buffer.alloc(0))
    else expect(() => inflate(codec, Buffer.alloc(0))).toThrow(unreadable)
  })
})

test("snappy leaves alone what is too short for a block's size, as the xerial library does", () => {
  const framed = compress('snappy', Buffer.from('records'))
  expect(inflate('snappy', Buffer.concat([framed, Buffer.from([1, 2, 3])])).toString()).toBe('records')
  expect(() => inflate('snappy', framed.subarray(0, 15))).toThrow(unreadable)
})

test('codecs stand for the ids of the attributes', () => {
  expect(['none', ...CODECS].map((_, id) => codecOf(id))).toEqual(['none', ...CODECS])
  expect(CODECS.map(codecId)).toEqual([1, 2, 3, 4])
})

describe('snappy', () => {
  const bytes = sample(100_000)

  test('is written in the framing of the xerial library', () => {
    const framed = compress('snappy', bytes)
    expect(framed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
    const first = framed.subarray(20, 20 + framed.readInt32BE(16))
    expect(snappy.uncompressSync(first)).toEqual(bytes.subarray(0, 32_768))
  })

  test('is read without framing, as librdkafka sends it', () => {
    expect(inflate('snappy', Buffer.from(snappy.compressSync(bytes))).equals(bytes)).toBe(true)
  })

  test('is read from several framed streams in a row', () => {
    const twice = Buffer.concat([compress('snappy', bytes), compress('snappy', bytes)])
    expect(inflate('snappy', twice).equals(Buffer.concat([bytes, bytes]))).toBe(true)
  })

  test('is refused when the header of a further stream is cut off, as Kafka refuses it', () => {
    const header = compress('snappy', Buffer.alloc(0))
    expect(inflate('snappy', Buffer.concat([compress('snappy', bytes), header])).equals(bytes)).toBe(true)
    expect(() => inflate('snappy', Buffer.concat([compress('snappy', bytes), header.subarray(0, 8)]))).toThrow(
      unreadable
    )
  })

  test('a few bytes that claim gigabytes are refused before anything is allocated', () => {
    const claims = Buffer.from('ffffffff0f00', 'hex')
    expect(() => inflate('snappy', claims, 1_000_000)).toThrow(DecompressedTooLargeError)
    expect(() => inflate('snappy', Buffer.from('8080803f00', 'hex'))).toThrow(unreadable)
  })

  test('a block that is cut off or of negative size is refused', () => {
    const framed = compress('snappy', bytes)
    expect(() => inflate('snappy', framed.subarray(0, framed.length - 1))).toThrow(unreadable)
    framed.writeInt32BE(-5, 16)
    expect(() => inflate('snappy', framed)).toThrow(unreadable)
  })
})

describe('lz4', () => {
  const bytes = sample(300_000)
  const frame = lz4.compressFrameSync(bytes)

  test('is written as a frame of independent blocks without a content checksum', () => {
    const written = compress('lz4', bytes)
    expect(written.readUInt32LE(0)).toBe(0x184d2204)
    expect(written.readUInt8(4)).toBe(0b0110_0000)
    expect(lz4.decompressFrameSync(written).equals(bytes)).toBe(true)
  })

  test('is read with block and content checksums', () => {
    const checked = lz4.compressFrameSync(bytes, { blockChecksums: true, contentChecksum: true })
    expect(inflate('lz4', checked).equals(bytes)).toBe(true)
    checked.writeUInt8(checked.readUInt8(100) ^ 1, 100)
    expect(() => inflate('lz4', checked)).toThrow(/checksum/)
  })

  test('is read with the content size in the header', () => {
    const sized = Buffer.from('04224d18 68 40 0300000000000000 87 03000080 616263 00000000'.replaceAll(' ', ''), 'hex')
    expect(String(inflate('lz4', sized))).toBe('abc')
  })

  test.each([
    ['another magic', 0],
    ['a header that does not fit its checksum', 6]
  ])('is refused with %s', (_, at) => {
    const damaged = Buffer.from(frame)
    damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
    expect(() => inflate('lz4', damaged)).toThrow(unreadable)
  })

  test('is refused with linked blocks or an unknown block size, as Kafka refuses it', () => {
    for (const [at, value] of [
      [4, 0x40],
      [4, 0xa0],
      [5, 0x30],
      [5, 0x41]
    ] as const) {
      const damaged = Buffer.from(frame)
      damaged.writeUInt8(value, at)
      expect(() => inflate('lz4', damaged), `${value} at ${at}`).toThrow(unreadable)
    }
  })

  test('is refused with a block above the largest that the header allows', () => {
    const damaged = Buffer.from(frame)
    damaged.writeUInt32LE(0x7fffffff, 7)
    expect(() => inflate('lz4', damaged)).toThrow(unreadable)
  })

  test('is refused without its end mark', () => {
    expect(() => inflate('lz4', frame.subarray(0, frame.length - 4))).toThrow(unreadable)
  })

  test('is refused without the content checksum that its header announces, and read with a wrong one', () => {
    const checked = lz4Frame(bytes, { contentChecksum: 'wrong' })
    expect(inflate('lz4', checked).equals(bytes)).toBe(true)
    expect(() => inflate('lz4', checked.subarray(0, -1))).toThrow(unreadable)
  })

  test('bytes after the first frame are ignored, another frame among them', () => {
    expect(inflate('lz4', Buffer.concat([frame, frame])).equals(bytes)).toBe(true)
    expect(inflate('lz4', Buffer.concat([frame, Buffer.from('junk')])).equals(bytes)).toBe(true)
  })
})

describe('zstd', () => {
  test('is read from several frames in a row', () => {
    const twice = Buffer.concat([compress('zstd', Buffer.from('one ')), compress('zstd', Buffer.from('two'))])
    expect(String(inflate('zstd', twice))).toBe('one two')
  })

  test('is read from thousands of tiny frames, in pieces that are full', () => {
    const frame = compress('zstd', Buffer.from('ab'))
    const pieces = [...decompress('zstd', Buffer.concat(Array.from({ length: 5000 }, () => frame)))]
    expect(pieces.map(piece => piece.length)).toEqual([10_000])
  })

  test('ends exactly where a piece ends, or with an empty frame', () => {
    for (const length of [131_072, 262_144]) {
      const bytes = sample(length)
      const frames = Buffer.concat([compress('zstd', bytes), compress('zstd', Buffer.alloc(0))])
      expect(inflate('zstd', frames).equals(bytes)).toBe(true)
    }
  })

  test('is refused when cut off', () => {
    const whole = compress('zstd', sample(200_000))
    for (const length of [1, 10, 100_000, whole.length - 1]) {
      expect(() => inflate('zstd', whole.subarray(0, length)), `cut at ${length}`).toThrow(unreadable)
    }
  })
})

test.each(CODECS)('%s that is cut off anywhere is refused in plain words', codec => {
  const whole = compress(codec, sample(300))
  for (let length = 0; length < whole.length; length++) {
    try {
      inflate(codec, whole.subarray(0, length))
    } catch (error) {
      expect(error).toEqual(unreadable)
      expect(String(error)).not.toMatch(/RangeError|ERR_|TypeError/)
    }
  }
})
