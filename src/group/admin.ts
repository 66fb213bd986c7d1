/**
 * Requests of administrators for groups of any type: list, describe and delete groups, and delete committed offsets. Each request
 * is one operation; failures are error codes of its response.
 */
import { coordinatorErrorCode } from '../coordinator/errors.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Clocks, WallClock } from '../runtime/time.ts'
import type { AdminView, GroupDescription } from './admin-view.ts'
import { describe } from './classic/admin.ts'
import type { ClassicGroup } from './classic/group.ts'
import { adminView, type Group } from './group.ts'
import { forgetGroup, forgetPartitions } from './offsets/offset-expiry.ts'
import type { CommitResponseTopic, OffsetTopic } from './offsets/offsets.ts'
import type { GroupPartition } from './partition.ts'
import type { ResponseBudget } from './response-budget.ts'

/** Filters of ListGroups, case-insensitive as in Kafka. An empty list does not filter. */
export interface ListFilters {
  readonly states: readonly string[]
  readonly types: readonly string[]
}

export type ListedGroup = Pick<AdminView, 'groupId' | 'type' | 'state' | 'protocolType'>

/** `groups` is empty if `errorCode` is not NONE. */
interface ListGroupsResponse {
  readonly errorCode: ErrorName
  readonly groups: readonly ListedGroup[]
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

/** The partitions that have groups. All functions throw the KafkaError of the response. */
export interface PartitionsOfGroups {
  of(groupId: string): GroupPartition
  /** As `of`, for requests that must not use the empty group id. */
  ofMembers(groupId: string): GroupPartition
  all(): Iterable<GroupPartition>
}

/** Approximate bytes of a described group and of a described member, without their strings and byte strings. */
const GROUP_BYTES = 32
const MEMBER_BYTES = 32

const NOTHING_TO_DESCRIBE: GroupDescription = { groupState: '', protocolType: '', protocolData: '', members: [] }

export class GroupAdmin {
  readonly #wall: WallClock
  readonly #partitions: PartitionsOfGroups

  constructor({ clocks }: { readonly clocks: Pick<Clocks, 'wall'> }, partitions: PartitionsOfGroups) {
    this.#wall = clocks.wall
    this.#partitions = partitions
  }

  /** ListGroups: all groups that match the filters. An unknown state or type matches no group. */
  async list(filters: ListFilters): Promise<ListGroupsResponse> {
    try {
      const matches = matching(filters)
      const listed = Array.from(this.#partitions.all(), partition => listIn(partition, matches))
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
    return respond(
      () => this.#partitions.of(groupId),
      partition => {
        budget?.spend(GROUP_BYTES + groupId.length)
        const description = describe(classicGroupIn(partition, groupId))
        budget?.spend(sizeOf(description))
        return { groupId, errorCode: 'NONE', errorMessage: null, ...description }
      },
      (errorCode, errorMessage) => {
        const description = { ...NOTHING_TO_DESCRIBE, groupId, errorCode }
        if (errorCode !== 'GROUP_ID_NOT_FOUND') return { ...description, errorMessage: null }
        return { ...description, errorMessage, groupState: 'Dead' }
      }
    )
  }

  /** Deletes an empty group and all its committed offsets. */
  delete(groupId: string): Promise<DeletedGroup> {
    return respond<DeletedGroup>(
      () => this.#partitions.of(groupId),
      partition => {
        const group = adminView(groupIn(partition, groupId))
        if (group.deletion !== 'NONE') throw new KafkaError(group.deletion, `group ${groupId} has members`)
        const { offsets } = partition
        const ofOffsets = forgetGroup(groupId, offsets.of(groupId), offsets.pending.of(groupId))
        partition.writeInParts([...ofOffsets, ...group.tombstones()], this.#wall.now())
        return { groupId, errorCode: 'NONE' }
      },
      errorCode => ({ groupId, errorCode })
    )
  }

  /** OffsetDelete: deletes committed offsets of topics that the group is not subscribed to. Each partition has its own error. */
  deleteOffsets(groupId: string, topics: readonly OffsetTopic[]): Promise<OffsetDeleteResponse> {
    return respond<OffsetDeleteResponse>(
      () => this.#partitions.ofMembers(groupId),
      partition => {
        const group = adminView(groupIn(partition, groupId))
        if (group.offsetDeletion !== 'NONE') throw new KafkaError(group.offsetDeletion, `group ${groupId} has members`)
        const free = topics.filter(({ name }) => !group.isSubscribedTo(name))
        const { offsets } = partition
        partition.writeInParts(forgetPartitions(groupId, free, offsets.of(groupId), offsets.pending), this.#wall.now())
        return { errorCode: 'NONE', topics: topics.map(topic => deletedOf(topic, group)) }
      },
      errorCode => ({ errorCode, topics: [] })
    )
  }
}

/** Runs one operation in a partition. The response waits for the flush of the records that it depends on. */
async function respond<T>(
  find: () => GroupPartition,
  act: (partition: GroupPartition) => T,
  failed: (errorCode: ErrorName, message: string) => T
): Promise<T> {
  try {
    const partition = find()
    const response = act(partition)
    await partition.journal.settled()
    return response
  } catch (error) {
    return failed(coordinatorErrorCode(error), `${error instanceof Error ? error.message : error}`)
  }
}

function groupIn(partition: GroupPartition, groupId: string): Group {
  const group = partition.groups.get(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
  return group
}

function classicGroupIn(partition: GroupPartition, groupId: string): ClassicGroup {
  const group = groupIn(partition, groupId)
  if (group.type !== 'classic') throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a classic group.`)
  return group
}

function matching({ states, types }: ListFilters): (group: ListedGroup) => boolean {
  const stateFilter = new Set(states.map(state => state.toLowerCase().trim()))
  const typeFilter = new Set(types.map(type => type.toLowerCase()))
  return ({ state, type }) =>
    (stateFilter.size === 0 || stateFilter.has(state.toLowerCase())) && (typeFilter.size === 0 || typeFilter.has(type))
}

/** As in Kafka, groups of a partition that cannot be served are left out. */
function listIn(partition: GroupPartition, matches: (group: ListedGroup) => boolean): Promise<ListedGroup[]> {
  return respond(
    () => partition,
    ({ groups }) => Array.from(groups.values(), adminView).filter(matches),
    (errorCode, message) => {
      if (errorCode !== 'NOT_COORDINATOR') throw new KafkaError(errorCode, message)
      return []
    }
  )
}

function sizeOf({ members }: GroupDescription): number {
  return members.reduce((bytes, { memberId, clientId, clientHost, memberMetadata, memberAssignment }) => {
    const names = memberId.length + clientId.length + clientHost.length
    return bytes + MEMBER_BYTES + names + memberMetadata.length + memberAssignment.length
  }, 0)
}

function deletedOf(topic: OffsetTopic, group: AdminView): CommitResponseTopic {
  const errorCode = group.isSubscribedTo(topic.name) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'
  return { ...topic, partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}
