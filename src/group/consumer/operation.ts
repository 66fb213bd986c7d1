/**
 * One operation of a consumer group. Each record that it writes takes effect on a copy at once, so that what is decided next
 * sees it; the shell puts all of them into the log as one batch, and only then the copy in the group's place. If that
 * fails, it drops the operation, and nothing has happened.
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

/** Input of an operation besides the group: time, topics and settings. */
interface OperationContext {
  readonly now: Now
  readonly settings: LiveGroupSettings
  /** Those of the classic group that this one may become. */
  readonly classic: GroupLimits
  readonly topics: GroupTopics
}

export class ConsumerOperation {
  readonly world: OperationContext
  /** What the log must hold before anyone is answered, in this order. */
  readonly records: GroupRecord[] = []
  /** What operators shall read, one sentence each. */
  readonly notes: string[] = []
  /** For requests that are delayed in a group that was a classic one until now. */
  readonly responses: DelayedResponse[] = []
  /** The operation of the classic group that this one has become; its own records come after those of this operation. */
  successor: ClassicOperation | undefined
  /** True when the group was a classic one until now, amid a rebalance. */
  isRebalanceCut = false
  /** The regular expressions that are to be resolved when this operation is over. */
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

  /** The group's, of which each part takes a view of the rows that it reads. */
  get settings(): LiveGroupSettings {
    return this.world.settings
  }

  get topics(): GroupTopics {
    return this.world.topics
  }

  /** The group as the operation has made it so far. Ask each time: the first write makes another of it. */
  get group(): ConsumerGroup {
    return this.#group
  }

  /** Has a record written, and lets it take effect. */
  write(record: ConsumerGroupRecord): void {
    if (!this.#isCopy) this.#group = this.#group.copy()
    this.#isCopy = true
    this.records.push(record)
    this.#group.apply(record)
  }

  /** Writes what a member told of itself. */
  writeMetadata(member: ConsumerMember): void {
    this.write({ type: 'ConsumerGroupMemberMetadata', key: this.#keyOf(member), value: memberMetadataOf(member) })
  }

  /** Writes how far a member has come. */
  writeCurrentAssignment(member: ConsumerMember): void {
    const value = currentAssignmentOf(member)
    this.write({ type: 'ConsumerGroupCurrentMemberAssignment', key: this.#keyOf(member), value })
  }

  /** Writes what a member shall have. */
  writeTarget(memberId: string, target: Assignment): void {
    const topicPartitions = [...target].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
    const key = { groupId: this.#group.groupId, memberId }
    this.write({ type: 'ConsumerGroupTargetAssignmentMember', key, value: { topicPartitions } })
  }

  /** Writes that the targets are those of an epoch. Who writes 0 for the time lets the next ones be made at any time. */
  writeAssignmentEpoch(assignmentEpoch: number, timestamp: number): void {
    const value = { assignmentEpoch, assignmentTimestamp: BigInt(timestamp) }
    this.write({ type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId: this.#group.groupId }, value })
  }

  /** Writes what an expression stands for; null when nobody uses it any more. */
  writeRegex(regularExpression: string, resolved: ResolvedRegex | null): void {
    const key = { groupId: this.#group.groupId, regularExpression }
    const value = resolved && { ...resolved, topics: [...resolved.topics].sort() }
    this.write({ type: 'ConsumerGroupRegularExpression', key, value })
  }

  /** Begins the next epoch of the group; `why` is for operators. */
  writeEpoch(epoch: number, metadataHash: bigint, why: string): void {
    this.write({ type: 'ConsumerGroupMetadata', key: { groupId: this.#group.groupId }, value: { epoch, metadataHash } })
    this.notes.push(`the group goes to epoch ${epoch}: ${why}`)
  }

  /** The result of the operation. */
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
