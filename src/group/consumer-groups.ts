/**
 * The requests of consumer groups (KIP-848): heartbeats and descriptions. Each request is one operation; failures are error codes
 * of its response.
 */
import type { Settings } from '../config/settings.ts'
import { coordinatorError, coordinatorErrorCode } from '../coordinator/errors.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { type Random, randomUuid } from '../runtime/random.ts'
import { type ConsumerGroupDescription, describe } from './consumer/admin.ts'
import { ConsumerGroup } from './consumer/group.ts'
import { checkHeartbeat, type Heartbeat, type HeartbeatResponse, heartbeat, leave } from './consumer/heartbeat.ts'
import { JOIN_GROUP_MEMBER_EPOCH } from './consumer/member.ts'
import { preferredAssignor } from './consumer/target.ts'
import type { GroupTopics } from './consumer/topics.ts'
import { upgrade } from './consumer/upgrade.ts'
import type { GroupOperations } from './operations.ts'
import type { GroupPartition } from './partition.ts'
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

export interface ConsumerGroupPorts {
  readonly logger: Logger
  readonly random: Random
  readonly topics: GroupTopics
  readonly settings: Settings
}

/** Returns the partition of a group. Throws the KafkaError of the response. */
export type PartitionOf = (groupId: string) => GroupPartition

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
  readonly #ports: ConsumerGroupPorts
  readonly #operations: GroupOperations
  readonly #partitionOf: PartitionOf

  constructor(ports: ConsumerGroupPorts, operations: GroupOperations, partitionOf: PartitionOf) {
    this.#ports = ports
    this.#operations = operations
    this.#partitionOf = partitionOf
  }

  /** ConsumerGroupHeartbeat: a member joins, continues or leaves. */
  async heartbeat(request: ConsumerHeartbeatRequest, apiVersion: number): Promise<ConsumerHeartbeatResponse> {
    try {
      const { groupId } = request
      checkHeartbeat(request, apiVersion, this.#ports.settings.group(groupId))
      const partition = this.#partitionOf(groupId)
      const response =
        request.memberEpoch === JOIN_GROUP_MEMBER_EPOCH
          ? this.#join(partition, request)
          : this.#goOn(partition, request)
      await partition.journal.settled()
      return { errorCode: 'NONE', ...response }
    } catch (error) {
      const failure = coordinatorError(error)
      if (!(failure instanceof KafkaError)) throw failure
      const { code, message } = failure
      this.#tellOperators(request, failure)
      // As in Kafka, an internal error has no message in the response.
      return { errorCode: code, errorMessage: code === 'UNKNOWN_SERVER_ERROR' ? null : message }
    }
  }

  /** Logs why a member was fenced or could not join. */
  #tellOperators(
    { groupId, memberId, memberEpoch, clientId }: ConsumerHeartbeatRequest,
    { code, message }: KafkaError
  ) {
    if (!FENCING_ERRORS.has(code) && !(memberEpoch === JOIN_GROUP_MEMBER_EPOCH && code === 'GROUP_ID_NOT_FOUND')) return
    this.#ports.logger.info({ groupId, memberId, clientId, code }, message)
  }

  /** The first member of the consumer protocol converts a classic group to a consumer group. */
  #join(partition: GroupPartition, request: ConsumerHeartbeatRequest): HeartbeatResponse {
    const { groupId } = request
    const existing = partition.groups.get(groupId)
    const group = existing?.type === 'consumer' ? existing : new ConsumerGroup(groupId)
    return this.#operations.runConsumer(partition, group, operation => {
      if (existing?.type === 'classic') upgrade(operation, existing)
      return heartbeat(operation, request, randomUuid(this.#ports.random))
    })
  }

  #goOn(partition: GroupPartition, request: ConsumerHeartbeatRequest): HeartbeatResponse {
    const group = consumerGroupIn(partition, request.groupId)
    const act = request.memberEpoch < JOIN_GROUP_MEMBER_EPOCH ? leave : heartbeat
    return this.#operations.runConsumer(partition, group, operation => act(operation, request, request.memberId))
  }

  /**
   * Describes a consumer group; GROUP_ID_NOT_FOUND if it does not exist or is a classic group. `budget` limits repeated group
   * ids.
   */
  async describe(groupId: string, budget?: ResponseBudget): Promise<DescribedConsumerGroup> {
    try {
      const partition = this.#partitionOf(groupId)
      const group = consumerGroupIn(partition, groupId)
      const description = describe(group, this.#ports.topics)
      budget?.spend(sizeOf(description))
      const assignorName = preferredAssignor({ group, settings: this.#ports.settings.group(groupId) }).name
      await partition.journal.settled()
      return { groupId, errorCode: 'NONE', errorMessage: null, assignorName, ...description }
    } catch (error) {
      const errorMessage = error instanceof KafkaError ? error.message : null
      return { ...NOTHING_TO_DESCRIBE, groupId, errorCode: coordinatorErrorCode(error), errorMessage }
    }
  }
}

function consumerGroupIn(partition: GroupPartition, groupId: string): ConsumerGroup {
  const group = partition.groups.get(groupId)
  if (group?.type === 'consumer') return group
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
