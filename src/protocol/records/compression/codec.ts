/** A codec, and the two errors of codecs that do not mean bad bytes. */
import { hasBinary, lazyModule } from '../../../runtime/lazy.ts'
import type { Logger } from '../../../runtime/logger.ts'
import { KafkaError } from '../../errors.ts'

/**
 * A codec. Both directions are synchronous and come in pieces, in order: a caller may stop, or let other work go first,
 * after each. No state is left behind by an error or by an iteration that is not finished.
 */
export interface CompressionCodec {
  /** The compressed bytes. `level` is on the codec's own scale; undefined is Kafka's default. */
  compress(bytes: Buffer, level: number | undefined): Iterable<Buffer>
  /** The decompressed bytes. A piece is no larger than `limit`. Throws any error on bad input. */
  decompress(bytes: Buffer, limit: number): Iterable<Buffer>
  /** Finds out, without loading it, that the library of the codec is not installed. */
  missing?(): MissingCodecError | undefined
}

/** The records of a batch are larger than the limit when decompressed. */
export class DecompressedTooLargeError extends KafkaError {
  override name = 'DecompressedTooLargeError'

  constructor(limit: number) {
    super('MESSAGE_TOO_LARGE', `the records of a batch decompress to more than ${limit} bytes`)
  }
}

/** This process has no library for the codec. The message says what to install. */
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

/** The native package that is the library of a codec. `load` throws MissingCodecError. */
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

/** Logs the first MissingCodecError of each codec. It sees the errors of responses to clients, and what a start finds missing. */
export function missingCodecNotice(logger: Logger): (error: unknown) => void {
  const reported = new Set<string>()
  return error => {
    if (!(error instanceof MissingCodecError) || reported.has(error.codec)) return
    reported.add(error.codec)
    logger.warn({}, error.message)
  }
}
