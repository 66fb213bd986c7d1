/**
 * The requests of classic group members: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. Members of the classic protocol may also be
 * in a consumer group while it migrates from one protocol to the other.
 */
import type { Settings } from '../config/settings.ts'
import { rows, type ViewOf } from '../config/view.ts'
import { coordinatorErrorCode } from '../coordinator/errors.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { type Random, randomUuid, randomUuidBytes } from '../runtime/random.ts'
import type { Clocks } from '../runtime/time.ts'
import { type ClassicGroup, emptyGroup, UNKNOWN_MEMBER_ID } from './classic/group.ts'
import { type Join, join } from './classic/join.ts'
import { type Claim, heartbeat, type Leaving, leave } from './classic/membership.ts'
import {
  type ClassicOperation,
  failedJoin,
  failedSync,
  type JoinGroupResult,
  recordGroup,
  type SyncGroupResult
} from './classic/operation.ts'
import { loseAssignment } from './classic/rebalance.ts'
import { type Sync, sync } from './classic/sync.ts'
import { tombstonesOf } from './consumer/admin.ts'
import { heartbeatClassic, joinClassic, leaveClassic, syncClassic } from './consumer/classic-members.ts'
import type { ConsumerGroup } from './consumer/group.ts'
import type { PartitionOf } from './consumer-groups.ts'
import type { Group } from './group.ts'
import type { GroupOperations } from './operations.ts'
import type { GroupPartition } from './partition.ts'

export type JoinGroupRequest = { readonly groupId: string } & Omit<Join, 'ticket' | 'newMemberId'>
export type SyncGroupRequest = { readonly groupId: string } & Omit<Sync, 'ticket'>
export type HeartbeatRequest = { readonly groupId: string } & Claim

/** `members` is empty if `errorCode` is not NONE. */
interface LeaveGroupResponse {
  readonly errorCode: ErrorName
  readonly members: readonly (Leaving & { readonly errorCode: ErrorName })[]
}

export interface ClassicGroupPorts {
  readonly clocks: Clocks
  readonly logger: Logger
  readonly random: Random
  readonly settings: Settings
}

const SESSION_ROWS = rows({
  minSessionTimeoutMs: 'group.min.session.timeout.ms',
  maxSessionTimeoutMs: 'group.max.session.timeout.ms'
})

export class ClassicGroups {
  readonly #ports: ClassicGroupPorts
  readonly #settings: ViewOf<typeof SESSION_ROWS>
  readonly #operations: GroupOperations
  readonly #partitionOf: PartitionOf

  constructor(ports: ClassicGroupPorts, operations: GroupOperations, partitionOf: PartitionOf) {
    this.#ports = ports
    this.#settings = ports.settings.view(SESSION_ROWS)
    this.#operations = operations
    this.#partitionOf = partitionOf
  }

  /** JoinGroup. Resolves when the next generation begins, or at once with the error that the client must handle first. */
  async joinGroup(request: JoinGroupRequest): Promise<JoinGroupResult> {
    try {
      const partition = this.#partitionOf(request.groupId)
      this.#checkSessionTimeout(request.sessionTimeoutMs)
      const response = await this.#joined(partition, request)
      this.#tellOperators(request, response.errorCode)
      await partition.journal.settled()
      return response
    } catch (error) {
      return failedJoin(coordinatorErrorCode(error), request.memberId)
    }
  }

