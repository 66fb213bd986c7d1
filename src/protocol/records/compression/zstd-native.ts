/**
 * Native zstd libraries: zstd-napi, an optional package of the user, and Node's zlib from 22.15 on. zlib is only used for
 * compression. Its synchronous decompression returns the output in one piece, drops all frames after the first, and returns a
 * truncated frame without an error.
 */
import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import type { ZstdLibrary } from './zstd-library.ts'

/** The used part of zstd-napi. The package may be absent, so its own types are not available. */
interface ZstdNapi {
  DCtx: new () => {
    decompressStream(into: Buffer, bytes: Buffer): [expectedBytes: number, produced: number, consumed: number]
    reset(directive: number): void
  }
  CCtx: new () => { compress(into: Buffer, bytes: Buffer, level: number): number }
  compressBound(length: number): number
  ResetDirective: { sessionOnly: number }
}

/** The used part of Node's zlib. The types of the oldest supported Node do not have it. */
interface NodeZlib {
  gunzipSync: unknown
  zstdCompressSync?(bytes: Buffer, options: { params: Record<number, number> }): Buffer
}

/** Number of the parameter ZSTD_c_compressionLevel. */
const COMPRESSION_LEVEL = 100

/** Loads zstd-napi. Throws if the package is absent or has no binary for this machine. */
export function napiLibrary(): ZstdLibrary {
  const napi = createRequire(import.meta.filename)('zstd-napi/binding') as ZstdNapi
  return {
    newEncoder() {
      const context = new napi.CCtx()
      return {
        compress(bytes, level) {
          const frame = Buffer.allocUnsafe(napi.compressBound(bytes.length))
          return frame.subarray(0, context.compress(frame, bytes, level))
        }
      }
    },
    newDecoder() {
      const context = new napi.DCtx()
      return {
        decompressStream: (into, bytes) => context.decompressStream(into, bytes),
        reset: () => context.reset(napi.ResetDirective.sessionOnly)
      }
    }
  }
}

/** The library of Node's zlib. Throws if it has no zstd. */
export function nodeLibrary({ zstdCompressSync }: NodeZlib = zlib): ZstdLibrary {
  if (!zstdCompressSync) throw new Error('Node.js has zstd since 22.15')
  return {
    newEncoder: () => ({
      compress: (bytes, level) => zstdCompressSync(bytes, { params: { [COMPRESSION_LEVEL]: level } })
    })
  }
}
