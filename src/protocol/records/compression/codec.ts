/** What a codec is, and the two ways in which one fails that are not a matter of bad bytes. */
import type { Logger } from '../../../runtime/logger.ts'
import { KafkaError } from '../../errors.ts'

/** One codec. `inflate` allocates no more than `limit` bytes at once; on bad input it may throw anything. */
export interface CompressionCodec {
  /** `level` is on the codec's own scale; undefined is Kafka's default. */
  deflate(bytes: Buffer, level: number | undefined): Buffer
  /** The decompressed bytes, in order, in pieces. */
  inflate(bytes: Buffer, limit: number): Iterable<Buffer>
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

/** Looks at errors on their way to clients, and logs the first MissingCodecError: each batch would say the same. */
export function missingCodecNotice(logger: Logger): (error: unknown) => void {
  let isTold = false
  return error => {
    if (isTold || !(error instanceof MissingCodecError)) return
    isTold = true
    logger.warn({}, error.message)
  }
}
