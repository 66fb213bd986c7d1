/**
 * A classic consumer group as a value, and what can be asked of it. Nothing here knows of clocks, disks or callers:
 * deadlines are times in the state, and a delayed request is the ticket that its answer must be sent to.
 */

import { CONSUMER_PROTOCOL, subscribedTopicsOf } from '../../protocol/consumer-protocol.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import { assert } from '../../runtime/assert.ts'

export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** Legal predecessors of each state. */
const FROM: Record<ClassicGroupState, readonly ClassicGroupState[]> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable']
}

/** The member id of one that has none yet. */
export const UNKNOWN_MEMBER_ID = ''

/** A deadline that is not set. */
export const NEVER = Number.POSITIVE_INFINITY

/** One way of assigning that a member supports, with what it tells the leader about itself. */
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
  /** In the order that the member prefers them. */
  protocols: readonly Protocol[]
  assignment: Buffer
  /** True until its first JoinGroup is answered: it does not know its id, so it cannot send heartbeats. */
  isNew: boolean
  /** Tickets of its delayed requests. */
  awaitingJoin: number | null
  awaitingSync: number | null
  /** When it is taken for gone. */
  sessionDeadline: number
}

/** The wait for more members before the first rebalance of an empty group (group.initial.rebalance.delay.ms). */
export interface InitialDelay {
  readonly delayMs: number
  readonly remainingMs: number
}

/** Only an operation changes one, and that a copy of its own; the group itself when nothing but a session is renewed. */
export interface ClassicGroup {
  readonly type: 'classic'
  readonly groupId: string
  state: ClassicGroupState
  /** When the state began; null where the log did not say. */
  stateTimestamp: number | null
  generationId: number
  /** Null for a "simple" group: one that only ever committed offsets. */
  protocolType: string | null
  protocolName: string | null
  leader: string | null
  /** In the order of joining. */
  members: Map<string, Member>
  /** The member ids of static members, by their group.instance.id (KIP-345). */
  staticMembers: Map<string, string>
  /** Member ids that were handed out (KIP-394) and not used yet, with the time they lapse. */
  pendingJoin: Map<string, number>
  /** Members of this generation that have not sent SyncGroup yet. */
  pendingSync: Set<string>
  /** Set while PreparingRebalance came from Empty. */
  initialDelay: InitialDelay | null
  /**
   * Somebody came into an initial delay, which therefore gets longer. As in Kafka only that takes the note back: where it
   * came too late, the next initial delay of the group is the one that gets longer.
   */
  newMemberAdded: boolean
  /** When PreparingRebalance goes on without those who did not come. */
  joinDeadline: number
  /** When those who did not send SyncGroup are removed. */
  syncDeadline: number
  /** Null when unknown: not a consumer's group, no generation yet, or metadata that cannot be read. */
  subscribedTopics: ReadonlySet<string> | null
}

/** A group without members or history. */
export function emptyGroup(groupId: string, wallMs: number | null): ClassicGroup {
  return {
    type: 'classic',
    groupId,
    state: 'Empty',
    stateTimestamp: wallMs,
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leader: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingJoin: new Map(),
    pendingSync: new Set(),
    initialDelay: null,
    newMemberAdded: false,
    joinDeadline: NEVER,
    syncDeadline: NEVER,
    subscribedTopics: null
  }
}

/** A copy that can be changed without the original noticing. Byte strings are shared: nobody writes to them. */
export function copyOf(group: ClassicGroup): ClassicGroup {
  return {
    ...group,
    members: new Map([...group.members].map(([memberId, member]) => [memberId, { ...member }])),
    staticMembers: new Map(group.staticMembers),
    pendingJoin: new Map(group.pendingJoin),
    pendingSync: new Set(group.pendingSync)
  }
}

/** Goes to another state. Only the machine's own code decides, so an illegal move is a bug. */
export function moveTo(group: ClassicGroup, state: ClassicGroupState, wallMs: number): void {
  assert(FROM[state].includes(group.state), `group ${group.groupId} may go from ${group.state} to ${state}`)
  group.state = state
  group.stateTimestamp = wallMs
}

/** The nearest time at which the group has something to do by itself. */
export function nextDeadline(group: ClassicGroup): number {
  let nearest = Math.min(group.joinDeadline, group.syncDeadline)
  for (const deadline of group.pendingJoin.values()) nearest = Math.min(nearest, deadline)
  for (const member of group.members.values()) nearest = Math.min(nearest, member.sessionDeadline)
  return nearest
}

/** What is wrong with a request's claim to come from a member; NONE if nothing is. */
export function memberError(group: ClassicGroup, memberId: string, groupInstanceId: string | null): ErrorName {
  if (groupInstanceId !== null) {
    const owner = staticMember(group, groupInstanceId)
    if (!owner) return 'UNKNOWN_MEMBER_ID'
    if (owner.memberId !== memberId) return 'FENCED_INSTANCE_ID'
  }
  return group.members.has(memberId) ? 'NONE' : 'UNKNOWN_MEMBER_ID'
}

/** The member that holds a group.instance.id. */
export function staticMember(group: ClassicGroup, groupInstanceId: string): Member | undefined {
  const memberId = group.staticMembers.get(groupInstanceId)
  return memberId === undefined ? undefined : group.members.get(memberId)
}

/** Adds a member, the last in the order of joining. */
export function putMember(group: ClassicGroup, member: Member): void {
  group.members.set(member.memberId, member)
  if (member.groupInstanceId !== null) group.staticMembers.set(member.groupInstanceId, member.memberId)
}

/** Takes a member out; whoever else must know of it is the caller's to tell. */
export function dropMember(group: ClassicGroup, { memberId, groupInstanceId }: Member): void {
  group.members.delete(memberId)
  if (groupInstanceId !== null) group.staticMembers.delete(groupInstanceId)
}

/** True when nobody is missing before the next generation can begin. */
export function hasAllMembersJoined(group: ClassicGroup): boolean {
  if (group.pendingJoin.size > 0) return false
  for (const member of group.members.values()) if (member.awaitingJoin === null) return false
  return true
}

/** How many members have a JoinGroup delayed. */
export function countAwaitingJoin(group: ClassicGroup): number {
  let count = 0
  for (const member of group.members.values()) if (member.awaitingJoin !== null) count++
  return count
}

/** How long a rebalance waits: as long as its most patient member asks. */
export function rebalanceTimeoutMs(group: ClassicGroup): number {
  return [...group.members.values()].reduce((longest, member) => Math.max(longest, member.rebalanceTimeoutMs), 0)
}

/** What a member says of itself under the group's protocol. */
export function metadataOf(member: Member, protocolName: string | null): Buffer {
  const protocol = member.protocols.find(({ name }) => name === protocolName)
  assert(protocol, `member ${member.memberId} supports the protocol ${protocolName} of its group`)
  return protocol.metadata
}

/** The topics that the generation's members subscribe to together; null when that cannot be known. */
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

/** True when offsets of the topic are in use, or when a consumer's group has not told us yet what it subscribes to. */
export function isSubscribedTo(group: ClassicGroup, topic: string): boolean {
  return group.subscribedTopics?.has(topic) ?? usesConsumerProtocol(group)
}

/** True for a group that exists because somebody committed offsets in its name: the log has no record of it. */
export function isSimple(group: ClassicGroup): boolean {
  return group.protocolType === null && group.state === 'Empty' && group.pendingJoin.size === 0
}

/** True for a group of Kafka consumers, as against Connect's workers and the like. */
export function usesConsumerProtocol(group: ClassicGroup): boolean {
  return group.protocolType === CONSUMER_PROTOCOL
}
