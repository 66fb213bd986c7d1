/**
 * Requests of administrators for groups of any type: list, describe and delete groups, and delete committed offsets. Each request
 * is one operation; failures are error codes of its response.
 */
import { coordinatorErrorCode } from '../coordinator/errors.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { ClassicGroup, type Member, metadataOf } from './classic/group.ts'
import type { Group, GroupListing } from './group.ts'
import { forgetGroup, forgetPartitions } from './offsets/offset-expiry.ts'
import type { CommitResponseTopic, OffsetTopic } from './offsets/offsets.ts'
import type { GroupOperations, GroupShard } from './operations.ts'
import type { ResponseBudget } from './response-budget.ts'

/** A member of a classic group. */
interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly memberMetadata: Buffer
  readonly memberAssignment: Buffer
}

/** A classic group, without its group id. */
interface GroupDescription {
  readonly groupState: string
  readonly protocolType: string
  readonly protocolData: string
  readonly members: readonly DescribedMember[]
}

/** Filters of ListGroups, case-insensitive as in Kafka. An empty list does not filter. */
export interface ListFilters {
  readonly states: readonly string[]
  readonly types: readonly string[]
}

/** `groups` is empty if `errorCode` is not NONE. */
interface ListGroupsResponse {
  readonly errorCode: ErrorName
  readonly groups: readonly GroupListing[]
}

export interface DescribedGroup extends GroupDescription {
  readonly groupId: string
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
}

export interface DeletedGroup {
  readonly groupId: string
  readonly errorCode: ErrorName
}

/** `topics` is empty if `errorCode` is not NONE. */
interface OffsetDeleteResponse {
  readonly errorCode: ErrorName
  readonly topics: readonly CommitResponseTopic[]
}

/** Approximate bytes of a described group and of a described member, without their strings and byte strings. */
const GROUP_BYTES = 32
const MEMBER_BYTES = 32

const NOTHING_TO_DESCRIBE: GroupDescription = { groupState: '', protocolType: '', protocolData: '', members: [] }

export class GroupAdmin {
  readonly #operations: GroupOperations

  constructor(operations: GroupOperations) {
    this.#operations = operations
  }

  /** ListGroups: all groups that match the filters. An unknown state or type matches no group. */
  async list(filters: ListFilters): Promise<ListGroupsResponse> {
    const { runtime } = this.#operations
    try {
      runtime.checkActive()
      const matches = matching(filters)
      const listed = Array.from(runtime, shard => listIn(shard, matches))
      return { errorCode: 'NONE', groups: (await Promise.all(listed)).flat() }
    } catch (error) {
      return { errorCode: coordinatorErrorCode(error), groups: [] }
    }
  }

