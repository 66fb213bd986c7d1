/**
 * Zstandard frames, decompressed as zstd-jni does for Kafka: any number of frames, including skippable frames. The output pieces
 * have a bounded size, independent of the content size in the frame. Contexts of libzstd are reused for later batches.
 */
import { isInstalled, lazy } from '../../../runtime/lazy.ts'
import { type CompressionCodec, MissingCodecError } from './codec.ts'
import type { ZstdDecoder, ZstdLibrary } from './zstd-library.ts'
import { napiLibrary, nodeLibrary } from './zstd-native.ts'
import { wasmLibrary } from './zstd-wasm.ts'

/** Loaders of the libraries, in order of preference. A loader throws if its library is absent. */
export const ZSTD_LIBRARIES = {
  'zstd-napi': napiLibrary,
  'node:zlib': () => nodeLibrary(),
  WebAssembly: wasmLibrary
} as const satisfies Record<string, () => ZstdLibrary>

const DEFAULT_LEVEL = 3
/**
 * ZSTD_DStreamInSize, the size of a read of zstd-jni. zstd-jni accepts a truncated frame if another frame has ended in the same
 * read.
 */
const INPUT_BYTES = 131_075
/** The first piece has the size that Kafka reads. Most batches need only this piece. */
const FIRST_PIECE_BYTES = 16 * 1024
const PIECE_BYTES = 128 * 1024
/** Output size above which a decoder is not reused, because it may hold a large window. */
const REUSED_UP_TO_BYTES = 8 * 1024 * 1024

export const zstd: CompressionCodec = {
  ...zstdCodec(Object.values(ZSTD_LIBRARIES)),
  missing() {
    if (('WebAssembly' in globalThis && isInstalled('#zstd-wasm')) || isInstalled('zstd-napi')) return undefined
    return new MissingCodecError('zstd', 'zstd-napi', 'WebAssembly is not available either')
  }
}

/** The codec with the first library that is present. Decompression takes the first present library with a decoder. */
export function zstdCodec(libraries: readonly (() => ZstdLibrary)[]): CompressionCodec {
  const newDecoder = lazy(() => firstPresent(libraries, library => library.newDecoder))
  const encoder = lazy(() => firstPresent(libraries, library => library.newEncoder)())
  let idle: ZstdDecoder | undefined

  function* decompress(bytes: Buffer): Generator<Buffer> {
    // A batch that is read between two pieces of another batch gets its own decoder.
    const decoder = idle ?? newDecoder()()
    idle = undefined
    let total = 0
    try {
      decoder.reset()
      for (const piece of pieces(decoder, bytes)) {
        total += piece.length
        yield piece
      }
    } finally {
      if (total <= REUSED_UP_TO_BYTES) idle = decoder
    }
  }
  return { compress: (bytes, level = DEFAULT_LEVEL) => [encoder().compress(bytes, level)], decompress }
}

/** Fills each piece before it allocates the next one, so that thousands of tiny frames cost no more than a large frame. */
function* pieces(decoder: ZstdDecoder, bytes: Buffer): Generator<Buffer> {
  let position = 0
  let input = bytes.subarray(0, 0)
  let hasFrameEnd = true
  let isFlushed = true
  for (let pieceBytes = FIRST_PIECE_BYTES; ; pieceBytes = PIECE_BYTES) {
    const piece = Buffer.allocUnsafe(pieceBytes)
    let filled = 0
    while (filled < pieceBytes) {
      if (isFlushed && input.length === 0) {
        input = bytes.subarray(position, position + INPUT_BYTES)
        position += input.length
        if (input.length === 0) {
          if (filled > 0) yield piece.subarray(0, filled)
          if (!hasFrameEnd) throw new Error('a frame is truncated')
          return
        }
        hasFrameEnd = false
      }
      const [expectedBytes, produced, consumed] = decoder.decompressStream(piece.subarray(filled), input)
      filled += produced
      input = input.subarray(consumed)
      if (expectedBytes === 0) hasFrameEnd = true
      isFlushed = expectedBytes === 0 || filled < pieceBytes
    }
    yield piece
  }
}

function firstPresent<T>(libraries: readonly (() => ZstdLibrary)[], part: (library: ZstdLibrary) => T | undefined): T {
  const reasons: string[] = []
  for (const load of libraries) {
    try {
      const present = part(load())
      if (present !== undefined) return present
    } catch (error) {
      const [reason = ''] = String(error).split('\n')
      reasons.push(reason)
    }
  }
  throw new MissingCodecError('zstd', 'zstd-napi', reasons.join('; '))
}
