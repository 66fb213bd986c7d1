/** A codec, and the two errors of codecs that do not mean bad bytes. */
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
}

/** The records of a batch are larger than the limit when decompressed. */
export class DecompressedTooLargeError extends KafkaError {
  override name = 'DecompressedTooLargeError'

  constructor(limit: number) {
    super('MESSAGE_TOO_LARGE', `the records of a batch decompress to more than ${limit} bytes`)
  }
}

/** This process has no module for the codec; the message says what to install. */
export class MissingCodecError extends KafkaError {
  override name = 'MissingCodecError'

  constructor(message: string) {
    super('UNSUPPORTED_COMPRESSION_TYPE', message)
  }
}

/** What a package is replaced by that has no binary here: an error. */
export function withoutPackage(name: string): (reason: string) => never {
  return reason => {
    throw new MissingCodecError(
      `the package ${name} lacks its binary for this machine (npm install ${name}): ${reason}`
    )
  }
}

/** Looks at errors on their way to clients, and logs each MissingCodecError once: all batches of a codec say the same. */
export function missingCodecNotice(logger: Logger): (error: unknown) => void {
  const reported = new Set<string>()
  return error => {
    if (!(error instanceof MissingCodecError) || reported.has(error.message)) return
    reported.add(error.message)
    logger.warn({}, error.message)
  }
}
