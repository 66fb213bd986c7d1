/**
 * One operation of a consumer group. Each record is applied to a copy of the group at once, so that later decisions see it.
 * GroupOperations appends all records as one batch and only then replaces the group by the copy. If the append fails, the
 * operation is dropped and nothing has changed.
 */

import type { LiveGroupSettings } from '../../config/settings.ts'
import type { GroupEpochReason } from '../../events/group-events.ts'
import type { Now } from '../../runtime/time.ts'
import type { ClassicGroup } from '../classic/group.ts'
import type { ClassicOperation, GroupLimits } from '../classic/operation.ts'
import { GroupEffects } from '../effects.ts'
import type { Assignment } from '../modern/assignors/assignor.ts'
import type { ResolvedRegex } from '../modern/regexes.ts'
import type { GroupTopics } from '../modern/topics.ts'
import type { GroupRecord } from '../records.ts'
import type { ConsumerGroup } from './group.ts'
import { type ConsumerMember, currentAssignmentOf, memberMetadataOf } from './member.ts'
import type { ConsumerGroupRecord } from './records.ts'

/** The input of an operation besides the group. */
interface OperationContext {
  readonly now: Now
  readonly settings: LiveGroupSettings
  /** The configs of the classic group that this one may become. */
  readonly classicLimits: GroupLimits
  readonly topics: GroupTopics
}

export class ConsumerOperation {
  readonly now: Now
  /** The configs of the group. Each module takes a view of the configs that it reads. */
  readonly settings: LiveGroupSettings
  readonly classicLimits: GroupLimits
  readonly topics: GroupTopics
  readonly effects = new GroupEffects()
  readonly #records: GroupRecord[] = []
  #successor: ClassicOperation | undefined
  #isRebalanceCut = false
  #regexesToResolve: ReadonlySet<string> | undefined
  #group: ConsumerGroup
  #isCopy = false

  constructor(group: ConsumerGroup, { now, settings, classicLimits, topics }: OperationContext) {
    this.#group = group
    this.now = now
    this.settings = settings
    this.classicLimits = classicLimits
    this.topics = topics
  }

  /** The current state of the group in this operation. Do not keep it: the first write replaces it by a copy. */
  get group(): ConsumerGroup {
    return this.#group
  }

  /** Adds a record and applies it to the copy. */
  write(record: ConsumerGroupRecord): void {
    if (!this.#isCopy) this.#group = this.#group.copy()
    this.#isCopy = true
    this.#records.push(record)
    this.#group.apply(record)
  }

  /** Begins the operation of a new group with the tombstone of the classic group that it replaces. */
  replaceClassicGroup(classic: ClassicGroup): void {
    this.#records.push(...classic.tombstones())
    this.effects.cancelAllTimers()
  }

  /** Ends the operation with the tombstones of this group. The operation of the classic group that replaces it follows. */
  becomeClassicGroup(successor: ClassicOperation): void {
    this.#records.push(...this.#group.tombstones())
    this.effects.cancelAllTimers()
    this.#successor = successor
  }

  /** Notes that the group was converted from a classic group during a rebalance: its members may have lost their partitions. */
  cutRebalance(): void {
    this.#isRebalanceCut = true
  }

  get isRebalanceCut(): boolean {
    return this.#isRebalanceCut
  }

  /** Sets the regular expressions to resolve after this operation; undefined for none. */
  resolveLater(regexes: ReadonlySet<string> | undefined): void {
    this.#regexesToResolve = regexes
  }

  get regexesToResolve(): ReadonlySet<string> | undefined {
    return this.#regexesToResolve
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

  /** Begins the next group epoch. */
  writeEpoch(epoch: number, metadataHash: bigint, reason: GroupEpochReason): void {
    const { groupId } = this.#group
    this.write({ type: 'ConsumerGroupMetadata', key: { groupId }, value: { epoch, metadataHash } })
    this.effects.emit({ type: 'GroupEpochBumped', groupId, groupEpoch: epoch, reason })
  }

  /** The records, the new state of the group and the effects. */
  result(): { group: ConsumerGroup | ClassicGroup; records: readonly GroupRecord[]; effects: GroupEffects } {
    const { effects } = this
    if (!this.#successor) return { group: this.#group, records: this.#records, effects }
    const later = this.#successor.result()
    effects.add(later.effects)
    return { group: later.group, records: [...this.#records, ...later.records], effects }
  }

  #keyOf({ memberId }: ConsumerMember): { groupId: string; memberId: string } {
    return { groupId: this.#group.groupId, memberId }
  }
}
