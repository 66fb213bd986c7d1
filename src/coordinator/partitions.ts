/** The partitions of a coordinator's topic: which one holds a key, loaded when it is first asked for. */

import { KafkaError } from '../protocol/errors.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import type { Logger } from '../runtime/logger.ts'
import { runAtOnce, type Steps } from '../runtime/pace.ts'
import type { StateJournal } from './journal.ts'
import { partitionFor } from './partitioner.ts'

/** The topic that a coordinator keeps its state in. */
export interface StateTopic {
  readonly topic: string
  readonly logger: Logger
  /** How many partitions the topic has; 0 while there is no such topic. */
  partitionCount(): number
  journal(partition: number): StateJournal
}

export class StatePartitions<Partition> {
  readonly #topic: StateTopic
  readonly #load: (journal: StateJournal) => Steps<Partition>
  readonly #loaded: (partition: Partition) => void
  /** Null for a partition that could not be loaded. */
  readonly #partitions = new Map<number, Partition | null>()

  /** `load` throws MalformedFrame or a KafkaError for what cannot be loaded; `loaded` is called once for each that can. */
  constructor(
    topic: StateTopic,
    load: (journal: StateJournal) => Steps<Partition>,
    loaded: (partition: Partition) => void
  ) {
    this.#topic = topic
    this.#load = load
    this.#loaded = loaded
  }

  /** The partition that holds a key. Throws NOT_COORDINATOR when there is none, or it could not be loaded. */
  of(key: string): Partition {
    const partitionCount = this.#topic.partitionCount()
    const partition = partitionCount > 0 ? runAtOnce(this.#partition(partitionFor(key, partitionCount))) : null
    // The client looks for its coordinator again, and that makes the topic where it is missing.
    if (!partition) throw new KafkaError('NOT_COORDINATOR', `the records of ${key} are not here`)
    return partition
  }

  /** The partition of this number, if it is there and can be loaded. */
  at(index: number): Partition | undefined {
    return index < this.#topic.partitionCount() ? (runAtOnce(this.#partition(index)) ?? undefined) : undefined
  }

  /** Loads all of them, before anybody asks for one. */
  *loadAll(): Steps {
    for (let index = 0; index < this.#topic.partitionCount(); index++) yield* this.#partition(index)
  }

  clear(): void {
    this.#partitions.clear()
  }

  /** Those that are loaded. */
  *[Symbol.iterator](): Iterator<Partition> {
    for (const partition of this.#partitions.values()) if (partition) yield partition
  }

  *#partition(index: number): Steps<Partition | null> {
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
