/**
 * Commits and fetches of offsets: by members of groups, by clients without a group, and in transactions. Each request is one
 * operation; failures are error codes of its response.
 */
import { rows, type ViewOf } from '../config/view.ts'
import type { StateProducer } from '../coordinator/state-log.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Claim, Commit, CommittedPartitions } from './group.ts'
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
import type { GroupOperations, GroupShard, GroupWorld } from './operations.ts'
import { ResponseBudget } from './response-budget.ts'

export type OffsetCommitRequest = { readonly apiVersion: number } & Claim & CommitRequest
export type TxnOffsetCommitRequest = {
  readonly apiVersion: number
  readonly producer: StateProducer
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

const OFFSET_ROWS = rows({ maxMetadataBytes: 'offset.metadata.max.bytes' })

export class CommittedOffsets {
  readonly #world: GroupWorld
  readonly #settings: ViewOf<typeof OFFSET_ROWS>
  readonly #operations: GroupOperations

  constructor(world: GroupWorld, operations: GroupOperations) {
    this.#world = world
    this.#settings = world.settings.view(OFFSET_ROWS)
    this.#operations = operations
  }

  /** Commits offsets. Returns a result for every partition, in the order of the request. */
  commit(request: OffsetCommitRequest): Promise<CommitResponseTopic[]> {
    return this.#operations.runtime.request(
      request.groupId,
      shard => this.#write(shard, request, this.#commitError(shard, request)),
      ({ code }) => refuseCommit(request.topics, code)
    )
  }

  /** Writes offsets that become committed when the producer's transaction commits. Returns a result for every partition. */
  commitInTransaction(request: TxnOffsetCommitRequest): Promise<CommitResponseTopic[]> {
    return this.#operations.memberRequest(
      request.groupId,
      shard => {
        const group = shard.state.groups.get(request.groupId)
        const error = group
          ? group.transactionalCommitError(this.#commitOf(request))
          : unknownGroup(request, GROUP_ID_NOT_FOUND_SINCE.TxnOffsetCommit)
        return this.#write(shard, request, error)
      },
      ({ code }) => refuseCommit(request.topics, code)
    )
  }

  #commitError(shard: GroupShard, request: OffsetCommitRequest): ErrorName {
    const { groupId } = request
    const group = shard.state.groups.get(groupId)
    if (!group) return unknownGroup(request, GROUP_ID_NOT_FOUND_SINCE.OffsetCommit)
    return this.#operations.touch(shard, groupId, touch => group.commitError(this.#commitOf(request), touch))
  }

  #commitOf({ memberId, groupInstanceId, generationId, apiVersion, topics }: OffsetCommitRequest): Commit {
    return { memberId, groupInstanceId, generationId, apiVersion, partitions: () => this.#validPartitions(topics) }
  }

  /** The partitions of a commit whose metadata is not too large. */
  #validPartitions(topics: CommitRequest['topics']): CommittedPartitions {
    const { maxMetadataBytes } = this.#settings
    return topics.map(({ topicId, partitions }) => {
      return { topicId, partitions: partitions.filter(partition => !isTooLong(partition, maxMetadataBytes)) }
    })
  }

  #write(
    shard: GroupShard,
    request: CommitRequest & { readonly producer?: StateProducer },
    error: ErrorName
  ): CommitResponseTopic[] {
    if (error !== 'NONE') throw new KafkaError(error, `group ${request.groupId} refuses the commit`)
    const { maxMetadataBytes } = this.#settings
    const { records, topics } = decideCommit(request, maxMetadataBytes, this.#world.clocks.wall.now())
    shard.commit({ records, producer: request.producer })
    return topics
  }

  /**
   * Fetches offsets of the requested topics, or of all topics if `topics` is null. With `requireStable`, partitions with
   * pending transactional offsets get UNSTABLE_OFFSET_COMMIT (KIP-447).
   */
  fetch(
    { groupId, topics, memberId, memberEpoch }: OffsetFetchRequest,
    budget = new ResponseBudget(),
    requireStable = false
  ): Promise<OffsetFetchResponse> {
    return this.#operations.runtime.request<OffsetFetchResponse>(
      groupId,
      ({ state: { groups, offsets } }) => {
        const error = groups.get(groupId)?.fetchError(memberId, memberEpoch) ?? 'NONE'
        if (error !== 'NONE') throw new KafkaError(error, `group ${groupId} refuses the fetch of ${memberId}`)
        const isUnstable = (topic: string, index: number) =>
          requireStable && offsets.pending.isPending(groupId, topic, index)
        return { errorCode: 'NONE', topics: fetchOffsets(offsets.of(groupId), topics, budget, isUnstable) }
      },
      ({ code: errorCode }) => ({ errorCode, topics: [] })
    )
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
