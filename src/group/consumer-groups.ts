/**
 * The requests of consumer groups (KIP-848): heartbeats and descriptions. Each request is one operation; failures are error codes
 * of its response.
 */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { type Random, randomUuid } from '../runtime/random.ts'
import { ClassicGroup } from './classic/group.ts'
import { type ConsumerGroupDescription, describe } from './consumer/admin.ts'
import { ConsumerGroup } from './consumer/group.ts'
import { checkHeartbeat, type Heartbeat, type HeartbeatResponse, heartbeat, leave } from './consumer/heartbeat.ts'
import { preferredAssignor } from './consumer/target.ts'
import { upgrade } from './consumer/upgrade.ts'
import { JOIN_GROUP_MEMBER_EPOCH } from './modern/member.ts'
import type { GroupOperations, GroupShard, GroupWorld } from './operations.ts'
import type { ResponseBudget } from './response-budget.ts'

export type ConsumerHeartbeatRequest = { readonly groupId: string } & Heartbeat

/** Only `errorCode` and `errorMessage` if the request failed. */
export type ConsumerHeartbeatResponse =
  | ({ readonly errorCode: 'NONE' } & HeartbeatResponse)
  | { readonly errorCode: ErrorName; readonly errorMessage: string | null }

export interface DescribedConsumerGroup extends ConsumerGroupDescription {
  readonly groupId: string
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
  readonly assignorName: string
}

/** Approximate bytes of a described member without its names and partitions. */
const MEMBER_BYTES = 64
const PARTITION_BYTES = 4

const FENCING_ERRORS: ReadonlySet<ErrorName> = new Set([
  'FENCED_MEMBER_EPOCH',
  'FENCED_INSTANCE_ID',
  'UNRELEASED_INSTANCE_ID',
  'GROUP_MAX_SIZE_REACHED'
])

const NOTHING_TO_DESCRIBE = {
  groupState: '',
  groupEpoch: 0,
  assignmentEpoch: 0,
  assignorName: '',
  members: []
} as const

export class ConsumerGroups {
  readonly #world: GroupWorld & { readonly random: Random }
  readonly #operations: GroupOperations

  constructor(world: GroupWorld & { readonly random: Random }, operations: GroupOperations) {
    this.#world = world
    this.#operations = operations
  }

  /** ConsumerGroupHeartbeat: a member joins, continues or leaves. */
  heartbeat(request: ConsumerHeartbeatRequest, apiVersion: number): Promise<ConsumerHeartbeatResponse> {
    return this.#operations.runtime.request<ConsumerHeartbeatResponse>(
      request.groupId,
      shard => {
        const isJoining = request.memberEpoch === JOIN_GROUP_MEMBER_EPOCH
        const response = isJoining ? this.#join(shard, request) : this.#continue(shard, request)
        return { errorCode: 'NONE', ...response }
      },
      error => {
        const { code, message } = error
        this.#emitRefusal(request, error)
        // As in Kafka, an internal error has no message in the response.
        return { errorCode: code, errorMessage: code === 'UNKNOWN_SERVER_ERROR' ? null : message }
      },
      () => checkHeartbeat(request, apiVersion, this.#world.settings.group(request.groupId))
    )
  }

  /** Emits the event of a member that was fenced or could not join. */
  #emitRefusal(
    { groupId, memberId, memberEpoch, instanceId: groupInstanceId, clientId }: ConsumerHeartbeatRequest,
    { code: errorCode, message: errorMessage }: KafkaError
  ) {
    const isRefusedUpgrade = memberEpoch === JOIN_GROUP_MEMBER_EPOCH && errorCode === 'GROUP_ID_NOT_FOUND'
    if (!FENCING_ERRORS.has(errorCode) && !isRefusedUpgrade) return
    const member = { groupId, memberId, groupInstanceId, clientId }
    this.#world.events.emit({ type: 'MemberRefused', ...member, errorCode, errorMessage })
  }

  /** The first member of the consumer protocol converts a classic group to a consumer group. */
  #join(shard: GroupShard, request: ConsumerHeartbeatRequest): HeartbeatResponse {
    const { groupId } = request
    const existing = shard.state.groups.get(groupId)
    const group = existing instanceof ConsumerGroup ? existing : new ConsumerGroup(groupId)
    return this.#operations.runConsumer(shard, group, operation => {
      if (existing instanceof ClassicGroup) upgrade(operation, existing)
      return heartbeat(operation, request, randomUuid(this.#world.random))
    })
  }

  #continue(shard: GroupShard, request: ConsumerHeartbeatRequest): HeartbeatResponse {
    const group = consumerGroupIn(shard, request.groupId)
    const act = request.memberEpoch < JOIN_GROUP_MEMBER_EPOCH ? leave : heartbeat
    return this.#operations.runConsumer(shard, group, operation => act(operation, request, request.memberId))
  }

  /**
   * Describes a consumer group; GROUP_ID_NOT_FOUND if it does not exist or is a classic group. `budget` limits repeated group
   * ids.
   */
  describe(groupId: string, budget?: ResponseBudget): Promise<DescribedConsumerGroup> {
    return this.#operations.memberRequest<DescribedConsumerGroup>(
      groupId,
      shard => {
        const group = consumerGroupIn(shard, groupId)
        const description = describe(group, this.#world.topics)
        budget?.spend(sizeOf(description))
        const assignorName = preferredAssignor({ group, settings: this.#world.settings.group(groupId) }).name
        return { groupId, errorCode: 'NONE', errorMessage: null, assignorName, ...description }
      },
      ({ code: errorCode, message: errorMessage }) => ({ ...NOTHING_TO_DESCRIBE, groupId, errorCode, errorMessage })
    )
  }
}

function consumerGroupIn({ state }: GroupShard, groupId: string): ConsumerGroup {
  const group = state.groups.get(groupId)
  if (group instanceof ConsumerGroup) return group
  // Kafka's tools print these messages.
  const why = group ? `Group ${groupId} is not a consumer group.` : `Group ${groupId} not found.`
  throw new KafkaError('GROUP_ID_NOT_FOUND', why)
}

function sizeOf({ members }: ConsumerGroupDescription): number {
  let bytes = 0
  for (const { assignment, targetAssignment, subscribedTopicNames } of members) {
    bytes += MEMBER_BYTES + subscribedTopicNames.join().length
    for (const { topicName, partitions } of [...assignment.topicPartitions, ...targetAssignment.topicPartitions]) {
      bytes += topicName.length + partitions.length * PARTITION_BYTES
    }
  }
  return bytes
}
