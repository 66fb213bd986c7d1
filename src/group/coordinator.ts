/**
 * The coordinator of groups: the thin shell around their machines and offsets. Every request is one operation, without an await
 * between reading state and changing it: decide, append, evolve, answer. Whatever goes wrong is an error code in the
 * answer, as Kafka maps it; only our own bugs are thrown.
 */

import type { Settings } from '../config/settings.ts'
import { StatePartitions, type StateTopic } from '../coordinator/partitions.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { TxnResult } from '../protocol/records/control.ts'
import type { BackgroundLoops } from '../runtime/background.ts'
import type { Logger } from '../runtime/logger.ts'
import { runYielding } from '../runtime/pace.ts'
import type { Random } from '../runtime/random.ts'
import type { Clocks } from '../runtime/time.ts'
import { GroupAdmin } from './admin.ts'
import { ClassicGroups } from './classic-groups.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import type { GroupTopics } from './consumer/topics.ts'
import { ConsumerGroups } from './consumer-groups.ts'
import type { Group } from './group.ts'
import { Retention } from './offsets/retention.ts'
import { GroupOperations } from './operations.ts'
import { GroupPartition } from './partition.ts'

export interface GroupPorts {
  /** __consumer_offsets */
  readonly topic: StateTopic
  readonly clocks: Clocks
  readonly logger: Logger
  readonly random: Random
  readonly settings: Settings
  readonly topics: GroupTopics
  readonly background: BackgroundLoops
}

export class GroupCoordinator {
  readonly #ports: GroupPorts
  readonly #operations: GroupOperations
  readonly #partitions: StatePartitions<GroupPartition>
  readonly #retention: Retention
  /** What members of classic groups ask. */
  readonly classic: ClassicGroups
  /** What members of consumer groups ask (KIP-848). */
  readonly consumer: ConsumerGroups
  /** What groups have committed. */
  readonly offsets: CommittedOffsets
  /** What administrators may ask. */
  readonly admin: GroupAdmin
  #stopped = false

  constructor(ports: GroupPorts) {
    this.#ports = ports
    const { topic, clocks, logger } = ports
    this.#operations = new GroupOperations(ports)
    this.#partitions = new StatePartitions(
      topic,
      journal => GroupPartition.load(journal, clocks.wall.now(), logger),
      partition => this.#operations.adopt(partition)
    )
    this.#retention = new Retention(ports, this.#operations.partitions)
    const lookup = {
      of: (groupId: string) => this.#partitionOf(groupId),
      ofMembers: (groupId: string) => this.#partitionOfMembers(groupId),
      all: () => this.#allPartitions()
    }
    this.classic = new ClassicGroups(ports, this.#operations, lookup.ofMembers)
    this.consumer = new ConsumerGroups(ports, this.#operations, lookup.ofMembers)
    this.offsets = new CommittedOffsets(ports, this.#operations, lookup)
    this.admin = new GroupAdmin(ports, lookup)
  }

  /**
   * Loads all groups, in slices, so that the sessions of their members begin to run, and begins to look for offsets to
   * expire. Rejects when `signal` calls it off.
   */
  async start(signal?: AbortSignal): Promise<void> {
    await runYielding(this.#partitions.loadAll(), { clocks: this.#ports.clocks, signal })
    this.#retention.start()
  }

  /** Delayed requests are answered with NOT_COORDINATOR, later ones with COORDINATOR_NOT_AVAILABLE. */
  stop(): void {
    this.#stopped = true
    this.#forgetAll()
  }

  /** Forgets all groups if __consumer_offsets was deleted, and the offsets committed for other deleted topics. */
  topicsDeleted(topics: readonly { readonly name: string; readonly topicId: string }[]): void {
    for (const topic of topics) {
      if (topic.name === this.#ports.topic.topic) this.#forgetAll()
      else this.#retention.topicDeleted(topic)
    }
  }

  /** All groups that are loaded. */
  *groups(): Iterable<Group> {
    for (const partition of this.#partitions) yield* partition.groups.values()
  }

  /** The marker of a producer's transaction has been written to a partition of __consumer_offsets. */
  endTransaction(index: number, producerId: bigint, result: TxnResult): void {
    this.#partitions.at(index)?.endTransaction(producerId, result, this.#ports.clocks.wall.now())
  }

  /** Forgets all groups: the broker stops, or __consumer_offsets is deleted. Delayed requests get NOT_COORDINATOR. */
  #forgetAll(): void {
    this.#operations.abandon()
    this.#partitions.clear()
  }

  /** Commits and fetches may name the empty group, as they always could; members may not. */
  #partitionOfMembers(groupId: string): GroupPartition {
    if (groupId === '' && !this.#stopped) throw new KafkaError('INVALID_GROUP_ID', 'a group must have a name')
    return this.#partitionOf(groupId)
  }

  #partitionOf(groupId: string): GroupPartition {
    this.#checkNotStopped()
    return this.#partitions.of(groupId)
  }

  #allPartitions(): Iterable<GroupPartition> {
    this.#checkNotStopped()
    return this.#partitions
  }

  #checkNotStopped(): void {
    if (this.#stopped) throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the broker stops')
  }
}
