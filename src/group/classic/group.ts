/**
 * The state of a classic group, and functions that read it. It does not depend on clocks, storage or connections: timers are
 * effects of its operations, delayed requests are tickets.
 */

import { CONSUMER_PROTOCOL, subscribedTopicsOf } from '../../protocol/consumer-protocol.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import { assert } from '../../runtime/assert.ts'
import type { Claim, Group, GroupListing, Touch } from '../group.ts'
import type { GroupRecord } from '../records.ts'

export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** The valid previous states of each state. */
const FROM: Record<ClassicGroupState, readonly ClassicGroupState[]> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable']
}

/** The member id of a client that has no id yet. */
export const UNKNOWN_MEMBER_ID = ''

/** A protocol that a member supports, with the member's metadata for the leader. */
export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface Member {
  readonly memberId: string
  /** Null for a dynamic member. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** In the member's order of preference. */
  protocols: readonly Protocol[]
  assignment: Buffer
  /** True until its first JoinGroup is answered: the client does not know its member id and cannot send heartbeats. */
  isNew: boolean
  /** Tickets of its delayed requests. */
  awaitingJoin: number | null
  awaitingSync: number | null
}

/** The wait for more members before the first rebalance of an empty group (group.initial.rebalance.delay.ms). */
export interface InitialDelay {
  readonly delayMs: number
  readonly remainingMs: number
}

/** The fields of a classic group. */
interface ClassicGroupFields {
  readonly groupId: string
  state: ClassicGroupState
  /** The time of the last state change; null if the log record has none. */
  stateTimestamp: number | null
  generationId: number
  /** Null for a "simple" group, which only has committed offsets. */
  protocolType: string | null
  protocolName: string | null
  leader: string | null
  /** In the order of joining. */
  members: Map<string, Member>
  /** The member ids of static members, by their group.instance.id (KIP-345). */
  staticMembers: Map<string, string>
  /** Member ids that were returned with MEMBER_ID_REQUIRED (KIP-394) and are not used yet. */
  pendingJoin: Set<string>
  /** Members of this generation that have not sent SyncGroup. */
  pendingSync: Set<string>
  /** Set while PreparingRebalance follows Empty. */
  initialDelay: InitialDelay | null
  /**
   * True if a member joined during the initial delay, which is then extended. As in Kafka, only an extension resets it: a member
   * that joined too late for one extends the next initial delay of the group.
   */
  newMemberAdded: boolean
  /** Null if unknown: not the consumer protocol, no generation yet, or malformed metadata. */
  subscribedTopics: ReadonlySet<string> | null
}

/** The state of a group. Only operations change it, on their own copy. */
export class ClassicGroup implements ClassicGroupFields, Group {
  readonly type = 'classic'
  readonly groupId: string
  state: ClassicGroupState = 'Empty'
  stateTimestamp: number | null = null
  generationId = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leader: string | null = null
  members = new Map<string, Member>()
  staticMembers = new Map<string, string>()
  pendingJoin = new Set<string>()
  pendingSync = new Set<string>()
  initialDelay: InitialDelay | null = null
  newMemberAdded = false
  subscribedTopics: ReadonlySet<string> | null = null

  /** A group without members; `fields` replaces its initial fields. */
  constructor(groupId: string, fields: Partial<Omit<ClassicGroupFields, 'groupId'>> = {}) {
    Object.assign(this, fields)
    this.groupId = groupId
  }

  /** A copy whose changes do not affect the original. Byte strings are shared, because they never change. */
  copy(): ClassicGroup {
    return new ClassicGroup(this.groupId, {
      ...this,
      members: new Map([...this.members].map(([memberId, member]) => [memberId, { ...member }])),
      staticMembers: new Map(this.staticMembers),
      pendingJoin: new Set(this.pendingJoin),
      pendingSync: new Set(this.pendingSync)
    })
  }

  get listing(): GroupListing {
    return { groupId: this.groupId, type: this.type, state: this.state, protocolType: this.protocolType ?? '' }
  }

  /** True if a member subscribes to the topic, or if the group uses the consumer protocol and its subscriptions are unknown. */
  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? usesConsumerProtocol(this)
  }

  get deletionError(): ErrorName {
    return this.state === 'Empty' ? 'NONE' : 'NON_EMPTY_GROUP'
  }

  get offsetDeletionError(): ErrorName {
    return this.state === 'Empty' || usesConsumerProtocol(this) ? 'NONE' : 'NON_EMPTY_GROUP'
  }

  tombstones(): GroupRecord[] {
    return [{ type: 'GroupMetadata', key: { group: this.groupId }, value: null }]
  }

  /**
   * While the group is Empty, clients without a generation may commit: administrators, and consumers with manually assigned
   * partitions. A commit of a member renews its session.
   */
  commitError(claim: Claim, touch: Touch): ErrorName {
    if (this.state === 'Empty' && claim.generationId < 0) return 'NONE'
    const error = isAnonymous(claim) ? 'UNKNOWN_MEMBER_ID' : claimError(this, claim)
    if (error !== 'NONE') return error
    // A valid member that commits in this state does not have its new assignment yet.
    if (this.state === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
    const member = this.members.get(claim.memberId)
    if (member) renewSession(touch, member)
    return 'NONE'
  }

  /** A producer may commit without a member (KIP-447). */
  transactionalCommitError(claim: Claim): ErrorName {
    if (isAnonymous(claim) || (this.state === 'Empty' && claim.generationId < 0)) return 'NONE'
    return claimError(this, claim)
  }

  /** As in Kafka, every client may fetch offsets. */
  fetchError(): ErrorName {
    return 'NONE'
  }

  retainedSince(commitTimestamp: number): number | null {
    if (this.protocolType === null) return commitTimestamp
    if (this.state === 'Empty') return this.stateTimestamp ?? commitTimestamp
    const knowsItsTopics = usesConsumerProtocol(this) && this.subscribedTopics !== null
    return this.state === 'Stable' && knowsItsTopics ? commitTimestamp : null
  }
}

