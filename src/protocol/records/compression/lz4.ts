/**
 * LZ4 frames. Decompression parses the frame and decompresses one block at a time, each of a bounded size. As in Kafka, only the
 * first frame is read and blocks must be independent. The content checksum must be present but is not verified. The package has
 * one compression speed, so the level has no effect.
 */
import { type CompressionCodec, nativeLibrary } from './codec.ts'

const MAGIC = 0x184d2204
const DESCRIPTOR_AT = 4
/** Supported flags: version 1, independent blocks, both reserved bits zero. */
const FLAGS_MASK = 0b1110_0011
const FLAGS_SUPPORTED = 0b0110_0000
const HAS_BLOCK_CHECKSUMS = 0b0001_0000
const HAS_CONTENT_SIZE = 0b0000_1000
const HAS_CONTENT_CHECKSUM = 0b0000_0100
const CONTENT_SIZE_BYTES = 8
const CHECKSUM_BYTES = 4
const UNCOMPRESSED_BLOCK = 0x8000_0000
/** Largest expansion factor of LZ4. It bounds the output of a block. */
const MOST_EXPANSION = 255

const library = nativeLibrary<typeof import('lz4-napi')>('lz4', 'lz4-napi')

export const lz4: CompressionCodec = {
  compress: bytes => [library.load().compressFrameSync(bytes)],
  decompress: bytes => frameBlocks(bytes),
  missing: library.missing
}

function* frameBlocks(bytes: Buffer): Generator<Buffer> {
  const { hasBlockChecksums, hasContentChecksum, largestBlock, headerBytes } = readHeader(bytes)
  let position = headerBytes
  for (;;) {
    const word = bytes.readUInt32LE(position)
    const size = word % UNCOMPRESSED_BLOCK
    position += 4
    if (size === 0) break
    if (size > largestBlock || size > bytes.length - position)
      throw new Error(`a block size of ${size} bytes is above the maximum, or above the remaining data`)
    const block = bytes.subarray(position, position + size)
    position += size
    if (hasBlockChecksums) {
      if (bytes.readUInt32LE(position) !== xxhash32(block)) throw new Error('the checksum of a block is wrong')
      position += CHECKSUM_BYTES
    }
    yield word === size ? decompressBlock(block, largestBlock) : block
  }
  if (hasContentChecksum && bytes.length - position < CHECKSUM_BYTES)
    throw new Error('the content checksum is truncated')
}

/**
 * The frame with a corrected header checksum: clients of message format 0 computed it over other bytes. Returns bytes that are
 * too short for a frame unchanged.
 */
export function withFittingHeader(frame: Buffer): Buffer {
  if (frame.length <= DESCRIPTOR_AT) return frame
  const checksumAt = checksumPosition(frame.readUInt8(DESCRIPTOR_AT))
  if (frame.length <= checksumAt) return frame
  const fitting = Buffer.from(frame)
  fitting.writeUInt8(headerChecksum(frame, checksumAt), checksumAt)
  return fitting
}

function checksumPosition(flags: number): number {
  return DESCRIPTOR_AT + 2 + (flags & HAS_CONTENT_SIZE ? CONTENT_SIZE_BYTES : 0)
}

function headerChecksum(bytes: Buffer, checksumAt: number): number {
  return (xxhash32(bytes.subarray(DESCRIPTOR_AT, checksumAt)) >>> 8) & 0xff
}

function readHeader(bytes: Buffer) {
  if (bytes.readUInt32LE(0) !== MAGIC) throw new Error('the data is not an LZ4 frame')
  const flags = bytes.readUInt8(DESCRIPTOR_AT)
  const blockDescriptor = bytes.readUInt8(DESCRIPTOR_AT + 1)
  if ((flags & FLAGS_MASK) !== FLAGS_SUPPORTED) throw new Error(`the frame flags ${flags} are not supported`)
  const sizeCode = blockDescriptor >> 4
  if (sizeCode < 4 || sizeCode > 7 || blockDescriptor % 16 !== 0)
    throw new Error('the code of the maximum block size is invalid')
  const checksumAt = checksumPosition(flags)
  if (bytes.readUInt8(checksumAt) !== headerChecksum(bytes, checksumAt))
    throw new Error('the checksum of the frame header is wrong')
  return {
    hasBlockChecksums: (flags & HAS_BLOCK_CHECKSUMS) !== 0,
    hasContentChecksum: (flags & HAS_CONTENT_CHECKSUM) !== 0,
    largestBlock: 2 ** (8 + 2 * sizeCode),
    headerBytes: checksumAt + 1
  }
}

/** The package requires the size of the output before the block. The actual output may be smaller. */
function decompressBlock(block: Buffer, largestBlock: number): Buffer {
  const sized = Buffer.allocUnsafe(4 + block.length)
  sized.writeUInt32LE(Math.min(largestBlock, block.length * MOST_EXPANSION))
  block.copy(sized, 4)
  return library.load().uncompressSync(sized)
}

/** xxHash32 with seed 0: the checksum of LZ4 frame headers and, if the frame has them, of blocks. */
const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

/** The hash of `bytes`, unsigned. */
export function xxhash32(bytes: Buffer): number {
  const stripesEnd = bytes.length - (bytes.length % 16)
  let hash = (stripesEnd > 0 ? hashStripes(bytes, stripesEnd) : PRIME_5) + bytes.length
  let position = stripesEnd
  for (; position + 4 <= bytes.length; position += 4) {
    hash = Math.imul(rotate(hash + Math.imul(bytes.readInt32LE(position), PRIME_3), 17), PRIME_4)
  }
  for (; position < bytes.length; position++) {
    hash = Math.imul(rotate(hash + Math.imul(bytes.readUInt8(position), PRIME_5), 11), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Hashes the 16-byte stripes in four lanes. Each lane takes every fourth word. */
function hashStripes(bytes: Buffer, end: number): number {
  let first = (PRIME_1 + PRIME_2) | 0
  let second = PRIME_2 | 0
  let third = 0
  let fourth = -PRIME_1 | 0
  for (let position = 0; position < end; position += 16) {
    first = mixLane(first, bytes.readInt32LE(position))
    second = mixLane(second, bytes.readInt32LE(position + 4))
    third = mixLane(third, bytes.readInt32LE(position + 8))
    fourth = mixLane(fourth, bytes.readInt32LE(position + 12))
  }
  return rotate(first, 1) + rotate(second, 7) + rotate(third, 12) + rotate(fourth, 18)
}

function mixLane(lane: number, word: number): number {
  return Math.imul(rotate(lane + Math.imul(word, PRIME_2), 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
