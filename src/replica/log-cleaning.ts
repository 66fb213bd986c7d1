/** The log cleaner of the broker's compacted topics, with its checkpoint in the data directory. */

import type { Settings } from '../config/settings.ts'
import type { Events } from '../events/event.ts'
import { LogCleaner } from '../log/cleaner/cleaner.ts'
import type { LogDirectory } from '../log/directory/log-directory.ts'
import { folderOf } from '../log/partition-folder.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import { segmentOffsets } from '../log/segment/segments.ts'
import type { TopicState } from '../metadata/image/image.ts'
import type { MetadataLog } from '../metadata/log/metadata-log.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Clocks } from '../runtime/time.ts'
import type { Storage } from '../storage/storage.ts'
import type { Replicas } from './replicas.ts'

export interface LogCleaningPorts {
  readonly replicas: Replicas
  readonly metadata: MetadataLog
  readonly directory: LogDirectory
  readonly storage: Storage
  readonly clocks: Clocks
  readonly events: Events
  readonly settings: Settings
}

/** Creates the log cleaner. It is not started. */
export function logCleaner(ports: LogCleaningPorts): LogCleaner {
  const { directory, clocks, events, settings } = ports
  const logs = new CompactedLogs(ports)
  return new LogCleaner({
    clocks,
    events,
    offsets: directory.cleanerOffsets,
    settings,
    logs: () => logs
  })
}

/**
 * The logs of all compacted topics. A log that was not used since the start is opened only if it has enough segments. They are
 * counted once: a log that is not open does not change.
 */
class CompactedLogs implements Iterable<PartitionLog> {
  readonly #ports: LogCleaningPorts
  /** Segment counts of logs that are not open, by topic id and partition. */
  readonly #segmentCounts = new Map<string, number>()

  constructor(ports: LogCleaningPorts) {
    this.#ports = ports
  }

  *[Symbol.iterator](): Generator<PartitionLog, undefined> {
    const { metadata } = this.#ports
    for (const topic of metadata.image.topicsByName.values()) {
      for (const { partitionId } of topic.partitions) {
        // Topics may be deleted between two steps.
        const log = metadata.image.topicsById.has(topic.topicId) ? this.#log(topic, partitionId) : undefined
        if (log) yield log
      }
    }
  }

  #log(topic: TopicState, index: number): PartitionLog | undefined {
    const { replicas, settings } = this.#ports
    const policy = settings.topic(topic.name).get('cleanup.policy')
    if (!policy.includes('compact')) return undefined
    const open = replicas.find(topic, index)
    if (open) return open.log
    // The active segment is never compacted, but retention may delete it.
    const least = policy.includes('delete') ? 1 : 2
    return this.#segmentCount(topic, index) < least ? undefined : this.#open(topic, index)
  }

  #segmentCount({ name, topicId }: TopicState, index: number): number {
    const key = `${topicId}-${index}`
    const cached = this.#segmentCounts.get(key)
    if (cached !== undefined) return cached
    const count = segmentOffsets(this.#ports.storage, folderOf({ topic: name, partition: index })).length
    this.#segmentCounts.set(key, count)
    return count
  }

  #open({ name, topicId }: TopicState, index: number): PartitionLog | undefined {
    const { replicas, events } = this.#ports
    try {
      return replicas.partition(name, index).log
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      events.emit({ type: 'LogUncleanable', topicPartition: folderOf({ topic: name, partition: index }), error })
      this.#segmentCounts.set(`${topicId}-${index}`, 0)
      return undefined
    }
  }
}
