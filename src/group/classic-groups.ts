/**
 * The requests of classic group members: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. Members of the classic protocol may also be
 * in a consumer group while it migrates from one protocol to the other.
 */
import { rows, type ViewOf } from '../config/view.ts'
import { coordinatorErrorCode } from '../coordinator/errors.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { type Random, randomUuid, randomUuidBytes } from '../runtime/random.ts'
import { ClassicGroup, UNKNOWN_MEMBER_ID } from './classic/group.ts'
import { type Join, join } from './classic/join.ts'
import { heartbeat, type Leaving, leave } from './classic/membership.ts'
import { type ClassicOperation, failedJoin, failedSync } from './classic/operation.ts'
import { loseAssignment } from './classic/rebalance.ts'
import { type Sync, sync } from './classic/sync.ts'
import { heartbeatClassic, joinClassic, leaveClassic, syncClassic } from './consumer/classic-members.ts'
import { ConsumerGroup } from './consumer/group.ts'
import type { JoinGroupResult, SyncGroupResult } from './effects.ts'
import type { Claim } from './group.ts'
import type { GroupOperations, GroupShard, GroupWorld } from './operations.ts'
import type { ServedGroup } from './state.ts'

export type JoinGroupRequest = { readonly groupId: string } & Omit<Join, 'ticket' | 'newMemberId'>
export type SyncGroupRequest = { readonly groupId: string } & Omit<Sync, 'ticket'>
export type HeartbeatRequest = { readonly groupId: string } & Claim

/** `members` is empty if `errorCode` is not NONE. */
interface LeaveGroupResponse {
  readonly errorCode: ErrorName
  readonly members: readonly (Leaving & { readonly errorCode: ErrorName })[]
}

const SESSION_ROWS = rows({
  minSessionTimeoutMs: 'group.min.session.timeout.ms',
  maxSessionTimeoutMs: 'group.max.session.timeout.ms'
})

export class ClassicGroups {
  readonly #world: GroupWorld & { readonly random: Random }
  readonly #settings: ViewOf<typeof SESSION_ROWS>
  readonly #operations: GroupOperations

  constructor(world: GroupWorld & { readonly random: Random }, operations: GroupOperations) {
    this.#world = world
    this.#settings = world.settings.view(SESSION_ROWS)
    this.#operations = operations
  }