  /**
   * DescribeGroups for a classic group. A missing group gets GROUP_ID_NOT_FOUND with the state Dead. `budget` limits repeated
   * group ids.
   */
  describe(groupId: string, budget?: ResponseBudget): Promise<DescribedGroup> {
    return this.#operations.runtime.request<DescribedGroup>(
      groupId,
      shard => {
        budget?.spend(GROUP_BYTES + groupId.length)
        const description = describe(classicGroupIn(shard, groupId))
        budget?.spend(sizeOf(description))
        return { groupId, errorCode: 'NONE', errorMessage: null, ...description }
      },
      ({ code: errorCode, message: errorMessage }) => {
        const description = { ...NOTHING_TO_DESCRIBE, groupId, errorCode }
        if (errorCode !== 'GROUP_ID_NOT_FOUND') return { ...description, errorMessage: null }
        return { ...description, errorMessage, groupState: 'Dead' }
      }
    )
  }

  /** Deletes an empty group and all its committed offsets. */
  delete(groupId: string): Promise<DeletedGroup> {
    return this.#operations.runtime.request<DeletedGroup>(
      groupId,
      shard => {
        const group = groupIn(shard, groupId)
        if (group.deletionError !== 'NONE') throw new KafkaError(group.deletionError, `group ${groupId} has members`)
        const { offsets } = shard.state
        const ofOffsets = forgetGroup(groupId, offsets.of(groupId), offsets.pending.of(groupId))
        shard.commitInParts([...ofOffsets, ...group.tombstones()])
        return { groupId, errorCode: 'NONE' }
      },
      ({ code: errorCode }) => ({ groupId, errorCode })
    )
  }

  /** OffsetDelete: deletes committed offsets of topics that the group is not subscribed to. Each partition has its own error. */
  deleteOffsets(groupId: string, topics: readonly OffsetTopic[]): Promise<OffsetDeleteResponse> {
    return this.#operations.memberRequest<OffsetDeleteResponse>(
      groupId,
      shard => {
        const group = groupIn(shard, groupId)
        const { offsetDeletionError } = group
        if (offsetDeletionError !== 'NONE') throw new KafkaError(offsetDeletionError, `group ${groupId} has members`)
        const free = topics.filter(({ name }) => !group.isSubscribedTo(name))
        const { offsets } = shard.state
        shard.commitInParts(forgetPartitions(groupId, free, offsets.of(groupId), offsets.pending))
        return { errorCode: 'NONE', topics: topics.map(topic => deletedOf(topic, group)) }
      },
      ({ code: errorCode }) => ({ errorCode, topics: [] })
    )
  }
}

function groupIn({ state }: GroupShard, groupId: string): Group {
  const group = state.groups.get(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
  return group
}

function classicGroupIn(shard: GroupShard, groupId: string): ClassicGroup {
  const group = groupIn(shard, groupId)
  if (group instanceof ClassicGroup) return group
  throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a classic group.`)
}

function matching({ states, types }: ListFilters): (group: GroupListing) => boolean {
  const stateFilter = new Set(states.map(state => state.toLowerCase().trim()))
  const typeFilter = new Set(types.map(type => type.toLowerCase()))
  return ({ state, type }) =>
    (stateFilter.size === 0 || stateFilter.has(state.toLowerCase())) && (typeFilter.size === 0 || typeFilter.has(type))
}

/** As in Kafka, groups of a partition that cannot be served are left out. */
async function listIn(shard: GroupShard, matches: (group: GroupListing) => boolean): Promise<GroupListing[]> {
  try {
    const listed = Array.from(shard.state.groups.values(), ({ listing }) => listing).filter(matches)
    await shard.settled()
    return listed
  } catch (error) {
    if (coordinatorErrorCode(error) !== 'NOT_COORDINATOR') throw error
    return []
  }
}

/** As in Kafka, protocol and member metadata are described only while the group is Stable. */
function describe(group: ClassicGroup): GroupDescription {
  const { state, protocolType, protocolName, members } = group
  const isStable = state === 'Stable'
  return {
    groupState: state,
    protocolType: protocolType ?? '',
    protocolData: isStable ? (protocolName ?? '') : '',
    members: Array.from(members.values(), member =>
      describeMember(member, isStable ? metadataOf(member, protocolName) : NO_METADATA)
    )
  }
}

const NO_METADATA = Buffer.alloc(0)

function describeMember(member: Member, memberMetadata: Buffer): DescribedMember {
  const { memberId, groupInstanceId, clientId, clientHost, assignment } = member
  return { memberId, groupInstanceId, clientId, clientHost, memberMetadata, memberAssignment: assignment }
}

function sizeOf({ members }: GroupDescription): number {
  return members.reduce((bytes, { memberId, clientId, clientHost, memberMetadata, memberAssignment }) => {
    const names = memberId.length + clientId.length + clientHost.length
    return bytes + MEMBER_BYTES + names + memberMetadata.length + memberAssignment.length
  }, 0)
}

function deletedOf(topic: OffsetTopic, group: Group): CommitResponseTopic {
  const errorCode = group.isSubscribedTo(topic.name) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'
  return { ...topic, partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}
