/**
 * The open partitions. A partition's log and producer state are opened at the first use. `Replicas` decides which partitions
 * exist.
 */

import type { Settings } from '../config/settings.ts'
import type { Events } from '../events/event.ts'
import { DurableProducers } from '../idempotence/durable-producers.ts'
import type { LogDirectory } from '../log/directory/log-directory.ts'
import { folderOf, type TopicPartition } from '../log/partition-folder.ts'
import { LOG_ROWS } from '../log/partition-log/log-config.ts'
import type { PartitionState, TopicState } from '../metadata/image/image.ts'
import { runAtOnce, type Steps } from '../runtime/pace.ts'
import type { Clocks } from '../runtime/time.ts'
import type { Storage } from '../storage/storage.ts'
import { Partition } from './partition.ts'

export interface OpenPartitionsPorts {
  readonly directory: LogDirectory
  readonly storage: Storage
  readonly clocks: Clocks
  readonly events: Events
  readonly settings: Settings
}

export class OpenPartitions {
  readonly #ports: OpenPartitionsPorts
  /** By topic id, then by partition; `undefined` if the partition is not open. */
  readonly #byTopic = new Map<string, (Partition | undefined)[]>()

  constructor(ports: OpenPartitionsPorts) {
    this.#ports = ports
  }

  /** Returns a partition of the metadata image and opens it if necessary. Throws StorageError, also for a log that is offline. */
  get(topic: TopicState, { partitionId: index, leaderEpoch }: PartitionState): Partition {
    const open = this.find(topic.topicId, index)
    if (open) {
      open.log.checkOnline()
      open.lead(leaderEpoch)
      return open
    }
    return runAtOnce(this.#opening(topic, index, leaderEpoch))
  }

  /** As `get`, in steps: producer state may have to be rebuilt from a large part of the log. */
  *opening(topic: TopicState, { partitionId: index, leaderEpoch }: PartitionState): Steps<Partition> {
    return this.find(topic.topicId, index) ?? (yield* this.#opening(topic, index, leaderEpoch))
  }

  /** The partition, if it is open. */
  find(topicId: string, index: number): Partition | undefined {
    return this.#byTopic.get(topicId)?.[index]
  }

  *[Symbol.iterator](): Generator<Partition> {
    for (const partitions of this.#byTopic.values()) yield* partitions.filter(partition => partition !== undefined)
  }

  /** Applies changed configs of all topics, or of one topic. */
  reconfigured(topicId?: string): void {
    for (const partition of topicId === undefined ? this : (this.#byTopic.get(topicId) ?? [])) {
      partition?.log.reconfigured()
    }
  }

  /** Closes the partitions of a deleted topic and completes their delayed fetches. Their files are deleted after `delayMs`. */
  delete(topic: TopicState, delayMs: number): void {
    const open = this.#byTopic.get(topic.topicId) ?? []
    this.#byTopic.delete(topic.topicId)
    for (const { partitionId } of topic.partitions) {
      this.#deleteLog({ topic: topic.name, partition: partitionId }, delayMs)
    }
    for (const partition of open) partition?.completeDelayedFetches()
  }

  *#opening({ name, topicId }: TopicState, index: number, leaderEpoch: number): Steps<Partition> {
    const { directory, storage, clocks, events, settings } = this.#ports
    const ofTopic = settings.topic(name)
    const log = directory.log({ topic: name, partition: index }, topicId, ofTopic.view(LOG_ROWS))
    log.checkOnline()
    const expirationMs = settings.get('producer.id.expiration.ms')
    const producers = yield* DurableProducers.loading({ storage, log, events, now: clocks.wall.now(), expirationMs })
    const partition = new Partition(name, index, log, producers, leaderEpoch)
    const partitions = this.#byTopic.get(topicId) ?? []
    partitions[index] = partition
    this.#byTopic.set(topicId, partitions)
    return partition
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
