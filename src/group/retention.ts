/** Removes offsets that have come to their end: regularly those past their retention, at once those of a deleted topic. */
import { KafkaError } from '../protocol/errors.ts'
import { type Alarm, type Clock, repeat } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { GroupTopics } from './consumer/topics.ts'
import type { Group } from './group.ts'
import { expireGroup, forgetGone, forgetTopic } from './offset-expiry.ts'
import type { GroupPartition } from './partition.ts'
import type { GroupRecord } from './records.ts'

export interface RetentionSettings {
  readonly offsetsRetentionMs: number
  readonly offsetsRetentionCheckIntervalMs: number
}

export interface RetentionPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: RetentionSettings
  readonly topics: Pick<GroupTopics, 'nameOf'>
}

export class Retention {
  readonly #ports: RetentionPorts
  readonly #partitions: Iterable<GroupPartition>
  #alarm: Alarm | undefined

  constructor(ports: RetentionPorts, partitions: Iterable<GroupPartition>) {
    this.#ports = ports
    this.#partitions = partitions
  }

  /** Removes offsets of topics that are gone, and looks for expired ones at every interval from now on. */
  start(): void {
    const { clock, settings, topics } = this.#ports
    const exists = (topicId: string) => topics.nameOf(topicId) !== undefined
    this.#writeForEachGroup(({ groupId }, offsets) =>
      forgetGone(groupId, offsets.of(groupId), offsets.held.of(groupId), exists)
    )
    const { offsetsRetentionMs, offsetsRetentionCheckIntervalMs } = settings
    this.#alarm = repeat(
      clock,
      () => offsetsRetentionCheckIntervalMs,
      () =>
        this.#writeForEachGroup((group, offsets) =>
          expireGroup(group, offsets.of(group.groupId), offsets.held, clock.now(), offsetsRetentionMs)
        )
    )
  }

  stop(): void {
    this.#alarm?.cancel()
  }

  /** All offsets that were committed for the topic go with it. */
  topicDeleted(topic: { readonly name: string; readonly topicId: string }): void {
    this.#writeForEachGroup(({ groupId }, offsets) =>
      forgetTopic(groupId, offsets.of(groupId), offsets.held.of(groupId), topic)
    )
  }

  #writeForEachGroup(decide: (group: Group, offsets: GroupPartition['offsets']) => GroupRecord[]): void {
    for (const partition of this.#partitions) {
      for (const group of [...partition.groups.values()]) {
        this.#write(partition, group, decide(group, partition.offsets))
      }
    }
  }

  /** A group that cannot be written keeps what it has; the offsets of a deleted topic are recognised by its id. */
  #write(partition: GroupPartition, { groupId }: Group, records: readonly GroupRecord[]): void {
    const { clock, logger } = this.#ports
    try {
      partition.writeInParts(records, clock.now())
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      logger.warn({ err: error, groupId }, 'offsets that have come to their end cannot be removed')
    }
  }
}
