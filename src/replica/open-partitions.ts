/**
 * The open partitions. A partition's log and producer state are opened at the first use. `Replicas` decides which partitions
 * exist, and which role each has.
 */

import type { Settings } from '../config/settings.ts'
import type { Events } from '../events/event.ts'
import { DurableProducers } from '../idempotence/durable-producers.ts'
import type { LogDirectory } from '../log/directory/log-directory.ts'
import { folderOf, type TopicPartition } from '../log/partition-folder.ts'
import type { BatchObserver } from '../log/partition-log/batch-observer.ts'
import { LOG_ROWS } from '../log/partition-log/log-config.ts'
import type { TopicState } from '../metadata/image/image.ts'
import { runAtOnce, type Steps } from '../runtime/pace.ts'
import type { Clocks } from '../runtime/time.ts'
import type { Storage } from '../storage/storage.ts'
import { Partition } from './partition.ts'
import type { Role } from './role.ts'

export interface OpenPartitionsPorts {
  readonly directory: LogDirectory
  readonly storage: Storage
  readonly clocks: Clocks
  readonly events: Events
  readonly settings: Settings
}

export class OpenPartitions {
  readonly #ports: OpenPartitionsPorts
  /** By topic id, then by partition; `undefined` if the log is not open. */
  readonly #byTopic = new Map<string, (Partition | undefined)[]>()

  constructor(ports: OpenPartitionsPorts) {
    this.#ports = ports
  }

  /** Opens a partition in the role, if it is not open. Throws StorageError, also for a log that is offline. */
  open(topic: TopicState, index: number, role: Role): Partition {
    return runAtOnce(this.opening(topic, index, role))
  }

  /** As `open`, in steps: producer state may have to be rebuilt from a large part of the log. */
  *opening(topic: TopicState, index: number, role: Role): Steps<Partition> {
    const { clocks, settings } = this.#ports
    const partition = this.#partition(topic, index, role)
    partition.log.checkOnline()
    if (!partition.isLoaded) yield* partition.loading(clocks.wall.now(), settings.get('producer.id.expiration.ms'))
    return partition
  }

  /** The partition, if it is open. */
  find(topicId: string, index: number): Partition | undefined {
    const partition = this.#byTopic.get(topicId)?.[index]
    return partition?.isLoaded ? partition : undefined
  }

  *[Symbol.iterator](): Generator<Partition> {
    for (const partition of this.#all()) if (partition.isLoaded) yield partition
  }

  /** Applies the role of a partition after a change of the metadata image. */
  changed(topicId: string, index: number, role: Role): void {
    this.#byTopic.get(topicId)?.[index]?.become(role)
  }

  /** Applies changed configs of all topics, or of one topic. */
  reconfigured(topicId?: string): void {
    for (const { log } of this.#all(topicId)) log.reconfigured()
  }

  /** Closes the partitions of a deleted topic and completes their delayed fetches. Their files are deleted after `delayMs`. */
  delete(topic: TopicState, delayMs: number): void {
    const opened = [...this.#all(topic.topicId)]
    this.#byTopic.delete(topic.topicId)
    for (const { partitionId } of topic.partitions) {
      this.#deleteLog({ topic: topic.name, partition: partitionId }, delayMs)
    }
    for (const partition of opened) partition.completeDelayedFetches()
  }

  /** The partition, whose producer state may not be loaded yet: an earlier attempt may have failed. */
  #partition({ name: topic, topicId }: TopicState, index: number, role: Role): Partition {
    const partitions = this.#byTopic.get(topicId) ?? []
    const opened = partitions[index]
    if (opened) return opened
    const { directory, storage, events, settings } = this.#ports
    const partition = { topic, partition: index }
    const producers = new DurableProducers({ storage, folder: folderOf(partition), events })
    const openLog = (observer: BatchObserver) =>
      directory.log(partition, topicId, settings.topic(topic).view(LOG_ROWS), observer)
    const created = new Partition({ topic, index, producers, openLog }, role)
    partitions[index] = created
    this.#byTopic.set(topicId, partitions)
    return created
  }

  *#all(topicId?: string): Generator<Partition> {
    const topics = topicId === undefined ? this.#byTopic.values() : [this.#byTopic.get(topicId) ?? []]
    for (const partitions of topics) yield* partitions.filter(partition => partition !== undefined)
  }

  /** Files that cannot be deleted belong to no topic; the next start moves them out of the way. */
  #deleteLog(partition: TopicPartition, delayMs: number): void {
    const { directory, events } = this.#ports
    try {
      directory.deleteLog(partition, delayMs)
    } catch (error) {
      events.emit({ type: 'PartitionDeletionFailed', topicPartition: folderOf(partition), error })
    }
  }
}
