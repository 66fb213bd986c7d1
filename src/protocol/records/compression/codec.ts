/** Interface of a compression codec, and the two errors of codecs that do not mean invalid bytes. */
import { hasBinary, lazyModule } from '../../../runtime/lazy.ts'
import { KafkaError } from '../../errors.ts'

/**
 * A compression codec. Both directions are synchronous and yield their output in pieces, in order. The caller may stop or yield
 * to other work after each piece. An error or an abandoned iteration leaves no state behind.
 */
export interface CompressionCodec {
  /** The compressed bytes. `level` is on the codec's own scale; undefined selects Kafka's default. */
  compress(bytes: Buffer, level: number | undefined): Iterable<Buffer>
  /** The decompressed bytes. No piece is larger than `limit`. Throws any error on invalid input. */
  decompress(bytes: Buffer, limit: number): Iterable<Buffer>
  /** The error for a library that is not installed. Does not load the library. */
  missing?(): MissingCodecError | undefined
}

/** The decompressed records of a batch exceed the limit. */
export class DecompressedTooLargeError extends KafkaError {
  override name = 'DecompressedTooLargeError'

  constructor(limit: number) {
    super('MESSAGE_TOO_LARGE', `the records of a batch decompress to more than ${limit} bytes`)
  }
}

/** This process has no library for the codec. The message names the package to install. */
export class MissingCodecError extends KafkaError {
  override name = 'MissingCodecError'
  readonly codec: string

  constructor(codec: string, packageName: string, reason: string) {
    super(
      'UNSUPPORTED_COMPRESSION_TYPE',
      `${codec} needs the package ${packageName}, which cannot be used here (npm install ${packageName}): ${reason}`
    )
    this.codec = codec
  }
}

/** The native package with the library of a codec. `load` throws MissingCodecError. */
export function nativeLibrary<T>(codec: string, packageName: string) {
  return {
    load: lazyModule<T>(packageName, reason => {
      throw new MissingCodecError(codec, packageName, reason)
    }),
    missing(): MissingCodecError | undefined {
      if (hasBinary(packageName)) return undefined
      const machine = `${process.platform}-${process.arch}`
      return new MissingCodecError(codec, packageName, `its binary for ${machine} is not installed`)
    }
  }
}
