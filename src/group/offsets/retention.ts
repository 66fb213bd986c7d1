/**
 * Removes offsets that have come to their end: regularly those past their retention, at once those of a deleted topic. Both go
 * through all groups, so others go first whenever they have been kept waiting; what a deleted topic leaves until then is
 * recognised by its id.
 */
import type { Settings } from '../../config/settings.ts'
import { derived, rows } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { runYielding, type Steps } from '../../runtime/pace.ts'
import { type Alarm, type Clocks, repeat } from '../../runtime/time.ts'
import type { GroupTopics } from '../consumer/topics.ts'
import type { Group } from '../group.ts'
import type { GroupPartition } from '../partition.ts'
import type { GroupRecord } from '../records.ts'
import { expireGroup, forgetGone, forgetTopic } from './offset-expiry.ts'

const RETENTION_ROWS = rows({
  retentionMs: derived(['offsets.retention.minutes'], minutes => minutes * 60_000),
  checkIntervalMs: 'offsets.retention.check.interval.ms'
})

export interface RetentionPorts {
  readonly clocks: Clocks
  readonly logger: Logger
  readonly settings: Settings
  readonly topics: Pick<GroupTopics, 'nameOf'>
  /** Told of what must not happen. */
  failed(error: unknown): void
}

/** What is to be written for a group. */
type Decision = (group: Group, offsets: GroupPartition['offsets']) => GroupRecord[]

export class Retention {
  readonly #ports: RetentionPorts
  readonly #partitions: ReadonlySet<GroupPartition>
  /** Those on their way through all groups, one after another. */
  readonly #decisions = new Set<Decision>()
  #alarm: Alarm | undefined

  constructor(ports: RetentionPorts, partitions: ReadonlySet<GroupPartition>) {
    this.#ports = ports
    this.#partitions = partitions
  }

  /** Removes offsets of topics that are gone, and looks for expired ones at every interval from now on. */
  start(): void {
    const { clocks, settings, topics } = this.#ports
    const exists = (topicId: string) => topics.nameOf(topicId) !== undefined
    this.#decide(({ groupId }, offsets) =>
      forgetGone(groupId, offsets.of(groupId), offsets.pending.of(groupId), exists)
    )
    const retention = settings.view(RETENTION_ROWS)
    const expire: Decision = (group, offsets) =>
      expireGroup(group, offsets.of(group.groupId), offsets.pending, clocks.wall.now(), retention.retentionMs)
    this.#alarm = repeat(
      clocks.deadline,
      () => retention.checkIntervalMs,
      () => this.#decide(expire)
    )
  }

  stop(): void {
    this.#alarm?.cancel()
  }

  /** All offsets that were committed for the topic go with it. */
  topicDeleted(topic: { readonly name: string; readonly topicId: string }): void {
    this.#decide(({ groupId }, offsets) =>
      forgetTopic(groupId, offsets.of(groupId), offsets.pending.of(groupId), topic)
    )
  }

  /** Unless it is on its way already: checks may come faster than they are done. */
  #decide(decision: Decision): void {
    const isIdle = this.#decisions.size === 0
    this.#decisions.add(decision)
    if (isIdle) void this.#work()
  }

  async #work(): Promise<void> {
    try {
      await runYielding(this.#writeAll(), this.#ports)
    } catch (error) {
      this.#ports.failed(error)
    }
  }

  *#writeAll(): Steps {
    for (const decision of this.#decisions) {
      for (const partition of this.#partitions) yield* this.#writeForEachGroup(partition, decision)
      this.#decisions.delete(decision)
    }
  }

  /** Meanwhile groups come, go and change, and the coordinator may let go of them all. */
  *#writeForEachGroup(partition: GroupPartition, decision: Decision): Steps {
    for (const groupId of [...partition.groups.keys()]) {
      const group = partition.groups.get(groupId)
      if (!this.#partitions.has(partition)) return
      if (group) this.#write(partition, group, decision(group, partition.offsets))
      yield
    }
  }

  /** A group that cannot be written keeps what it has; the offsets of a deleted topic are recognised by its id. */
  #write(partition: GroupPartition, { groupId }: Group, records: readonly GroupRecord[]): void {
    const { clocks, logger } = this.#ports
    try {
      partition.writeInParts(records, clocks.wall.now())
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      logger.warn({ err: error, groupId }, 'offsets that have come to their end cannot be removed')
    }
  }
}
