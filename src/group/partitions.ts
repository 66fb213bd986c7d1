/** The partitions of __consumer_offsets: which one holds a group, loaded when it is first asked for. */
import { MalformedFrame } from '../protocol/bytes.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { finishNow, type Steps } from '../runtime/steps.ts'
import { type GroupJournal, GroupPartition } from './partition.ts'
import { partitionFor } from './partitioner.ts'

export interface PartitionPorts {
  readonly clock: Clock
  readonly logger: Logger
  /** How many partitions __consumer_offsets has; 0 while there is no such topic. */
  partitionCount(): number
  journal(partition: number): GroupJournal
}

export class GroupPartitions {
  readonly #ports: PartitionPorts
  readonly #loaded: (partition: GroupPartition) => void
  /** Null for a partition that could not be loaded. */
  readonly #partitions = new Map<number, GroupPartition | null>()

  /** `loaded` is called once for each partition. */
  constructor(ports: PartitionPorts, loaded: (partition: GroupPartition) => void) {
    this.#ports = ports
    this.#loaded = loaded
  }

  /** The partition that holds a group. Throws NOT_COORDINATOR when there is none, or it could not be loaded. */
  of(groupId: string): GroupPartition {
    const partitionCount = this.#ports.partitionCount()
    const partition = partitionCount > 0 ? finishNow(this.#partition(partitionFor(groupId, partitionCount))) : null
    // The client looks for its coordinator again, and that makes the topic where it is missing.
    if (!partition) throw new KafkaError('NOT_COORDINATOR', `the records of group ${groupId} are not here`)
    return partition
  }

  /** Loads all of them, before anybody asks for one. */
  *loadAll(): Steps {
    for (let index = 0; index < this.#ports.partitionCount(); index++) yield* this.#partition(index)
  }

  clear(): void {
    this.#partitions.clear()
  }

  /** Those that are loaded. */
  *[Symbol.iterator](): Iterator<GroupPartition> {
    for (const partition of this.#partitions.values()) if (partition) yield partition
  }

  *#partition(index: number): Steps<GroupPartition | null> {
    const known = this.#partitions.get(index)
    if (known !== undefined) return known
    const partition = yield* this.#load(index)
    this.#partitions.set(index, partition)
    if (partition) this.#loaded(partition)
    return partition
  }

  *#load(index: number): Steps<GroupPartition | null> {
    const { journal, clock, logger } = this.#ports
    try {
      return yield* GroupPartition.load(journal(index), clock.now(), logger)
    } catch (error) {
      if (!(error instanceof MalformedFrame || error instanceof KafkaError)) throw error
      const bindings = { err: error, partition: index }
      logger.error(bindings, 'a partition of __consumer_offsets cannot be read: its groups cannot be served')
      return null
    }
  }
}
