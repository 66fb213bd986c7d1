/**
 * Removes committed offsets: expired ones at an interval, those of a deleted topic at once. Both visit all groups in slices.
 * Until a group is visited, the topic id distinguishes offsets of the deleted topic from those of a new topic of the same name.
 */
import type { Settings } from '../../config/settings.ts'
import { derived, rows } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { BackgroundLoop, BackgroundLoops } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Steps } from '../../runtime/pace.ts'
import type { Clocks } from '../../runtime/time.ts'
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
  readonly background: BackgroundLoops
}

/** Returns the records that remove offsets of a group. */
type Decision = (group: Group, offsets: GroupPartition['offsets']) => GroupRecord[]

export class Retention {
  readonly #ports: RetentionPorts
  readonly #partitions: ReadonlySet<GroupPartition>
  readonly #deletion: BackgroundLoop
  /** Decisions for deleted topics, in the order of their deletion. */
  readonly #deletions = new Set<Decision>()

  constructor(ports: RetentionPorts, partitions: ReadonlySet<GroupPartition>) {
    this.#ports = ports
    this.#partitions = partitions
    this.#deletion = ports.background.start({ name: 'offsets of deleted topics', work: () => this.#delete() })
  }

  /** Removes offsets of topics that no longer exist, and starts the removal of expired offsets. */
  start(): void {
    const { clocks, settings, topics, background } = this.#ports
    const exists = (topicId: string) => topics.nameOf(topicId) !== undefined
    this.#beginDeletion(({ groupId }, offsets) =>
      forgetGone(groupId, offsets.of(groupId), offsets.pending.of(groupId), exists)
    )
    const retention = settings.view(RETENTION_ROWS)
    const expire: Decision = (group, offsets) =>
      expireGroup(group, offsets.of(group.groupId), offsets.pending, clocks.wall.now(), retention.retentionMs)
    background.start({
      name: 'offset expiration',
      delayMs: () => retention.checkIntervalMs,
      work: () => this.#writeAll(expire)
    })
  }

  /** Removes all offsets that were committed for the topic. */
  topicDeleted(topic: { readonly name: string; readonly topicId: string }): void {
    this.#beginDeletion(({ groupId }, offsets) =>
      forgetTopic(groupId, offsets.of(groupId), offsets.pending.of(groupId), topic)
    )
  }

  #beginDeletion(decision: Decision): void {
    this.#deletions.add(decision)
    this.#deletion.run()
  }

  *#delete(): Steps {
    for (const decision of this.#deletions) {
      yield* this.#writeAll(decision)
      this.#deletions.delete(decision)
    }
  }

  *#writeAll(decision: Decision): Steps {
    for (const partition of this.#partitions) yield* this.#writeForEachGroup(partition, decision)
  }

  /** Between two steps groups may change, and the coordinator may unload the partition. */
  *#writeForEachGroup(partition: GroupPartition, decision: Decision): Steps {
    for (const groupId of [...partition.groups.keys()]) {
      const group = partition.groups.get(groupId)
      if (!this.#partitions.has(partition)) return
      if (group) this.#write(partition, group, decision(group, partition.offsets))
      yield
    }
  }

  /** A group whose tombstones cannot be written keeps its offsets; the topic id still identifies those of a deleted topic. */
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