  /** Logs why a member was fenced or could not join. */
  #tellOperators({ groupId, memberId, groupInstanceId }: Leaving & { groupId: string }, errorCode: ErrorName): void {
    const { logger } = this.#ports
    const bindings = { groupId, memberId, groupInstanceId }
    if (errorCode === 'FENCED_INSTANCE_ID')
      logger.info(bindings, `${memberId} is fenced: its place is another member's`)
    if (errorCode === 'GROUP_MAX_SIZE_REACHED') logger.info(bindings, 'a member is turned away: the group is full')
  }

  #checkSessionTimeout(sessionTimeoutMs: number): void {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#settings
    if (sessionTimeoutMs >= minSessionTimeoutMs && sessionTimeoutMs <= maxSessionTimeoutMs) return
    throw new KafkaError('INVALID_SESSION_TIMEOUT', `${sessionTimeoutMs} ms is no session timeout we allow`)
  }

  #joined(partition: GroupPartition, request: JoinGroupRequest): JoinGroupResult | Promise<JoinGroupResult> {
    const group = partition.groups.get(request.groupId)
    if (group?.type === 'consumer' && group.members.size > 0) {
      return this.#joinConsumerGroup(partition, group, request)
    }
    return this.#operations.delayedResponses.join(ticket => this.#join(partition, request, ticket))
  }

  /** As in Kafka, an error response to a JoinGroup in a consumer group has no member id. */
  #joinConsumerGroup(partition: GroupPartition, group: ConsumerGroup, request: JoinGroupRequest): JoinGroupResult {
    const command = { ...request, newMemberId: randomUuid(this.#ports.random) }
    try {
      return this.#operations.runConsumer(partition, group, operation => joinClassic(operation, command))
    } catch (error) {
      return failedJoin(coordinatorErrorCode(error), UNKNOWN_MEMBER_ID)
    }
  }

  #join(partition: GroupPartition, request: JoinGroupRequest, ticket: number): void {
    const { groupId, memberId, groupInstanceId, clientId } = request
    const { clocks, random } = this.#ports
    const group = partition.groups.get(groupId)
    const existing = group?.type === 'classic' ? group : undefined
    if (!existing && memberId !== UNKNOWN_MEMBER_ID) throw new KafkaError('UNKNOWN_MEMBER_ID', `no group ${groupId}`)
    const command = { ...request, ticket, newMemberId: newMemberId(groupInstanceId, clientId, random) }
    // An empty consumer group is replaced by a classic one.
    const before = group?.type === 'consumer' ? tombstonesOf(group) : []
    const begin = (operation: ClassicOperation) => {
      // A new group exists from now on, even if this request fails.
      if (!existing) recordGroup(operation)
      join(operation, command)
    }
    this.#operations.run(partition, existing ?? emptyGroup(groupId, clocks.wall.now()), begin, before)
  }

  /** SyncGroup. Resolves when the leader has sent the assignment. */
  async syncGroup(request: SyncGroupRequest): Promise<SyncGroupResult> {
    try {
      const partition = this.#partitionOf(request.groupId)
      const group = requireGroup(partition, request.groupId)
      const response =
        group.type === 'consumer'
          ? this.#operations.runConsumer(partition, group, operation => syncClassic(operation, request))
          : await this.#operations.delayedResponses.sync(ticket => this.#sync(partition, group, { ...request, ticket }))
      await partition.journal.settled()
      return response
    } catch (error) {
      return failedSync(coordinatorErrorCode(error))
    }
  }

  /** If the assignment cannot be written, all delayed SyncGroup requests fail and the group rebalances. */
  #sync(partition: GroupPartition, group: ClassicGroup, request: Sync): void {
    try {
      this.#operations.run(partition, group, operation => sync(operation, request))
    } catch (error) {
      const errorCode = coordinatorErrorCode(error)
      this.#operations.run(partition, group, operation => loseAssignment(operation, errorCode))
      throw error
    }
  }

  async heartbeat(request: HeartbeatRequest): Promise<ErrorName> {
    const errorCode = await this.#heartbeat(request)
    this.#tellOperators(request, errorCode)
    return errorCode
  }

  async #heartbeat(request: HeartbeatRequest): Promise<ErrorName> {
    try {
      const partition = this.#partitionOf(request.groupId)
      const group = requireGroup(partition, request.groupId)
      const response =
        group.type === 'consumer'
          ? this.#operations.runConsumer(partition, group, operation => heartbeatClassic(operation, request))
          : this.#operations.touch(group, touch => heartbeat(touch, request))
      await partition.journal.settled()
      return response
    } catch (error) {
      return coordinatorErrorCode(error)
    }
  }

  /** LeaveGroup: removes members. Each has its own error, in the order of the request. */
  async leaveGroup(groupId: string, members: readonly Leaving[]): Promise<LeaveGroupResponse> {
    try {
      const partition = this.#partitionOf(groupId)
      const group = partition.groups.get(groupId)
      const results = group && this.#leave(partition, group, members)
      await partition.journal.settled()
      const responses = members.map(({ memberId, groupInstanceId }, index) => {
        return { memberId, groupInstanceId, errorCode: results?.[index] ?? 'UNKNOWN_MEMBER_ID' }
      })
      return { errorCode: 'NONE', members: responses }
    } catch (error) {
      return { errorCode: coordinatorErrorCode(error), members: [] }
    }
  }

  #leave(partition: GroupPartition, group: Group, members: readonly Leaving[]): ErrorName[] {
    return group.type === 'consumer'
      ? this.#operations.runConsumer(partition, group, operation => leaveClassic(operation, members))
      : this.#operations.run(partition, group, operation => leave(operation, members))
  }
}

function requireGroup(partition: GroupPartition, groupId: string): Group {
  const group = partition.groups.get(groupId)
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
