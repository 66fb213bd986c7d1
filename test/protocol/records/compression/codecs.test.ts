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
import { sample, whole } from './contract.ts'

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const unreadable = expect.objectContaining({ code: 'UNKNOWN_SERVER_ERROR' })

function decompressed(codec: Compression, bytes: Buffer, limit?: number): Buffer {
  return whole(decompress(codec, bytes, limit))
}

test('each codec has its id in the attributes', () => {
  expect(['none', ...CODECS].map((_, id) => codecOf(id))).toEqual(['none', ...CODECS])
  expect(CODECS.map(codecId)).toEqual([1, 2, 3, 4])
})

describe.each(CODECS)('%s', codec => {
  test(`a batch of ${codec} can decompress to the limit and not beyond it`, () => {
    const compressed = whole(compress(codec, Buffer.alloc(100_000)))
    expect(decompressed(codec, compressed, 100_000).length).toBe(100_000)
    expect(() => decompressed(codec, compressed, 99_999)).toThrow(DecompressedTooLargeError)
  })

  test(`a decompression bomb of ${codec} stops at the limit`, () => {
    const limit = 5_000_000
    const bomb = whole(compress(codec, Buffer.alloc(64 * 1024 * 1024)))
    let total = 0
    expect(() => {
      for (const piece of decompress(codec, bomb, limit)) total += piece.length
    }).toThrow(DecompressedTooLargeError)
    expect(total).toBeLessThanOrEqual(limit)
  })

  test(`random bytes in place of ${codec} are an UNKNOWN_SERVER_ERROR`, () => {
    expect(() => decompressed(codec, seededRandom(6).bytes(100))).toThrow(unreadable)
  })

  test(`${codec} that is cut off at any byte is refused with a clear message`, () => {
    const compressed = whole(compress(codec, sample(300)))
    for (let length = 0; length < compressed.length; length++) {
      try {
        decompressed(codec, compressed.subarray(0, length))
      } catch (error) {
        expect(error).toEqual(unreadable)
        expect(String(error)).not.toMatch(/RangeError|ERR_|TypeError/)
      }
    }
  })
})

test('an empty input is an empty stream of zstd, and an error of the other codecs', () => {
  expect(decompressed('zstd', Buffer.alloc(0)).length).toBe(0)
  for (const codec of ['gzip', 'snappy', 'lz4'] as const) {
    expect(() => decompressed(codec, Buffer.alloc(0)), codec).toThrow(unreadable)
  }
})
