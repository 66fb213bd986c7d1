/**
 * The table of codecs, and the two ways through it. Decompression gives its output in pieces and never more than a
 * limit: a few kilobytes can claim gigabytes, and a codec's own one-shot call would allocate them.
 */
import { constants } from 'node:buffer'
import { lazy } from '../../../runtime/lazy.ts'
import { KafkaError } from '../../errors.ts'
import { type CompressionCodec, DecompressedTooLargeError, type MissingCodecError } from './codec.ts'
import { gzip } from './gzip.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { zstd } from './zstd.ts'

/** The ways to compress the records of a batch. */
export type Compression = 'gzip' | 'snappy' | 'lz4' | 'zstd'
/** What a batch's attributes may name. */
export type Codec = 'none' | Compression

const CODECS: Record<Compression, CompressionCodec> = { gzip, snappy, lz4, zstd }
const BY_ID: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** The codec of an id from a batch's attributes. Throws UNKNOWN_SERVER_ERROR, as Kafka does, when there is none. */
export function codecOf(id: number): Codec {
  const codec = BY_ID[id]
  if (codec === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', `there is no compression type ${id}`)
  return codec
}

/** The id that stands for the codec in a batch's attributes. */
export function codecId(codec: Codec): number {
  return BY_ID.indexOf(codec)
}

/** The codecs whose libraries are not installed. Looks once, and loads no library. */
export const missingCodecs = lazy<readonly MissingCodecError[]>(() =>
  Object.values(CODECS).flatMap(codec => codec.missing?.() ?? [])
)

/** The compressed bytes, piece by piece, in the framing that Kafka's clients read. `level` is on the codec's own scale. */
export function compress(codec: Compression, bytes: Buffer, level?: number): Iterable<Buffer> {
  return CODECS[codec].compress(bytes, level)
}

/**
 * The decompressed bytes, piece by piece. Throws DecompressedTooLargeError beyond `limit` bytes in total, and
 * UNKNOWN_SERVER_ERROR, as Kafka does, where the codec cannot read its input. What comes from outside needs a limit;
 * what our own logs hold was held against one when it came.
 */
export function* decompress(
  codec: Compression,
  bytes: Buffer,
  limit = Number.POSITIVE_INFINITY
): Generator<Buffer, undefined> {
  const largestPiece = Math.min(limit, constants.MAX_LENGTH)
  let total = 0
  try {
    for (const piece of CODECS[codec].decompress(bytes, largestPiece)) {
      total += piece.length
      if (total > limit) throw new DecompressedTooLargeError(limit)
      yield piece
    }
  } catch (error) {
    if (error instanceof KafkaError) throw error
    if (isTooLarge(error)) throw new DecompressedTooLargeError(limit)
    throw new KafkaError('UNKNOWN_SERVER_ERROR', `${codec} cannot decompress the records of a batch: ${whyNot(error)}`)
  }
}

/** The error of a call of Node's zlib whose output exceeds `maxOutputLength`. */
function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}

/** A read of a Buffer beyond its end means that the compressed bytes are cut off. */
function whyNot(error: unknown): string {
  if (error instanceof RangeError) return 'they end too early'
  return error instanceof Error ? error.message : String(error)
}
