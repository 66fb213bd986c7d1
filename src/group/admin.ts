/**
 * What administrators ask of groups of any kind: list, describe and delete them, and delete what they have committed. As
 * for members each request is one turn, and what goes wrong is an error code in its answer.
 */
import { toldAs } from '../coordination/errors.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { AnswerBudget } from './answer-budget.ts'
import { adminView, describe } from './classic/admin.ts'
import { forgetGroup, forgetPartitions } from './offset-expiry.ts'
import type { CommitAnswerTopic, OffsetTopic } from './offsets.ts'
import type { GroupPartition } from './partition.ts'
import type { GroupRecord } from './records.ts'

/** A group, whatever its kind. */
export interface AdminView {
  readonly groupId: string
  readonly type: 'classic' | 'consumer'
  readonly state: string
  readonly protocolType: string
  /** Why the group cannot be deleted, or NONE. */
  readonly deletion: ErrorName
  /** Why nothing can be deleted of what it has committed, or NONE. */
  readonly offsetDeletion: ErrorName
  isSubscribedTo(topic: string): boolean
  /** What ends the group in the log, when its offsets are gone. */
  tombstones(): GroupRecord[]
}

/** Which groups to list: an empty list is no filter. In any case, as Kafka takes them. */
export interface ListFilters {
  readonly states: readonly string[]
  readonly types: readonly string[]
}

export type ListedGroup = Pick<AdminView, 'groupId' | 'type' | 'state' | 'protocolType'>

/** `groups` is empty where `errorCode` speaks for all. */
export interface ListGroupsAnswer {
  readonly errorCode: ErrorName
  readonly groups: readonly ListedGroup[]
}

export interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly memberMetadata: Buffer
  readonly memberAssignment: Buffer
}

export interface GroupDescription {
  readonly groupState: string
  readonly protocolType: string
  readonly protocolData: string
  readonly members: readonly DescribedMember[]
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

/** `topics` is empty where `errorCode` speaks for all. */
export interface OffsetDeleteAnswer {
  readonly errorCode: ErrorName
  readonly topics: readonly CommitAnswerTopic[]
}

/** The partitions that hold groups. All throw what the client is told. */
export interface PartitionsOfGroups {
  of(groupId: string): GroupPartition
  /** As `of`, for requests that may not name the empty group. */
  ofMembers(groupId: string): GroupPartition
  all(): Iterable<GroupPartition>
}

/** What a group and a member of a description take, beside what is as long as it is. */
const GROUP_BYTES = 32
const MEMBER_BYTES = 32

const NOTHING_TO_DESCRIBE: GroupDescription = { groupState: '', protocolType: '', protocolData: '', members: [] }

export class GroupAdmin {
  readonly #clock: Clock
  readonly #partitions: PartitionsOfGroups

  constructor({ clock }: { readonly clock: Clock }, partitions: PartitionsOfGroups) {
    this.#clock = clock
    this.#partitions = partitions
  }

