/**
 * Zstandard by zstd-napi, an optional package, loaded on first use; without it by Node itself, from 22.15 on; else
 * not at all. zstd-napi streams, Node gives the output as one piece within zlib's limit.
 */
import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import { lazy } from '../../../runtime/lazy.ts'
import { type CompressionCodec, DecompressedTooLargeError, MissingCodecError } from './codec.ts'

/** What is used of the package. It may be absent, so its own types cannot be leant on. */
interface ZstdNapi {
  compress(bytes: Buffer, options: { compressionLevel: number }): Buffer
}
interface ZstdBinding {
  DCtx: new () => {
    decompressStream(into: Buffer, bytes: Buffer): [expectedBytes: number, produced: number, consumed: number]
  }
  dStreamOutSize(): number
}

/** Node's functions, which the types of the oldest supported Node do not know. */
interface NodeZlib {
  gunzipSync: unknown
  zstdCompressSync?(bytes: Buffer, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync?(bytes: Buffer, options: { maxOutputLength: number }): Buffer
}

const DEFAULT_LEVEL = 3
/** Zstandard's own number of the parameter. */
const COMPRESSION_LEVEL = 100

export const zstd: CompressionCodec = {
  deflate: (bytes, level) => implementation().deflate(bytes, level),
  // No frame at all is an empty stream to Kafka's reader.
  inflate: (bytes, limit) => (bytes.length === 0 ? [] : implementation().inflate(bytes, limit))
}

const implementation = lazy(() => chooseZstd(createRequire(import.meta.filename), zlib))

/** The package's codec, else Node's. Throws MissingCodecError where neither is there. */
export function chooseZstd(require: (id: string) => unknown, node: NodeZlib): CompressionCodec {
  try {
    return zstdOfPackage(require('zstd-napi') as ZstdNapi, require('zstd-napi/binding') as ZstdBinding)
  } catch (error) {
    const [reason] = String(error).split('\n')
    const fallback = zstdOfNode(node)
    if (fallback) return fallback
    throw new MissingCodecError(
      `zstd needs Node.js 22.15 or newer, or the optional package zstd-napi (npm install zstd-napi): ${reason}`
    )
  }
}

function zstdOfPackage(package_: ZstdNapi, binding: ZstdBinding): CompressionCodec {
  return {
    deflate: (bytes, level = DEFAULT_LEVEL) => package_.compress(bytes, { compressionLevel: level }),
    inflate: bytes => inflateStream(binding, bytes)
  }
}

/** Fills each piece before the next is allocated, so that thousands of tiny frames cost no more than one large one. */
function* inflateStream(binding: ZstdBinding, bytes: Buffer): Generator<Buffer> {
  const context = new binding.DCtx()
  const pieceBytes = binding.dStreamOutSize()
  let rest = bytes
  for (;;) {
    const piece = Buffer.allocUnsafe(pieceBytes)
    let filled = 0
    while (filled < pieceBytes) {
      const [expectedBytes, produced, consumed] = context.decompressStream(piece.subarray(filled), rest)
      filled += produced
      rest = rest.subarray(consumed)
      if (expectedBytes === 0 && rest.length === 0) return yield piece.subarray(0, filled)
      if (produced === 0 && consumed === 0) throw new Error('the stream is cut off')
    }
    yield piece
  }
}

function zstdOfNode(node: NodeZlib): CompressionCodec | undefined {
  const { zstdCompressSync, zstdDecompressSync } = node
  if (!zstdCompressSync || !zstdDecompressSync) return undefined
  return {
    deflate: (bytes, level = DEFAULT_LEVEL) => zstdCompressSync(bytes, { params: { [COMPRESSION_LEVEL]: level } }),
    inflate(bytes, limit) {
      try {
        return [zstdDecompressSync(bytes, { maxOutputLength: limit })]
      } catch (error) {
        if (error instanceof RangeError) throw new DecompressedTooLargeError(limit)
        throw error
      }
    }
  }
}