/** Changes the state. An invalid transition is a programming error. */
export function moveTo(group: ClassicGroup, state: ClassicGroupState, wallMs: number): void {
  assert(FROM[state].includes(group.state), `group ${group.groupId} may change from ${group.state} to ${state}`)
  group.state = state
  group.stateTimestamp = wallMs
}

/** The error of a request's member id and instance id, or NONE. */
export function memberError(group: ClassicGroup, memberId: string, groupInstanceId: string | null): ErrorName {
  if (groupInstanceId !== null) {
    const owner = staticMember(group, groupInstanceId)
    if (!owner) return 'UNKNOWN_MEMBER_ID'
    if (owner.memberId !== memberId) return 'FENCED_INSTANCE_ID'
  }
  return group.members.has(memberId) ? 'NONE' : 'UNKNOWN_MEMBER_ID'
}

/** The error of a request's member and generation, or NONE. */
export function claimError(group: ClassicGroup, { memberId, groupInstanceId, generationId }: Claim): ErrorName {
  const error = memberError(group, memberId, groupInstanceId)
  if (error !== 'NONE') return error
  return generationId === group.generationId ? 'NONE' : 'ILLEGAL_GENERATION'
}

/** True for a commit without a member. */
function isAnonymous({ memberId, groupInstanceId, generationId }: Claim): boolean {
  return generationId < 0 && memberId === UNKNOWN_MEMBER_ID && groupInstanceId === null
}

/** Restarts the session timeout of a member. */
export function renewSession({ now, effects }: Touch, { memberId, sessionTimeoutMs }: Member): void {
  effects.setMemberTimer(memberId, 'session', now.deadlineMs + sessionTimeoutMs)
}

/** The member with a group.instance.id. */
export function staticMember(group: ClassicGroup, groupInstanceId: string): Member | undefined {
  const memberId = group.staticMembers.get(groupInstanceId)
  return memberId === undefined ? undefined : group.members.get(memberId)
}

/** Adds a member, as the last in the order of joining. */
export function putMember(group: ClassicGroup, member: Member): void {
  group.members.set(member.memberId, member)
  if (member.groupInstanceId !== null) group.staticMembers.set(member.groupInstanceId, member.memberId)
}

/** Removes a member from `members` and `staticMembers`. The caller handles its delayed requests and the leader. */
export function dropMember(group: ClassicGroup, { memberId, groupInstanceId }: Member): void {
  group.members.delete(memberId)
  if (groupInstanceId !== null) group.staticMembers.delete(groupInstanceId)
}

/** True if all members have joined and no member id is pending. */
export function hasAllMembersJoined(group: ClassicGroup): boolean {
  if (group.pendingJoin.size > 0) return false
  for (const member of group.members.values()) if (member.awaitingJoin === null) return false
  return true
}

/** The number of members with a delayed JoinGroup. */
export function countAwaitingJoin(group: ClassicGroup): number {
  let count = 0
  for (const member of group.members.values()) if (member.awaitingJoin !== null) count++
  return count
}

/** The rebalance timeout of the group: the longest of its members. */
export function rebalanceTimeoutMs(group: ClassicGroup): number {
  return [...group.members.values()].reduce((longest, member) => Math.max(longest, member.rebalanceTimeoutMs), 0)
}

/** The metadata of a member for the group's protocol. */
export function metadataOf(member: Member, protocolName: string | null): Buffer {
  const protocol = member.protocols.find(({ name }) => name === protocolName)
  assert(protocol, `member ${member.memberId} supports the protocol ${protocolName} of its group`)
  return protocol.metadata
}

/** The topics that members of the generation subscribe to; null if unknown. */
export function subscribedTopics(group: ClassicGroup): ReadonlySet<string> | null {
  if (group.protocolType !== CONSUMER_PROTOCOL) return null
  if (group.members.size === 0) return new Set()
  const topics = new Set<string>()
  for (const member of group.members.values()) {
    const subscribed = subscribedTopicsOf(metadataOf(member, group.protocolName))
    if (!subscribed) return null
    for (const topic of subscribed) topics.add(topic)
  }
  return topics
}

/** True for a group without a record in the log: it exists because of committed offsets. */
export function isSimple(group: ClassicGroup): boolean {
  return group.protocolType === null && group.state === 'Empty' && group.pendingJoin.size === 0
}

/** True for a group of Kafka consumers, as opposed to Connect workers and others. */
export function usesConsumerProtocol(group: ClassicGroup): boolean {
  return group.protocolType === CONSUMER_PROTOCOL
}
