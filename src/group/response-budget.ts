/**
 * How large an answer may become. A partition that is asked for takes four bytes, a group's whole offsets none at all,
 * and either can be asked for again and again; the answer has all metadata each time.
 */
import { KafkaError } from '../protocol/errors.ts'

/** Above what any group has: some four thousand partitions with as much metadata as is allowed. */
export const MAX_RESPONSE_BYTES = 16 * 1024 * 1024

export class ResponseBudget {
  #bytesLeft = MAX_RESPONSE_BYTES

  /** Announces so many bytes, before they are gathered. Throws INVALID_REQUEST when they are too many. */
  spend(bytes: number): void {
    this.#bytesLeft -= bytes
    if (this.#bytesLeft >= 0) return
    throw new KafkaError('INVALID_REQUEST', `the answer would take more than ${MAX_RESPONSE_BYTES} bytes`)
  }
}
