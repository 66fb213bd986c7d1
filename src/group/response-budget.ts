/**
 * A limit for the size of responses. A request can be much smaller than its response: a partition takes four bytes,
 * a request for all offsets of a group has no partitions, and both may occur repeatedly. The response has the metadata each time.
 */
import { KafkaError } from '../protocol/errors.ts'

/** More than the offsets of about four thousand partitions with metadata of maximum size. */
export const MAX_RESPONSE_BYTES = 16 * 1024 * 1024

export class ResponseBudget {
  #bytesLeft = MAX_RESPONSE_BYTES

  /** Reserves bytes of the response before it is built. Throws INVALID_REQUEST if the response is too large. */
  spend(bytes: number): void {
    this.#bytesLeft -= bytes
    if (this.#bytesLeft >= 0) return
    throw new KafkaError('INVALID_REQUEST', `the response exceeds the limit of ${MAX_RESPONSE_BYTES} bytes`)
  }
}
