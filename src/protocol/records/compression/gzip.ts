/**
 * gzip by Node's zlib. Node has no synchronous stream, so each member is inflated in one call, within the limit. Members are
 * separated as in Java's GZIPInputStream, which Kafka uses: bytes after a member are ignored if they do not begin with a complete
 * header.
 */
import { constants, crc32, gzipSync, inflateRawSync } from 'node:zlib'
import type { CompressionCodec } from './codec.ts'

const MAGIC = 0x8b1f
const DEFLATE = 8
const FLAGS = { headerCrc: 2, extra: 4, name: 8, comment: 16 }
const FIXED_HEADER_BYTES = 10
const TRAILER_BYTES = 8
/** Size of the shortest header and trailer. Java looks for another member only if more bytes follow. */
const IGNORED_BYTES = FIXED_HEADER_BYTES + TRAILER_BYTES
/** Largest expansion factor of deflate. */
const MOST_EXPANSION = 1032
const CHUNK_BYTES = 16 * 1024

/** Result of zlib with `info`. `bytesWritten` of the engine is the number of input bytes that it has read. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

export const gzip: CompressionCodec = {
  compress: (bytes, level = constants.Z_DEFAULT_COMPRESSION) => [gzipSync(bytes, { level, chunkSize: CHUNK_BYTES })],
  decompress: members
}

function* members(bytes: Buffer, limit: number): Generator<Buffer> {
  let room = limit
  let chunkSize = expectedBytes(bytes, limit)
  let position: number | undefined = headerEnd(bytes, 0)
  while (position !== undefined) {
    const stream = bytes.subarray(position)
    const { buffer: output, engine } = inflateStream(stream, room, chunkSize)
    room -= output.length
    yield output
    const trailer = stream.subarray(engine.bytesWritten)
    checkTrailer(trailer, output)
    position = nextMember(bytes, bytes.length - trailer.length + TRAILER_BYTES)
    chunkSize = CHUNK_BYTES
  }
}

/** Inflates the deflate stream at the start of the bytes. For a truncated stream, returns the output of the available bytes. */
function inflateStream(stream: Buffer, room: number, chunkSize: number): Inflated {
  const options = { info: true, finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: Math.max(room, 1), chunkSize }
  return inflateRawSync(stream, options) as unknown as Inflated
}

/**
 * Size of the output buffer for the first member: the size in the last trailer plus one, if the input can expand to that. zlib
 * then allocates once and copies nothing.
 */
function expectedBytes(bytes: Buffer, limit: number): number {
  if (bytes.length < TRAILER_BYTES) return CHUNK_BYTES
  const size = bytes.readUInt32LE(bytes.length - 4) + 1
  return Math.max(CHUNK_BYTES, Math.min(size, limit, bytes.length * MOST_EXPANSION))
}

function checkTrailer(trailer: Buffer, output: Buffer): void {
  if (trailer.length < TRAILER_BYTES) throw new Error('the data is truncated')
  if (trailer.readUInt32LE(0) !== crc32(output)) throw new Error('the checksum of a member is wrong')
  if (trailer.readUInt32LE(4) !== output.length % 2 ** 32) throw new Error('the size of a member is wrong')
}

/** The position after the header of the next member; undefined if there is none. */
function nextMember(bytes: Buffer, position: number): number | undefined {
  if (bytes.length - position <= IGNORED_BYTES) return undefined
  try {
    return headerEnd(bytes, position)
  } catch {
    return undefined
  }
}

/** The position after the header at `start`. Throws if the header is incomplete. As in Java, reserved flags are ignored. */
function headerEnd(bytes: Buffer, start: number): number {
  if (bytes.readUInt16LE(start) !== MAGIC) throw new Error('the data is not a gzip member')
  if (bytes.readUInt8(start + 2) !== DEFLATE) throw new Error('the compression method is unknown')
  const flags = bytes.readUInt8(start + 3)
  let position = start + FIXED_HEADER_BYTES
  if (flags & FLAGS.extra) position += 2 + bytes.readUInt16LE(position)
  if (flags & FLAGS.name) position = textEnd(bytes, position)
  if (flags & FLAGS.comment) position = textEnd(bytes, position)
  if (flags & FLAGS.headerCrc) {
    const expected = crc32(bytes.subarray(start, position)) & 0xffff
    if (bytes.readUInt16LE(position) !== expected) throw new Error('the checksum of a header is wrong')
    position += 2
  }
  if (position > bytes.length) throw new Error('the data is truncated')
  return position
}

function textEnd(bytes: Buffer, start: number): number {
  const end = bytes.indexOf(0, start)
  if (end < 0 || start > bytes.length) throw new Error('the data is truncated')
  return end + 1
}
