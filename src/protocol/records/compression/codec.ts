/** What a codec is, and the two ways in which one fails that are not a matter of bad bytes. */
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
