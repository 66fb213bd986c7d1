/**
 * A consumer group (KIP-848). Its durable state is spread over several records; only `apply` changes it, for new records and on
 * loading. Operations change a copy of the group (operation.ts).
 */
import { CONSUMER_PROTOCOL } from '../../protocol/consumer-protocol.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import { MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Commit, Group, GroupListing } from '../group.ts'
import type { Assignment } from '../modern/assignors/assignor.ts'
import { isReconciledTo, LEAVE_GROUP_MEMBER_EPOCH, regexOf } from '../modern/member.ts'
import { PartitionOwners } from '../modern/reconcile.ts'
import type { ResolvedRegex } from '../modern/regexes.ts'
import { Subscriptions } from '../modern/subscriptions.ts'
import type { GroupRecord } from '../records.ts'
import { commitError, fetchError, transactionalCommitError } from './commits.ts'
import { type ConsumerMember, newMember, withCurrentAssignment, withMetadata, withoutAssignment } from './member.ts'
import type { ConsumerGroupRecord, ConsumerGroupRegularExpressionValue } from './records.ts'

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

const NO_PARTITIONS: Assignment = new Map()

export class ConsumerGroup implements Group {
  readonly type = 'consumer'
  readonly groupId: string
  #groupEpoch = 1
  #metadataHash = 0n
  #assignmentEpoch = 1
  #assignmentTimestamp = 0
  #hasPartitionMetadata = false
  #members = new Map<string, ConsumerMember>()
  #staticMembers = new Map<string, string>()
  #targets = new Map<string, Assignment>()
  #regexes = new Map<string, ResolvedRegex>()
  #owners = new PartitionOwners()
  #subscriptions = new Subscriptions()
  #subscribedTopics: ReadonlySet<string> | undefined
  #metadataSeen: bigint | undefined

  constructor(groupId: string) {
    this.groupId = groupId
  }

  /** A copy whose changes do not affect the original. */
  copy(): ConsumerGroup {
    const copy = new ConsumerGroup(this.groupId)
    copy.#groupEpoch = this.#groupEpoch
    copy.#metadataHash = this.#metadataHash
    copy.#assignmentEpoch = this.#assignmentEpoch
    copy.#assignmentTimestamp = this.#assignmentTimestamp
    copy.#hasPartitionMetadata = this.#hasPartitionMetadata
    copy.#members = new Map(this.#members)
    copy.#staticMembers = new Map(this.#staticMembers)
    copy.#targets = new Map(this.#targets)
    copy.#regexes = new Map(this.#regexes)
    copy.#owners = this.#owners.copy()
    copy.#subscriptions = this.#subscriptions.copy()
    copy.#subscribedTopics = this.#subscribedTopics
    copy.#metadataSeen = this.#metadataSeen
    return copy
  }

  get groupEpoch(): number {
    return this.#groupEpoch
  }

  /** The metadata hash of the subscribed topics at the last change of the group epoch. */
  get metadataHash(): bigint {
    return this.#metadataHash
  }

  /** The group epoch of the target assignment. */
  get assignmentEpoch(): number {
    return this.#assignmentEpoch
  }

  /** The time of the target assignment; 0 if unknown. */
  get assignmentTimestamp(): number {
    return this.#assignmentTimestamp
  }

  /** True while the log has a ConsumerGroupPartitionMetadata record, which brokers since 4.1 do not use. */
  get hasPartitionMetadata(): boolean {
    return this.#hasPartitionMetadata
  }

  /** The metadata version of the last comparison of hashes; undefined before the first comparison. */
  get metadataSeen(): bigint | undefined {
    return this.#metadataSeen
  }

  /** Notes a comparison of hashes. It is not durable: after a restart the next heartbeat compares. */
  seeMetadata(version: bigint): void {
    this.#metadataSeen = version
  }