  /** All groups that pass the filters. A state or type that there is not is one in which no group is. */
  async list(filters: ListFilters): Promise<ListGroupsAnswer> {
    try {
      const isWanted = matching(filters)
      const listed = Array.from(this.#partitions.all(), partition => listIn(partition, isWanted))
      return { errorCode: 'NONE', groups: (await Promise.all(listed)).flat() }
    } catch (error) {
      return { errorCode: toldAs(error), groups: [] }
    }
  }

  /** A classic group; of what is none GROUP_ID_NOT_FOUND, with the state Dead. `budget` pays for a repeated question. */
  describe(groupId: string, budget?: AnswerBudget): Promise<DescribedGroup> {
    const describeIn = (partition: GroupPartition): DescribedGroup => {
      const group = partition.groups.get(groupId)
      if (!group) {
        budget?.spend(GROUP_BYTES + groupId.length)
        return failed('GROUP_ID_NOT_FOUND', 'Dead', `Group ${groupId} not found.`)
      }
      const described = describe(group)
      budget?.spend(sizeOf(groupId, described))
      return { groupId, errorCode: 'NONE', errorMessage: null, ...described }
    }
    const failed = (errorCode: ErrorName, groupState = '', errorMessage: string | null = null): DescribedGroup => {
      return { ...NOTHING_TO_DESCRIBE, groupId, groupState, errorCode, errorMessage }
    }
    return answered(() => this.#partitions.of(groupId), describeIn, failed)
  }

  /** Deletes a group that nobody is in, and all that it has committed. */
  delete(groupId: string): Promise<DeletedGroup> {
    const deleteIn = (partition: GroupPartition): DeletedGroup => {
      const group = groupIn(partition, groupId)
      if (group.deletion !== 'NONE') throw new KafkaError(group.deletion, `group ${groupId} has members`)
      const { offsets } = partition
      const ofOffsets = forgetGroup(groupId, offsets.of(groupId), offsets.held.of(groupId))
      partition.writeInParts([...ofOffsets, ...group.tombstones()], this.#clock.now())
      return { groupId, errorCode: 'NONE' }
    }
    return answered(
      () => this.#partitions.of(groupId),
      deleteIn,
      errorCode => ({ groupId, errorCode })
    )
  }

  /** Deletes what a group has committed for partitions of topics that it is not subscribed to. Each has its own error. */
  deleteOffsets(groupId: string, topics: readonly OffsetTopic[]): Promise<OffsetDeleteAnswer> {
    const deleteIn = (partition: GroupPartition): OffsetDeleteAnswer => {
      const group = groupIn(partition, groupId)
      if (group.offsetDeletion !== 'NONE') throw new KafkaError(group.offsetDeletion, `group ${groupId} has members`)
      const free = topics.filter(({ name }) => !group.isSubscribedTo(name))
      const { offsets } = partition
      partition.writeInParts(forgetPartitions(groupId, free, offsets.of(groupId), offsets.held), this.#clock.now())
      return { errorCode: 'NONE', topics: topics.map(topic => deletedOf(topic, group)) }
    }
    return answered(
      () => this.#partitions.ofMembers(groupId),
      deleteIn,
      errorCode => ({ errorCode, topics: [] })
    )
  }
}

/** One turn in a partition. Its answer waits until it may rest on what the partition holds. */
async function answered<T>(
  find: () => GroupPartition,
  act: (partition: GroupPartition) => T,
  failed: (errorCode: ErrorName) => T
): Promise<T> {
  try {
    const partition = find()
    const answer = act(partition)
    await partition.journal.settled()
    return answer
  } catch (error) {
    return failed(toldAs(error))
  }
}

function groupIn(partition: GroupPartition, groupId: string): AdminView {
  const group = partition.groups.get(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `no group ${groupId}`)
  return adminView(group)
}

function matching({ states, types }: ListFilters): (group: ListedGroup) => boolean {
  const wantedStates = new Set(states.map(state => state.toLowerCase().trim()))
  const wantedTypes = new Set(types.map(type => type.toLowerCase()))
  return ({ state, type }) =>
    (wantedStates.size === 0 || wantedStates.has(state.toLowerCase())) &&
    (wantedTypes.size === 0 || wantedTypes.has(type))
}

/** As in Kafka the groups of a partition that cannot be served are left out. */
function listIn(partition: GroupPartition, isWanted: (group: ListedGroup) => boolean): Promise<ListedGroup[]> {
  const failed = (errorCode: ErrorName): ListedGroup[] => {
    if (errorCode === 'NOT_COORDINATOR') return []
    throw new KafkaError(errorCode, 'a partition of groups cannot be listed')
  }
  const list = () => Array.from(partition.groups.values(), adminView).filter(isWanted)
  return answered(() => partition, list, failed)
}

function sizeOf(groupId: string, { members }: GroupDescription): number {
  const ofMember = ({ memberId, clientId, clientHost, memberMetadata, memberAssignment }: DescribedMember) =>
    MEMBER_BYTES +
    memberId.length +
    clientId.length +
    clientHost.length +
    memberMetadata.length +
    memberAssignment.length
  return members.reduce((bytes, member) => bytes + ofMember(member), GROUP_BYTES + groupId.length)
}

function deletedOf(topic: OffsetTopic, group: AdminView): CommitAnswerTopic {
  const errorCode = group.isSubscribedTo(topic.name) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'
  return { ...topic, partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}
