/**
 * Commits and fetches of offsets: by members of groups, by clients without a group, and in transactions. Each request is one
 * operation; failures are error codes of its response.
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

/** The first request versions that get GROUP_ID_NOT_FOUND for a member's commit to a missing group. */
const GROUP_ID_NOT_FOUND_SINCE = { OffsetCommit: 9, TxnOffsetCommit: 6 }

/**
 * An OffsetFetch request for one group. `memberId` is null and `memberEpoch` -1 in versions without them, and for clients that
 * are not members.
 */
export interface OffsetFetchRequest {
  readonly groupId: string
  readonly topics: readonly FetchTopic[] | null
  readonly memberId: string | null
  readonly memberEpoch: number
}

/** `topics` is empty if `errorCode` is not NONE. */
export interface OffsetFetchResponse {
  readonly errorCode: ErrorName
  readonly topics: readonly FetchResponseTopic[]
}

export interface OffsetPorts {
  readonly clocks: Clocks
  readonly settings: Settings
}

const OFFSET_ROWS = rows({ maxMetadataBytes: 'offset.metadata.max.bytes' })

/** The partition of a group. Both functions throw the KafkaError of the response. */
export interface PartitionLookup {
  of(groupId: string): GroupPartition
  /** As `of`, for requests that must not use the empty group id. */
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

  /** Commits offsets. Returns a result for every partition, in the order of the request. */
  commit(request: OffsetCommitRequest): Promise<CommitResponseTopic[]> {
    return this.#write(request, () => {
      const partition = this.#partitions.of(request.groupId)
      return { partition, error: this.#checkCommit(partition, request) }
    })
  }

  /** Writes offsets that become committed when the producer's transaction commits. Returns a result for every partition. */
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

  /** The partitions of a commit whose metadata is not too large. */
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

  /**
   * Fetches offsets of the requested topics, or of all topics if `topics` is null. `requireStable` returns UNSTABLE_OFFSET_COMMIT
   * for partitions with pending transactional offsets (KIP-447).
   */
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

/** A commit without a generation is valid for any group id; it creates the group. */
function unknownGroup(
  { generationId, apiVersion }: { generationId: number; apiVersion: number },
  since: number
): ErrorName {
  if (generationId < 0) return 'NONE'
  return apiVersion >= since ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
}
