/**
 * The group coordinator. Each request is one operation without an await between reading and changing state: decide, append the
 * records, apply them, respond. Failures are error codes of the response, as Kafka maps them; only programming errors are thrown.
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
  /** `__consumer_offsets`. */
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
  /** Requests of classic group members. */
  readonly classic: ClassicGroups
  /** Requests of consumer group members (KIP-848). */
  readonly consumer: ConsumerGroups
  /** Commits and fetches of offsets. */
  readonly offsets: CommittedOffsets
  /** Requests of administrators. */
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
   * Loads all groups in slices, which starts the sessions of their members, and starts offset expiration. Rejects when `signal`
   * aborts.
   */
  async start(signal?: AbortSignal): Promise<void> {
    await runYielding(this.#partitions.loadAll(), { clocks: this.#ports.clocks, signal })
    this.#retention.start()
  }

  /** Delayed requests get NOT_COORDINATOR, later requests COORDINATOR_NOT_AVAILABLE. */
  stop(): void {
    this.#stopped = true
    this.#forgetAll()
  }

  /** Removes all groups from memory if `__consumer_offsets` was deleted, and the committed offsets of other deleted topics. */
  topicsDeleted(topics: readonly { readonly name: string; readonly topicId: string }[]): void {
    for (const topic of topics) {
      if (topic.name === this.#ports.topic.topic) this.#forgetAll()
      else this.#retention.topicDeleted(topic)
    }
  }

  /** All loaded groups. */
  *groups(): Iterable<Group> {
    for (const partition of this.#partitions) yield* partition.groups.values()
  }

  /** Applies a transaction marker that was written to a partition of `__consumer_offsets`. */
  endTransaction(index: number, producerId: bigint, result: TxnResult): void {
    this.#partitions.at(index)?.endTransaction(producerId, result, this.#ports.clocks.wall.now())
  }

  /**
   * Removes all groups from memory: the broker stops, or `__consumer_offsets` is deleted. Delayed requests get NOT_COORDINATOR.
   */
  #forgetAll(): void {
    this.#operations.abandon()
    this.#partitions.clear()
  }

  /** As in Kafka, commits and fetches may use the empty group id; requests of members must not. */
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
