/** Collects the records of a request on topics, within limits on their number. */
import { KafkaError } from '../../protocol/errors.ts'
import type { MetadataImage } from '../image/image.ts'
import type { MetadataRecord } from '../records.ts'

/** Records to append, and results to return. */
export interface Decision<Result> {
  readonly records: readonly MetadataRecord[]
  readonly results: readonly Result[]
}

/** Kafka's limit on the partitions that a request creates. It also bounds the memory that a request can allocate. */
export const MAX_PARTITIONS_PER_BATCH = 10_000
/** Kafka's limit on the records of a request, which all belong to one batch. */
export const MAX_RECORDS_PER_USER_OP = 10_000

/** Error message for a request above MAX_PARTITIONS_PER_BATCH. */
export const TOO_MANY_PER_REQUEST = 'Excessively large number of partitions per request.'

export class Plan {
  readonly records: MetadataRecord[] = []
  readonly #partitionsBefore: number
  readonly #maxPartitions: number
  #planned = 0

  /** `maxPartitions` limits the partitions of all topics together. */
  constructor(image: MetadataImage, maxPartitions: number) {
    this.#partitionsBefore = image.partitionCount
    this.#maxPartitions = maxPartitions
  }

  /** Reserves new partitions before memory is allocated for them. Throws POLICY_VIOLATION if a limit is exceeded. */
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

/** The names that occur more than once in a request. */
export function repeatedNames(topics: readonly { readonly name: string }[]): Set<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name } of topics) {
    if (seen.has(name)) repeated.add(name)
    seen.add(name)
  }
  return repeated
}
