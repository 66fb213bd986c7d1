/**
 * Lets old data go: asks every log from time to time to delete its old segments, those nobody has used since the start
 * included. Logs that are compacted are asked by the cleaner, after each of its passes, as in Kafka.
 */
import type { Settings } from '../config/settings.ts'
import { rows, type ViewOf } from '../config/view.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import type { TopicState } from '../metadata/image/image.ts'
import type { MetadataLog } from '../metadata/log/metadata-log.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { runYielding, type Steps } from '../runtime/pace.ts'
import type { Alarm, Clocks } from '../runtime/time.ts'
import type { Replicas } from './replicas.ts'

export interface LogRetentionPorts {
  readonly replicas: Pick<Replicas, 'find' | 'hasLog' | 'partition'>
  readonly metadata: Pick<MetadataLog, 'image'>
  readonly clocks: Clocks
  readonly logger: Logger
  readonly settings: Settings
}

const INTERVAL_ROWS = rows({
  initialDelayMs: 'log.initial.task.delay.ms',
  checkIntervalMs: 'log.retention.check.interval.ms'
})

export class LogRetention {
  readonly #ports: LogRetentionPorts
  readonly #intervals: ViewOf<typeof INTERVAL_ROWS>
  readonly #stopping = new AbortController()
  #alarm: Alarm | undefined
  #checking: Promise<void> = Promise.resolve()

  /** Begins log.initial.task.delay.ms from now. */
  constructor(ports: LogRetentionPorts) {
    this.#ports = ports
    this.#intervals = ports.settings.view(INTERVAL_ROWS)
    this.#arm(this.#intervals.initialDelayMs)
  }

  /** Resolves when nothing is being deleted any more. */
  async stop(): Promise<void> {
    this.#alarm?.cancel()
    this.#stopping.abort()
    await this.#checking
  }

  #arm(delayMs: number): void {
    const { clocks } = this.#ports
    this.#alarm = clocks.deadline.at(clocks.deadline.now() + delayMs, () => {
      this.#arm(this.#intervals.checkIntervalMs)
      // One after the other, should one take longer than the interval.
      this.#checking = this.#checking.then(() => this.#check())
    })
  }

  /** Never rejects. */
  async #check(): Promise<void> {
    const { clocks, logger } = this.#ports
    const { signal } = this.#stopping
    try {
      await runYielding(this.#deleting(), { clocks, signal })
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error }, 'old segments could not be looked for')
    }
  }

  *#deleting(): Steps {
    const { settings, metadata } = this.#ports
    for (const topic of metadata.image.topicsByName.values()) {
      for (const { partitionId } of topic.partitions) {
        // Between two steps topics may go, or be set otherwise.
        if (!metadata.image.topicsById.has(topic.topicId)) break
        if (settings.topic(topic.name).get('cleanup.policy').includes('compact')) break
        yield* this.#deletingIn(topic, partitionId)
        yield
      }
    }
  }

  /** A failed log does not keep the others from being checked. */
  *#deletingIn(topic: TopicState, index: number): Steps {
    try {
      const log = this.#log(topic, index)
      while (log && log.deleteOldSegments() > 0) yield
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const bindings = { topic: topic.name, partition: index, err: error }
      this.#ports.logger.warn(bindings, 'the old segments of a log could not be deleted: the next check tries again')
    }
  }

  #log({ name, topicId }: TopicState, index: number): PartitionLog | undefined {
    const { replicas } = this.#ports
    const open = replicas.find({ name, topicId }, index)
    if (open) return open.log
    return replicas.hasLog(name, index) ? replicas.partition(name, index).log : undefined
  }
}
