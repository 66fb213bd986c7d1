/**
 * Snappy in the framing of the xerial library, which Kafka's Java clients write: a header, then blocks with a size before each.
 * Clients with other libraries send one raw block without header and size.
 */
import { type CompressionCodec, DecompressedTooLargeError, nativeLibrary } from './codec.ts'

/** Magic `82 SNAPPY 00`, version 1, oldest compatible version 1. */
const HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
const MAGIC = HEADER.subarray(0, 8)
const BLOCK_BYTES = 32 * 1024
const SIZE_BYTES = 4
/** Largest expansion factor: a Snappy element produces at most 64 bytes from 3. */
const MOST_EXPANSION = 22

const library = nativeLibrary<typeof import('snappy')>('snappy', 'snappy')

export const snappy: CompressionCodec = {
  *compress(bytes) {
    yield HEADER
    for (let position = 0; position < bytes.length; position += BLOCK_BYTES) {
      const block = library.load().compressSync(bytes.subarray(position, position + BLOCK_BYTES))
      const size = Buffer.allocUnsafe(4)
      size.writeInt32BE(block.length)
      yield size
      yield block
    }
  },

  decompress: (bytes, limit) =>
    startsAt(bytes, 0, MAGIC) ? framedBlocks(bytes, limit) : [decompressBlock(bytes, limit)],

  missing: library.missing
}

/**
 * A header may occur again before any block, as in concatenated streams. As in the xerial library, a rest shorter than a block
 * size is ignored.
 */
function* framedBlocks(bytes: Buffer, limit: number): Generator<Buffer> {
  let position = 0
  while (bytes.length - position >= SIZE_BYTES) {
    if (startsAt(bytes, position, MAGIC)) {
      if (bytes.length - position < HEADER.length) throw new Error('a header is truncated')
      position += HEADER.length
      continue
    }
    const size = bytes.readInt32BE(position)
    position += SIZE_BYTES
    if (size < 0 || size > bytes.length - position) throw new Error(`a block of ${size} bytes is truncated`)
    yield decompressBlock(bytes.subarray(position, position + size), limit)
    position += size
  }
}

/** Decompresses a raw block. The block begins with the size of its output, which the library allocates. */
function decompressBlock(block: Buffer, limit: number): Buffer {
  const claimed = claimedSize(block)
  if (claimed > limit) throw new DecompressedTooLargeError(limit)
  if (claimed > block.length * MOST_EXPANSION)
    throw new Error(`a block of ${block.length} bytes cannot decompress to ${claimed} bytes`)
  const output = library.load().uncompressSync(block)
  return Buffer.isBuffer(output) ? output : Buffer.from(output)
}

function claimedSize(block: Buffer): number {
  let size = 0
  for (let count = 0; count < 5; count++) {
    const byte = block.readUInt8(count)
    size += (byte & 0x7f) * 2 ** (7 * count)
    if (byte < 0x80) return size
  }
  throw new Error('the size of a block is longer than 5 bytes')
}

function startsAt(bytes: Buffer, position: number, expected: Buffer): boolean {
  return (
    bytes.length - position >= expected.length && expected.compare(bytes, position, position + expected.length) === 0
  )
}
