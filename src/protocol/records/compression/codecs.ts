/**
 * Compression and decompression by codec. Decompression yields its output in pieces and enforces a limit: a few kilobytes can
 * decompress to gigabytes, and the one-shot call of a codec would allocate them.
 */
import { constants } from 'node:buffer'
import { lazy } from '../../../runtime/lazy.ts'
import { KafkaError } from '../../errors.ts'
import { type CompressionCodec, DecompressedTooLargeError, type MissingCodecError } from './codec.ts'
import { gzip } from './gzip.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { zstd } from './zstd.ts'

/** The codecs that compress. */
export type Compression = 'gzip' | 'snappy' | 'lz4' | 'zstd'
/** The codecs of batch attributes. */
export type Codec = 'none' | Compression

const CODECS: Record<Compression, CompressionCodec> = { gzip, snappy, lz4, zstd }
const BY_ID: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** The codec of an id in batch attributes. As in Kafka, throws UNKNOWN_SERVER_ERROR for an unknown id. */
export function codecOf(id: number): Codec {
  const codec = BY_ID[id]
  if (codec === undefined)
    throw new KafkaError('UNKNOWN_SERVER_ERROR', `the compression type ${id} is unknown; valid are 0 to 4`)
  return codec
}

/** The id of a codec in batch attributes. */
export function codecId(codec: Codec): number {
  return BY_ID.indexOf(codec)
}

/** The codecs whose libraries are not installed. Checks once, and loads no library. */
export const missingCodecs = lazy<readonly MissingCodecError[]>(() =>
  Object.values(CODECS).flatMap(codec => codec.missing?.() ?? [])
)

/** The compressed bytes in pieces, in the framing that Kafka's clients read. `level` is on the codec's own scale. */
export function compress(codec: Compression, bytes: Buffer, level?: number): Iterable<Buffer> {
  return CODECS[codec].compress(bytes, level)
}

/**
 * The decompressed bytes in pieces. Throws DecompressedTooLargeError above `limit` bytes in total. As in Kafka, throws
 * UNKNOWN_SERVER_ERROR if the codec rejects its input. Batches from clients need a limit. Batches of a log were checked against
 * one when they were appended.
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

/** True for the error of a call of Node's zlib whose output exceeds `maxOutputLength`. */
function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}

/** Reason of a failed decompression. A RangeError is a read past the end of a Buffer: the compressed bytes are truncated. */
function whyNot(error: unknown): string {
  if (error instanceof RangeError) return 'the data is truncated'
  return error instanceof Error ? error.message : String(error)
}