  /** By member id, in the order of joining. */
  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members
  }

  /** The target assignments, by member id. */
  get targets(): ReadonlyMap<string, Assignment> {
    return this.#targets
  }

  /** The resolved regular expressions. */
  get regexes(): ReadonlyMap<string, ResolvedRegex> {
    return this.#regexes
  }

  get state(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty'
    if (this.#groupEpoch > this.#assignmentEpoch) return 'Assigning'
    for (const member of this.#members.values())
      if (!isReconciledTo(member, this.#assignmentEpoch)) return 'Reconciling'
    return 'Stable'
  }

  /** The member with a group.instance.id. */
  staticMember(instanceId: string): ConsumerMember | undefined {
    const memberId = this.#staticMembers.get(instanceId)
    return memberId === undefined ? undefined : this.#members.get(memberId)
  }

  targetOf(memberId: string): Assignment {
    return this.#targets.get(memberId) ?? NO_PARTITIONS
  }

  /** The epoch of the member that owns a partition; undefined if it has no owner. */
  ownerEpoch(topicId: string, partition: number): number | undefined {
    return this.#owners.epochOf(topicId, partition)
  }

  /** The topics that any member subscribes to, by name or by a resolved regular expression. */
  get subscribedTopics(): ReadonlySet<string> {
    if (!this.#subscribedTopics) {
      const topics = new Set(this.#subscriptions.names.keys())
      for (const { topics: matched } of this.#regexes.values()) for (const name of matched) topics.add(name)
      this.#subscribedTopics = topics
    }
    return this.#subscribedTopics
  }

  /** The names of the topics that a member subscribes to. An unresolved expression matches none. */
  topicsOf(member: ConsumerMember): ReadonlySet<string> {
    const matched = this.#regexes.get(regexOf(member) ?? '')?.topics ?? []
    return new Set([...member.subscribedTopicNames, ...matched])
  }

  /** The number of members by regular expression. */
  get subscribedRegexes(): ReadonlyMap<string, number> {
    return this.#subscriptions.regexes
  }

  get listing(): GroupListing {
    return { groupId: this.groupId, type: this.type, state: this.state, protocolType: CONSUMER_PROTOCOL }
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics.has(topic)
  }

  get deletionError(): ErrorName {
    return this.#members.size === 0 ? 'NONE' : 'NON_EMPTY_GROUP'
  }

  /** As in Kafka, offsets of unsubscribed topics may be deleted in any state. */
  get offsetDeletionError(): ErrorName {
    return 'NONE'
  }

  commitError(commit: Commit): ErrorName {
    return commitError(this.#members, commit)
  }

  transactionalCommitError(commit: Commit): ErrorName {
    return transactionalCommitError(this.#members, commit)
  }

  fetchError(memberId: string | null, memberEpoch: number): ErrorName {
    return fetchError(this.#members, memberId, memberEpoch)
  }

  retainedSince(commitTimestamp: number): number {
    return commitTimestamp
  }

  /** The order matters: on loading, a tombstone of the group is valid only after those of its members. */
  tombstones(): GroupRecord[] {
    const { groupId } = this
    const keys = [...this.#members.keys()].map(memberId => ({ groupId, memberId }))
    const regexKeys = [...this.#regexes.keys()].map(regularExpression => ({ groupId, regularExpression }))
    return [
      ...keys.map(key => ({ type: 'ConsumerGroupCurrentMemberAssignment', key, value: null }) as const),
      ...keys.map(key => ({ type: 'ConsumerGroupTargetAssignmentMember', key, value: null }) as const),
      { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: null },
      ...keys.map(key => ({ type: 'ConsumerGroupMemberMetadata', key, value: null }) as const),
      ...regexKeys.map(key => ({ type: 'ConsumerGroupRegularExpression', key, value: null }) as const),
      { type: 'ConsumerGroupPartitionMetadata', key: { groupId }, value: null },
      { type: 'ConsumerGroupMetadata', key: { groupId }, value: null }
    ]
  }

  /** Applies a record. Throws MalformedFrame for a record that is invalid after the earlier records. */
  apply(record: ConsumerGroupRecord): void {
    switch (record.type) {
      case 'ConsumerGroupMetadata':
        this.#expect(record.value !== null || this.#isEnded, 'its members and their assignments are deleted first')
        this.#groupEpoch = record.value?.epoch ?? 1
        this.#metadataHash = record.value?.metadataHash ?? 0n
        return
      case 'ConsumerGroupPartitionMetadata':
        this.#hasPartitionMetadata = record.value !== null
        return
      case 'ConsumerGroupMemberMetadata':
        if (record.value) this.#put(withMetadata(this.#member(record.key.memberId), record.value))
        else this.#remove(record.key.memberId)
        return
      case 'ConsumerGroupTargetAssignmentMetadata':
        this.#expect(record.value !== null || this.#targets.size === 0, 'the assignments of members are deleted first')
        this.#assignmentEpoch = record.value?.assignmentEpoch ?? -1
        this.#assignmentTimestamp = Number(record.value?.assignmentTimestamp ?? 0n)
        return
      case 'ConsumerGroupTargetAssignmentMember':
        if (record.value) this.#targets.set(record.key.memberId, assignmentOf(record.value.topicPartitions))
        else this.#targets.delete(record.key.memberId)
        return
      case 'ConsumerGroupCurrentMemberAssignment':
        if (record.value) this.#put(withCurrentAssignment(this.#member(record.key.memberId), record.value))
        else if (this.#members.has(record.key.memberId)) this.#put(withoutAssignment(this.#member(record.key.memberId)))
        return
      case 'ConsumerGroupRegularExpression':
        this.#subscribedTopics = undefined
        if (record.value) this.#regexes.set(record.key.regularExpression, resolved(record.value))
        else this.#regexes.delete(record.key.regularExpression)
        return
    }
  }

  #member(memberId: string): ConsumerMember {
    return this.#members.get(memberId) ?? newMember(memberId)
  }

  #put(member: ConsumerMember): void {
    const old = this.#members.get(member.memberId)
    const ownsTheSame = old?.assigned === member.assigned && old.memberEpoch === member.memberEpoch
    if (old && !ownsTheSame) this.#owners.release(old)
    this.#members.set(member.memberId, member)
    if (old && old.instanceId !== member.instanceId) this.#vacate(old)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId)
    if (this.#subscriptions.replace(old, member)) this.#subscribedTopics = undefined
    this.#expect(ownsTheSame || this.#owners.own(member), `a partition of ${member.memberId} has another owner`)
  }

  #remove(memberId: string): void {
    const member = this.#members.get(memberId)
    if (!member) return
    this.#expect(member.memberEpoch === LEAVE_GROUP_MEMBER_EPOCH, `the assignment of ${memberId} is deleted first`)
    this.#expect(!this.#targets.has(memberId), `the target assignment of ${memberId} is deleted first`)
    this.#members.delete(memberId)
    this.#vacate(member)
    if (this.#subscriptions.replace(member, undefined)) this.#subscribedTopics = undefined
  }

  /** A static member that was replaced does not own its instance id any more. */
  #vacate({ memberId, instanceId }: ConsumerMember): void {
    if (instanceId === null || this.#staticMembers.get(instanceId) !== memberId) return
    this.#staticMembers.delete(instanceId)
  }

  get #isEnded(): boolean {
    return this.#members.size === 0 && this.#targets.size === 0 && this.#assignmentEpoch === -1
  }

  #expect(holds: boolean, rule: string): void {
    if (!holds) throw new MalformedFrame(`a record of group ${this.groupId} is invalid: ${rule}`)
  }
}

function assignmentOf(
  topics: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]
): Assignment {
  return new Map(topics.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
}

function resolved({ topics, version, timestamp }: ConsumerGroupRegularExpressionValue): ResolvedRegex {
  return { topics: new Set(topics), version, timestamp }
}
