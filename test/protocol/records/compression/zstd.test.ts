import { describe, expect, test } from 'vitest'
import { DecompressedTooLargeError, MissingCodecError } from '../../../../src/protocol/records/compression/codec.ts'
import { chooseZstd } from '../../../../src/protocol/records/compression/zstd.ts'

const nothingInstalled = (id: string): unknown => {
  throw new Error(`Cannot find module '${id}'\nRequire stack: none`)
}
const oldNode = { gunzipSync: undefined }
/** As Node 22.15 has it, but for the compression. */
const newNode = {
  gunzipSync: undefined,
  zstdCompressSync: (bytes: Buffer, { params }: { params: Record<number, number> }) =>
    Buffer.from(`${params[100]}:${bytes}`),
  zstdDecompressSync: (bytes: Buffer, { maxOutputLength }: { maxOutputLength: number }) => {
    if (bytes.length > maxOutputLength) throw new RangeError('Cannot create a Buffer larger than the limit')
    return bytes
  }
}

describe('without the package', () => {
  test("Node's own zstd serves where it has one, at Kafka's level and within the limit", () => {
    const zstd = chooseZstd(nothingInstalled, newNode)
    expect(String(zstd.deflate(Buffer.from('x'), undefined))).toBe('3:x')
    expect([...zstd.inflate(Buffer.from('xyz'), 3)]).toEqual([Buffer.from('xyz')])
    expect(() => zstd.inflate(Buffer.from('xyz'), 2)).toThrow(DecompressedTooLargeError)
  })

  test('an old Node says what to install', () => {
    expect(() => chooseZstd(nothingInstalled, oldNode)).toThrow(MissingCodecError)
    expect(() => chooseZstd(nothingInstalled, oldNode)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_COMPRESSION_TYPE',
        message: expect.stringMatching(/npm install zstd-napi.*Cannot find module 'zstd-napi'$/)
      })
    )
  })
})
