/** libzstd as the codec uses it: contexts of both directions, from one of several libraries. */

/** A decompression context. */
export interface ZstdDecoder {
  /** Fills `into` from `bytes` (ZSTD_decompressStream). `expectedBytes` is 0 at the end of a frame. */
  decompressStream(into: Buffer, bytes: Buffer): [expectedBytes: number, produced: number, consumed: number]
  /** Drops the frame that was begun, in any state. */
  reset(): void
}

/** A compression context. */
export interface ZstdEncoder {
  /** One frame, whose header has the size of the content. */
  compress(bytes: Buffer, level: number): Buffer
}

/** A library that is loaded. */
export interface ZstdLibrary {
  newEncoder(): ZstdEncoder
  /** Absent where the library cannot decompress in pieces. */
  newDecoder?(): ZstdDecoder
}
