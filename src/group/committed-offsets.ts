/**
 * Commits and fetches of offsets, by members of groups, by clients without a group, and within transactions. As for
 * groups each request is one operation, and what goes wrong is an error code in its answer.
 */
import type { Settings } from '../config/settings.ts'
import { rows, type ViewOf } from '../config/view.ts'
import { coordinatorErrorCode } from '../coordinator/errors.ts'
import type { JournalProducer } from '../coordinator/journal.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Clocks } from '../runtime/time.ts'
import { type Claim, commit, commitInTransaction } from './classic/membership.ts'
import { type CommittedPartitions, commitError, fetchError, transactionalCommitError } from './consumer/commits.ts'
import {
  type CommitRequest,
  type CommitResponseTopic,
  decideCommit,
  type FetchResponseTopic,
  type FetchTopic,
  fetchOffsets,
  isTooLong,
  refuseCommit
} from './offsets/offsets.ts'
import type { GroupOperations } from './operations.ts'
import type { GroupPartition } from './partition.ts'
import { ResponseBudget } from './response-budget.ts'

export type OffsetCommitRequest = { readonly apiVersion: number } & Claim & CommitRequest
export type TxnOffsetCommitRequest = {
  readonly apiVersion: number
  readonly producer: JournalProducer
} & Claim &
  CommitRequest

/** From these versions on a commit in the name of a group that is none is told so. */
const GROUP_ID_NOT_FOUND_SINCE = { OffsetCommit: 9, TxnOffsetCommit: 6 }

/** Who asks is null, and its epoch -1, in versions that do not say, and for who is no member. */
export interface OffsetFetchRequest {
  readonly groupId: string
  readonly topics: readonly FetchTopic[] | null
  readonly memberId: string | null
  readonly memberEpoch: number
}

/** `topics` is empty where `errorCode` speaks for all. */
export interface OffsetFetchResponse {
  readonly errorCode: ErrorName
  readonly topics: readonly FetchResponseTopic[]
}

export interface OffsetPorts {
  readonly clocks: Clocks
  readonly settings: Settings
}

const OFFSET_ROWS = rows({ maxMetadataBytes: 'offset.metadata.max.bytes' })

/** The partition that holds a group. Both throw what the client is told. */
export interface PartitionLookup {
  of(groupId: string): GroupPartition
  /** As `of`, for requests that may not name the empty group. */
  ofMembers(groupId: string): GroupPartition
}

export class CommittedOffsets {
  readonly #ports: OffsetPorts
  readonly #settings: ViewOf<typeof OFFSET_ROWS>
  readonly #operations: GroupOperations
  readonly #partitions: PartitionLookup

  constructor(ports: OffsetPorts, operations: GroupOperations, partitions: PartitionLookup) {
    this.#ports = ports
    this.#settings = ports.settings.view(OFFSET_ROWS)
    this.#operations = operations
    this.#partitions = partitions
  }

  /** Stores offsets. An answer for every partition, in the order of the request. */
  commit(request: OffsetCommitRequest): Promise<CommitResponseTopic[]> {
    return this.#write(request, () => {
      const partition = this.#partitions.of(request.groupId)
      return { partition, error: this.#checkCommit(partition, request) }
    })
  }

  /** Stores offsets that count once the producer's transaction is committed. An answer for every partition. */
  commitInTransaction(request: TxnOffsetCommitRequest): Promise<CommitResponseTopic[]> {
    return this.#write(request, () => {
      const partition = this.#partitions.ofMembers(request.groupId)
      const group = partition.groups.get(request.groupId)
      if (!group) return { partition, error: unknownGroup(request, GROUP_ID_NOT_FOUND_SINCE.TxnOffsetCommit) }
      const error =
        group.type === 'classic'
          ? commitInTransaction(group, request)
          : transactionalCommitError(group, request, this.#valid(request), request.apiVersion)
      return { partition, error }
    })
  }

  #checkCommit(partition: GroupPartition, request: OffsetCommitRequest): ErrorName {
    const { groupId, apiVersion } = request
    const group = partition.groups.get(groupId)
    if (group?.type === 'consumer') return commitError(group, request, this.#valid(request), apiVersion)
    if (group) return this.#operations.touch(group, touch => commit(touch, request))
    return unknownGroup(request, GROUP_ID_NOT_FOUND_SINCE.OffsetCommit)
  }

  /** What of a commit is not refused on its own, for its metadata. */
  #valid({ topics }: CommitRequest): CommittedPartitions {
    const { maxMetadataBytes } = this.#settings
    return topics.map(({ topicId, partitions }) => {
      return { topicId, partitions: partitions.filter(partition => !isTooLong(partition, maxMetadataBytes)) }
    })
  }

  async #write(
    request: CommitRequest & { readonly producer?: JournalProducer },
    check: () => { partition: GroupPartition; error: ErrorName }
  ): Promise<CommitResponseTopic[]> {
    try {
      const { clocks } = this.#ports
      const { partition, error } = check()
      if (error !== 'NONE') throw new KafkaError(error, `group ${request.groupId} takes no such commit`)
      const { records, topics } = decideCommit(request, this.#settings.maxMetadataBytes, clocks.wall.now())
      partition.write(records, clocks.wall.now(), request.producer)
      await partition.journal.settled()
      return topics
    } catch (error) {
      return refuseCommit(request.topics, coordinatorErrorCode(error))
    }
  }

  /** Offsets of the topics asked for, or of all when `topics` is null; only stable ones, where those are wanted (KIP-447). */
  async fetch(
    { groupId, topics, memberId, memberEpoch }: OffsetFetchRequest,
    budget = new ResponseBudget(),
    requireStable = false
  ): Promise<OffsetFetchResponse> {
    try {
      const partition = this.#partitions.of(groupId)
      const group = partition.groups.get(groupId)
      const error = group?.type === 'consumer' ? fetchError(group, memberId, memberEpoch) : 'NONE'
      if (error !== 'NONE') throw new KafkaError(error, `group ${groupId} does not answer ${memberId}`)
      const { offsets } = partition
      const isUnstable = (topic: string, index: number) =>
        requireStable && offsets.pending.isPending(groupId, topic, index)
      const response = fetchOffsets(offsets.of(groupId), topics, budget, isUnstable)
      await partition.journal.settled()
      return { errorCode: 'NONE', topics: response }
    } catch (error) {
      return { errorCode: coordinatorErrorCode(error), topics: [] }
    }
  }
}

/** Who belongs to no generation may commit for any group, and brings it about by that. */
function unknownGroup(
  { generationId, apiVersion }: { generationId: number; apiVersion: number },
  since: number
): ErrorName {
  if (generationId < 0) return 'NONE'
  return apiVersion >= since ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
}
