/**
 * One operation of a consumer group. Each record is applied to a copy of the group at once, so that later decisions see it.
 * GroupOperations appends all records as one batch and only then replaces the group by the copy. If the append fails, the
 * operation is dropped and nothing has changed.
 */

import type { LiveGroupSettings } from '../../config/settings.ts'
import type { Now } from '../../runtime/time.ts'
import type { ClassicOperation, DelayedResponse, GroupLimits } from '../classic/operation.ts'
import { type CoordinatorResult, coordinatorResultOf } from '../coordinator-result.ts'
import type { GroupRecord } from '../records.ts'
import type { Assignment } from './assignors/assignor.ts'
import type { ConsumerGroup, ResolvedRegex } from './group.ts'
import { type ConsumerMember, currentAssignmentOf, memberMetadataOf } from './member.ts'
import type { ConsumerGroupRecord } from './records.ts'
import type { GroupTopics } from './topics.ts'

/** The input of an operation besides the group. */
interface OperationContext {
  readonly now: Now
  readonly settings: LiveGroupSettings
  /** The configs of the classic group that this one may become. */
  readonly classic: GroupLimits
  readonly topics: GroupTopics
}

export class ConsumerOperation {
  readonly world: OperationContext
  /** The records to append before responses are sent, in this order. */
  readonly records: GroupRecord[] = []
  /** Messages of log lines. */
  readonly notes: string[] = []
  /** Responses to delayed requests of the classic group that was converted to this group. */
  readonly responses: DelayedResponse[] = []
  /** The operation of the classic group that replaces this group; its records follow those of this operation. */
  successor: ClassicOperation | undefined
  /** True if the group was converted from a classic group during a rebalance. */
  isRebalanceCut = false
  /** The regular expressions to resolve after this operation. */
  toResolve: ReadonlySet<string> | undefined
  #group: ConsumerGroup
  #isCopy = false

  constructor(group: ConsumerGroup, world: OperationContext) {
    this.#group = group
    this.world = world
  }

  get now(): Now {
    return this.world.now
  }

  /** The configs of the group. Each module takes a view of the configs that it reads. */
  get settings(): LiveGroupSettings {
    return this.world.settings
  }

  get topics(): GroupTopics {
    return this.world.topics
  }

  /** The current state of the group in this operation. Do not keep it: the first write replaces it by a copy. */
  get group(): ConsumerGroup {
    return this.#group
  }

  /** Adds a record and applies it to the copy. */
  write(record: ConsumerGroupRecord): void {
    if (!this.#isCopy) this.#group = this.#group.copy()
    this.#isCopy = true
    this.records.push(record)
    this.#group.apply(record)
  }

  /** Writes the metadata of a member. */
  writeMetadata(member: ConsumerMember): void {
    this.write({ type: 'ConsumerGroupMemberMetadata', key: this.#keyOf(member), value: memberMetadataOf(member) })
  }

  /** Writes the current assignment of a member. */
  writeCurrentAssignment(member: ConsumerMember): void {
    const value = currentAssignmentOf(member)
    this.write({ type: 'ConsumerGroupCurrentMemberAssignment', key: this.#keyOf(member), value })
  }

  /** Writes the target assignment of a member. */
  writeTarget(memberId: string, target: Assignment): void {
    const topicPartitions = [...target].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
    const key = { groupId: this.#group.groupId, memberId }
    this.write({ type: 'ConsumerGroupTargetAssignmentMember', key, value: { topicPartitions } })
  }

  /** Writes the epoch and the time of the target assignments. The time 0 lets the next target be computed at any time. */
  writeAssignmentEpoch(assignmentEpoch: number, timestamp: number): void {
    const value = { assignmentEpoch, assignmentTimestamp: BigInt(timestamp) }
    this.write({ type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId: this.#group.groupId }, value })
  }

  /** Writes the resolution of an expression, or its tombstone if no member uses it. */
  writeRegex(regularExpression: string, resolved: ResolvedRegex | null): void {
    const key = { groupId: this.#group.groupId, regularExpression }
    const value = resolved && { ...resolved, topics: [...resolved.topics].sort() }
    this.write({ type: 'ConsumerGroupRegularExpression', key, value })
  }

  /** Begins the next group epoch; `why` is for the log line. */
  writeEpoch(epoch: number, metadataHash: bigint, why: string): void {
    this.write({ type: 'ConsumerGroupMetadata', key: { groupId: this.#group.groupId }, value: { epoch, metadataHash } })
    this.notes.push(`the group goes to epoch ${epoch}: ${why}`)
  }

  result(): CoordinatorResult {
    const { records, responses } = this
    if (!this.successor) return { group: this.#group, records, responses }
    const { group, records: later, responses: more } = coordinatorResultOf(this.successor, records)
    return { group, records: later, responses: [...responses, ...more] }
  }

  #keyOf({ memberId }: ConsumerMember): { groupId: string; memberId: string } {
    return { groupId: this.#group.groupId, memberId }
  }
}
