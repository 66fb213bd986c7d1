/**
 * The group coordinator. Each request is one operation without an await between reading and changing state: decide, append the
 * records, apply them, respond. Failures are error codes of the response, as Kafka maps them; only programming errors are thrown.
 */

import type { TxnResult } from '../protocol/records/control.ts'
import type { Random } from '../runtime/random.ts'
import { GroupAdmin } from './admin.ts'
import { ClassicGroups } from './classic-groups.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { ConsumerGroups } from './consumer-groups.ts'
import { Retention } from './offsets/retention.ts'
import { GroupOperations, type GroupWorld } from './operations.ts'
import type { ServedGroup } from './state.ts'

export class GroupCoordinator {
  readonly #world: GroupWorld
  readonly #operations: GroupOperations
  readonly #retention: Retention
  /** Requests of classic group members. */
  readonly classic: ClassicGroups
  /** Requests of consumer group members (KIP-848). */
  readonly consumer: ConsumerGroups
  /** Commits and fetches of offsets. */
  readonly offsets: CommittedOffsets
  /** Requests of administrators. */
  readonly admin: GroupAdmin

  constructor(world: GroupWorld & { readonly random: Random }) {
    this.#world = world
    this.#operations = new GroupOperations(world)
    this.#retention = new Retention(world, this.#operations.runtime)
    this.classic = new ClassicGroups(world, this.#operations)
    this.consumer = new ConsumerGroups(world, this.#operations)
    this.offsets = new CommittedOffsets(world, this.#operations)
    this.admin = new GroupAdmin(this.#operations)
  }

  /**
   * Loads all groups in slices, which starts the sessions of their members, and starts offset expiration. Rejects when `signal`
   * aborts.
   */
  async start(signal?: AbortSignal): Promise<void> {
    await this.#operations.runtime.start(signal)
    this.#retention.start()
  }

  /** Delayed requests get NOT_COORDINATOR, later requests COORDINATOR_NOT_AVAILABLE. */
  stop(): void {
    this.#operations.runtime.stop()
  }

  /** Removes all groups from memory if `__consumer_offsets` was deleted, and the committed offsets of other deleted topics. */
  topicsDeleted(topics: readonly { readonly name: string; readonly topicId: string }[]): void {
    for (const topic of topics) {
      if (topic.name === this.#world.topic.topic) this.#operations.runtime.unload()
      else this.#retention.topicDeleted(topic)
    }
  }

  /** All loaded groups. */
  *groups(): Iterable<ServedGroup> {
    for (const { state } of this.#operations.runtime) yield* state.groups.values()
  }

  /** Applies a transaction marker that was written to a partition of `__consumer_offsets`. */
  endTransaction(index: number, producerId: bigint, result: TxnResult): void {
    const shard = this.#operations.runtime.at(index)
    shard?.state.endTransaction(producerId, result, this.#world.clocks.wall.now())
  }
}
