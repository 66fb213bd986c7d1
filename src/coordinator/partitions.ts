/** The partitions of a coordinator's topic. Each is loaded on first use. */

import { KafkaError } from '../protocol/errors.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import type { Logger } from '../runtime/logger.ts'
import { runAtOnce, type Steps } from '../runtime/pace.ts'
import type { StateJournal } from './journal.ts'
import { partitionFor } from './partitioner.ts'

/** The topic that stores a coordinator's state. */
export interface StateTopic {
  readonly topic: string
  readonly logger: Logger
  /** Number of partitions of the topic; 0 if the topic does not exist. */
  partitionCount(): number
  /** Whether this node leads the partition, and so is the coordinator of its keys. */
  leads(partition: number): boolean
  journal(partition: number): StateJournal
}

export class StatePartitions<Partition> {
  readonly #topic: StateTopic
  readonly #load: (journal: StateJournal) => Steps<Partition>
  readonly #loaded: (partition: Partition) => void
  /** Null for a partition that failed to load. */
  readonly #partitions = new Map<number, Partition | null>()

  /**
   * `load` throws MalformedFrame or a KafkaError if the partition cannot be read. `loaded` is called once for each loaded
   * partition.
   */
  constructor(
    topic: StateTopic,
    load: (journal: StateJournal) => Steps<Partition>,
    loaded: (partition: Partition) => void
  ) {
    this.#topic = topic
    this.#load = load
    this.#loaded = loaded
  }

  /**
   * The partition of a key. Throws NOT_COORDINATOR if the topic does not exist, another node leads the partition, or it failed to
   * load.
   */
  of(key: string): Partition {
    const partitionCount = this.#topic.partitionCount()
    const partition = partitionCount > 0 ? runAtOnce(this.#partition(partitionFor(key, partitionCount))) : null
    // The client then sends FindCoordinator again, which creates a missing topic.
    if (!partition) throw new KafkaError('NOT_COORDINATOR', `the records of ${key} are not here`)
    return partition
  }

  /** The partition with this index; undefined if it does not exist, another node leads it, or it failed to load. */
  at(index: number): Partition | undefined {
    return index < this.#topic.partitionCount() ? (runAtOnce(this.#partition(index)) ?? undefined) : undefined
  }

  /** Loads all partitions that this node leads, before the first request. */
  *loadAll(): Steps {
    for (let index = 0; index < this.#topic.partitionCount(); index++) yield* this.#partition(index)
  }

  clear(): void {
    this.#partitions.clear()
  }

  /** The loaded partitions that this node leads. */
  *[Symbol.iterator](): Iterator<Partition> {
    for (const [index, partition] of this.#partitions) if (partition && this.#topic.leads(index)) yield partition
  }

  *#partition(index: number): Steps<Partition | null> {
    if (!this.#topic.leads(index)) return null
    const existing = this.#partitions.get(index)
    if (existing !== undefined) return existing
    const partition = yield* this.#tryLoad(index)
    this.#partitions.set(index, partition)
    if (partition) this.#loaded(partition)
    return partition
  }

  *#tryLoad(index: number): Steps<Partition | null> {
    const { topic, logger } = this.#topic
    try {
      return yield* this.#load(this.#topic.journal(index))
    } catch (error) {
      if (!(error instanceof MalformedFrame || error instanceof KafkaError)) throw error
      logger.error(
        { err: error, partition: index },
        `a partition of ${topic} cannot be read: what it holds cannot be served`
      )
      return null
    }
  }
}
