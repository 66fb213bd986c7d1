/** The records that a request on topics will append, gathered within limits: too large a request appends none. */
import { KafkaError } from '../../protocol/errors.ts'
import type { MetadataImage } from '../image/image.ts'
import type { MetadataRecord } from '../records.ts'

/** What to append, and what to answer. */
export interface Decision<Result> {
  readonly records: readonly MetadataRecord[]
  readonly results: readonly Result[]
}

/** Kafka's limit on the partitions that one request creates; it also bounds what a request can make us allocate. */
export const MAX_PARTITIONS_PER_BATCH = 10_000
/** Kafka's limit on the records of one request, which go into one batch. */
export const MAX_RECORDS_PER_USER_OP = 10_000

/** The answer to a request that goes beyond it. */
export const TOO_MANY_PER_REQUEST = 'Excessively large number of partitions per request.'

export class Plan {
  readonly records: MetadataRecord[] = []
  readonly #partitionsBefore: number
  readonly #maxPartitions: number
  #planned = 0

  /** `maxPartitions`: how many all topics together may have. */
  constructor(image: MetadataImage, maxPartitions: number) {
    this.#partitionsBefore = image.partitionCount
    this.#maxPartitions = maxPartitions
  }

  /** Announces new partitions, before anything is allocated for them. Throws POLICY_VIOLATION for too many. */
  reserve(partitions: number): void {
    const planned = this.#planned + partitions
    if (planned > MAX_PARTITIONS_PER_BATCH) throw new KafkaError('POLICY_VIOLATION', TOO_MANY_PER_REQUEST)
    const total = this.#partitionsBefore + planned
    if (total > this.#maxPartitions) {
      const text = `The broker would have ${total} partitions, more than its limit of ${this.#maxPartitions}.`
      throw new KafkaError('POLICY_VIOLATION', text)
    }
    this.#planned = planned
  }
}

/** The names that a request has more than once. */
export function repeatedNames(topics: readonly { readonly name: string }[]): Set<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name } of topics) {
    if (seen.has(name)) repeated.add(name)
    seen.add(name)
  }
  return repeated
}
