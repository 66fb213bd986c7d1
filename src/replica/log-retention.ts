/**
 * Log retention: deletes old segments of all logs at an interval, including logs that were not used since the start. As in Kafka,
 * the cleaner deletes old segments of compacted logs, after each of its passes.
 */

import type { Settings } from '../config/settings.ts'
import { rows, type ViewOf } from '../config/view.ts'
import type { Events } from '../events/event.ts'
import { folderOf } from '../log/partition-folder.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import type { TopicState } from '../metadata/image/image.ts'
import type { MetadataLog } from '../metadata/log/metadata-log.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { BackgroundLoops } from '../runtime/background.ts'
import type { Steps } from '../runtime/pace.ts'
import type { Replicas } from './replicas.ts'

export interface LogRetentionPorts {
  readonly replicas: Pick<Replicas, 'find' | 'hasLog' | 'partition'>
  readonly metadata: Pick<MetadataLog, 'image'>
  readonly events: Events
  readonly settings: Settings
}

const INTERVAL_ROWS = rows({
  initialDelayMs: 'log.initial.task.delay.ms',
  checkIntervalMs: 'log.retention.check.interval.ms'
})

export class LogRetention {
  readonly #ports: LogRetentionPorts
  readonly #intervals: ViewOf<typeof INTERVAL_ROWS>

  constructor(ports: LogRetentionPorts) {
    this.#ports = ports
    this.#intervals = ports.settings.view(INTERVAL_ROWS)
  }

  /** Starts the periodic check. The first one runs after `log.initial.task.delay.ms`. */
  start(background: BackgroundLoops): void {
    background.start({
      name: 'log retention',
      initialDelayMs: this.#intervals.initialDelayMs,
      delayMs: () => this.#intervals.checkIntervalMs,
      work: () => this.#deleteOldSegments()
    })
  }

  *#deleteOldSegments(): Steps {
    const { settings, metadata } = this.#ports
    for (const topic of metadata.image.topicsByName.values()) {
      for (const { partitionId } of topic.partitions) {
        // Between two steps a topic may be deleted or its cleanup.policy may change.
        if (!metadata.image.topicsById.has(topic.topicId)) break
        if (settings.topic(topic.name).get('cleanup.policy').includes('compact')) break
        yield* this.#deleteIn(topic, partitionId)
        yield
      }
    }
  }

  /** An error of a log emits an event. The check continues with the other logs. */
  *#deleteIn(topic: TopicState, index: number): Steps {
    try {
      const log = this.#log(topic, index)
      while (log && log.deleteOldSegments() > 0) yield
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const topicPartition = folderOf({ topic: topic.name, partition: index })
      this.#ports.events.emit({ type: 'RetentionFailed', topicPartition, error })
    }
  }

  #log({ name, topicId }: TopicState, index: number): PartitionLog | undefined {
    const { replicas } = this.#ports
    const open = replicas.find({ name, topicId }, index)
    if (open) return open.log
    return replicas.hasLog(name, index) ? replicas.partition(name, index).log : undefined
  }
}
