/**
 * gzip by Node's own zlib. Node has no synchronous stream, so the output comes as one piece: the limit is zlib's.
 */
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { type CompressionCodec, DecompressedTooLargeError } from './codec.ts'

const PIECE_BYTES = 64 * 1024

export const gzip: CompressionCodec = {
  deflate: (bytes, level = constants.Z_DEFAULT_COMPRESSION) => gzipSync(bytes, { level, chunkSize: PIECE_BYTES }),
  inflate(bytes, limit) {
    try {
      return [gunzipSync(bytes, { maxOutputLength: limit, chunkSize: PIECE_BYTES })]
    } catch (error) {
      if (error instanceof RangeError) throw new DecompressedTooLargeError(limit)
      throw error
    }
  }
}
