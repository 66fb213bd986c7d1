/** Removes offsets that have come to their end: regularly those past their retention, at once those of a deleted topic. */
import type { Alarm, Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { ClassicGroup } from './classic/group.ts'
import { expireGroup, forgetTopic } from './offset-expiry.ts'
import type { GroupOffsets } from './offsets.ts'
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
}

export class Retention {
  readonly #ports: RetentionPorts
  readonly #partitions: Iterable<GroupPartition>
  #alarm: Alarm | undefined

  constructor(ports: RetentionPorts, partitions: Iterable<GroupPartition>) {
    this.#ports = ports
    this.#partitions = partitions
  }

  /** Looks for expired offsets at every interval from now on. */
  start(): void {
    const { clock, settings } = this.#ports
    this.#alarm = clock.at(clock.now() + settings.offsetsRetentionCheckIntervalMs, () => {
      this.#writeForEachGroup((group, offsets) => expireGroup(group, offsets, clock.now(), settings.offsetsRetentionMs))
      this.start()
    })
  }

  stop(): void {
    this.#alarm?.cancel()
  }

  /** All offsets that were committed for the topic go with it. */
  topicDeleted(topic: { readonly name: string; readonly topicId: string }): void {
    this.#writeForEachGroup((group, offsets) => forgetTopic(group.groupId, offsets, topic))
  }

  /** A partition that cannot be written keeps what it has; the offsets of a deleted topic are recognised by its id. */
  #writeForEachGroup(decide: (group: ClassicGroup, offsets: GroupOffsets) => GroupRecord[]): void {
    const { clock, logger } = this.#ports
    for (const partition of this.#partitions) {
      try {
        for (const group of [...partition.groups.values()]) {
          partition.write(decide(group, partition.offsets.of(group.groupId)), clock.now())
        }
      } catch (error) {
        logger.warn({ err: error }, 'offsets that have come to their end cannot be removed')
      }
    }
  }
}
