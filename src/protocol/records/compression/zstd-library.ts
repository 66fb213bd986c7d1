/** Interface of the libzstd libraries: compression and decompression contexts. */

/** A decompression context (ZSTD_DCtx). */
export interface ZstdDecoder {
  /** Fills `into` with decompressed `bytes` (ZSTD_decompressStream). `expectedBytes` is 0 at the end of a frame. */
  decompressStream(into: Buffer, bytes: Buffer): [expectedBytes: number, produced: number, consumed: number]
  /** Drops a partly decompressed frame. Valid in any state. */
  reset(): void
}

/** A compression context (ZSTD_CCtx). */
export interface ZstdEncoder {
  /** Compresses `bytes` to one frame. Its header has the content size. */
  compress(bytes: Buffer, level: number): Buffer
}

/** A loaded library. */
export interface ZstdLibrary {
  newEncoder(): ZstdEncoder
  /** Absent if the library cannot decompress in pieces. */
  newDecoder?(): ZstdDecoder
}