  /** JoinGroup. Resolves when the next generation begins, or at once with the error that the client must handle first. */
  joinGroup(request: JoinGroupRequest): Promise<JoinGroupResult> {
    return this.#operations.memberRequest(
      request.groupId,
      async shard => {
        const response = await this.#joined(shard, request)
        this.#emitRefusal(request, response.errorCode)
        return response
      },
      ({ code }) => failedJoin(code, request.memberId),
      () => this.#checkSessionTimeout(request.sessionTimeoutMs)
    )
  }

  /** Emits the event of a member that was fenced or could not join. */
  #emitRefusal({ groupId, memberId, groupInstanceId }: Leaving & { groupId: string }, errorCode: ErrorName): void {
    if (errorCode !== 'FENCED_INSTANCE_ID' && errorCode !== 'GROUP_MAX_SIZE_REACHED') return
    const member = { groupId, memberId, groupInstanceId }
    this.#world.events.emit({ type: 'MemberRefused', ...member, errorCode, errorMessage: null })
  }

  #checkSessionTimeout(sessionTimeoutMs: number): void {
    const { minSessionTimeoutMs: min, maxSessionTimeoutMs: max } = this.#settings
    if (sessionTimeoutMs >= min && sessionTimeoutMs <= max) return
    throw new KafkaError(
      'INVALID_SESSION_TIMEOUT',
      `the session timeout is ${sessionTimeoutMs} ms, but must be from ${min} to ${max} ms`
    )
  }

  #joined(shard: GroupShard, request: JoinGroupRequest): JoinGroupResult | Promise<JoinGroupResult> {
    const group = shard.state.groups.get(request.groupId)
    if (group instanceof ConsumerGroup && group.members.size > 0) return this.#joinConsumerGroup(shard, group, request)
    return this.#operations.delayedResponses.join(ticket => this.#join(shard, request, ticket))
  }

  /** As in Kafka, an error response to a JoinGroup in a consumer group has no member id. */
  #joinConsumerGroup(shard: GroupShard, group: ConsumerGroup, request: JoinGroupRequest): JoinGroupResult {
    const command = { ...request, newMemberId: randomUuid(this.#world.random) }
    try {
      return this.#operations.runConsumer(shard, group, operation => joinClassic(operation, command))
    } catch (error) {
      return failedJoin(coordinatorErrorCode(error), UNKNOWN_MEMBER_ID)
    }
  }

  #join(shard: GroupShard, request: JoinGroupRequest, ticket: number): void {
    const { groupId, memberId, groupInstanceId, clientId } = request
    const { clocks, random } = this.#world
    const group = shard.state.groups.get(groupId)
    const existing = group instanceof ClassicGroup ? group : undefined
    if (!existing && memberId !== UNKNOWN_MEMBER_ID) throw new KafkaError('UNKNOWN_MEMBER_ID', `no group ${groupId}`)
    const command = { ...request, ticket, newMemberId: newMemberId(groupInstanceId, clientId, random) }
    const begin = (operation: ClassicOperation) => {
      // A new group exists from now on, even if this request fails.
      if (!existing) operation.recordGroup()
      join(operation, command)
    }
    const newGroup = () => new ClassicGroup(groupId, { stateTimestamp: clocks.wall.now() })
    // An empty consumer group is replaced by a classic one.
    const before = group instanceof ConsumerGroup ? group.tombstones() : []
    this.#operations.runClassic(shard, existing ?? newGroup(), begin, before)
  }

  /** SyncGroup. Resolves when the leader has sent the assignment. */
  syncGroup(request: SyncGroupRequest): Promise<SyncGroupResult> {
    return this.#operations.memberRequest<SyncGroupResult>(
      request.groupId,
      shard => {
        const group = requireGroup(shard, request.groupId)
        return group instanceof ConsumerGroup
          ? this.#operations.runConsumer(shard, group, operation => syncClassic(operation, request))
          : this.#operations.delayedResponses.sync(ticket => this.#sync(shard, group, { ...request, ticket }))
      },
      ({ code }) => failedSync(code)
    )
  }

  /** If the assignment cannot be written, all delayed SyncGroup requests fail, and the group rebalances. */
  #sync(shard: GroupShard, group: ClassicGroup, request: Sync): void {
    try {
      this.#operations.runClassic(shard, group, operation => sync(operation, request))
    } catch (error) {
      const errorCode = coordinatorErrorCode(error)
      this.#operations.runClassic(shard, group, operation => loseAssignment(operation, errorCode))
      throw error
    }
  }

  async heartbeat(request: HeartbeatRequest): Promise<ErrorName> {
    const { groupId } = request
    const errorCode = await this.#operations.memberRequest<ErrorName>(
      groupId,
      shard => {
        const group = requireGroup(shard, groupId)
        return group instanceof ConsumerGroup
          ? this.#operations.runConsumer(shard, group, operation => heartbeatClassic(operation, request))
          : this.#operations.touch(shard, groupId, touch => heartbeat(group, request, touch))
      },
      ({ code }) => code
    )
    this.#emitRefusal(request, errorCode)
    return errorCode
  }

  /** LeaveGroup: removes members. Each has its own error, in the order of the request. */
  leaveGroup(groupId: string, members: readonly Leaving[]): Promise<LeaveGroupResponse> {
    return this.#operations.memberRequest<LeaveGroupResponse>(
      groupId,
      shard => {
        const group = shard.state.groups.get(groupId)
        const results = group && this.#leave(shard, group, members)
        const responses = members.map(({ memberId, groupInstanceId }, index) => {
          return { memberId, groupInstanceId, errorCode: results?.[index] ?? 'UNKNOWN_MEMBER_ID' }
        })
        return { errorCode: 'NONE', members: responses }
      },
      ({ code: errorCode }) => ({ errorCode, members: [] })
    )
  }

  #leave(shard: GroupShard, group: ServedGroup, members: readonly Leaving[]): ErrorName[] {
    return group instanceof ConsumerGroup
      ? this.#operations.runConsumer(shard, group, operation => leaveClassic(operation, members))
      : this.#operations.runClassic(shard, group, operation => leave(operation, members))
  }
}

function requireGroup({ state }: GroupShard, groupId: string): ServedGroup {
  const group = state.groups.get(groupId)
  if (group) return group
  throw new KafkaError('UNKNOWN_MEMBER_ID', `no group ${groupId}`)
}

// Member ids as Kafka makes them: instance id or client id, then a random UUID.

/** A new member id: from the group.instance.id of a static member, else from the client id. */
function newMemberId(groupInstanceId: string | null, clientId: string, random: Random): string {
  const uuid = randomUuidBytes(random)
    .toString('hex')
    .replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return `${groupInstanceId ?? clientId}-${uuid}`
}
