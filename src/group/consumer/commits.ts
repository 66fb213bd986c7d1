/**
 * Validation of offset commits and fetches in a consumer group. A commit with an older member epoch is valid if the member was
 * assigned all its partitions in that epoch or before.
 */
import type { ErrorName } from '../../protocol/errors.ts'
import type { ConsumerGroup } from './group.ts'
import type { ConsumerMember } from './member.ts'

/** The member of a request, and its member epoch or generation of the classic protocol. */
export interface CommitClaim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

/** The partitions of a commit. */
export type CommittedPartitions = readonly {
  readonly topicId: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}[]

/** The first version of OffsetCommit in which members of the consumer protocol may commit. */
const CONSUMER_MEMBERS_SINCE = 9
/** The first version of TxnOffsetCommit that gets STALE_MEMBER_EPOCH. */
const STALE_EPOCHS_SINCE = 6

/** The error of a whole commit, or NONE. */
export function commitError(
  group: ConsumerGroup,
  claim: CommitClaim,
  topics: CommittedPartitions,
  apiVersion: number
): ErrorName {
  if (claim.generationId < 0 && group.members.size === 0) return 'NONE'
  const member = group.members.get(claim.memberId)
  if (!member) return 'UNKNOWN_MEMBER_ID'
  if (!member.classic && apiVersion < CONSUMER_MEMBERS_SINCE) return 'UNSUPPORTED_VERSION'
  return epochError(member, claim.generationId, topics)
}

/** As `commitError`, in a transaction. A producer may commit without naming a member. */
export function transactionalCommitError(
  group: ConsumerGroup,
  claim: CommitClaim,
  topics: CommittedPartitions,
  apiVersion: number
): ErrorName {
  const { memberId, groupInstanceId, generationId } = claim
  if (generationId < 0 && group.members.size === 0) return 'NONE'
  if (generationId === -1 && memberId === '' && groupInstanceId === null) return 'NONE'
  const member = group.members.get(memberId)
  if (!member) return 'UNKNOWN_MEMBER_ID'
  const error = epochError(member, generationId, topics)
  return error === 'STALE_MEMBER_EPOCH' && apiVersion < STALE_EPOCHS_SINCE ? 'ILLEGAL_GENERATION' : error
}

function epochError(member: ConsumerMember, epoch: number, topics: CommittedPartitions): ErrorName {
  if (epoch === member.memberEpoch) return 'NONE'
  const isLate = epoch < member.memberEpoch
  const isAllSince = () =>
    topics.every(({ topicId, partitions }) =>
      partitions.every(({ partitionIndex }) => epoch >= assignedSince(member, topicId, partitionIndex))
    )
  return isLate && isAllSince() ? 'NONE' : staleEpoch(member)
}

function assignedSince({ assigned, pendingRevocation }: ConsumerMember, topicId: string, partition: number): number {
  const since = assigned.get(topicId)?.get(partition) ?? pendingRevocation.get(topicId)?.get(partition)
  return since ?? Number.POSITIVE_INFINITY
}

/** The error of a whole fetch, or NONE. A fetch without a member is always valid. */
export function fetchError(group: ConsumerGroup, memberId: string | null, memberEpoch: number): ErrorName {
  if (memberId === null && memberEpoch < 0) return 'NONE'
  const member = group.members.get(memberId ?? '')
  if (!member) return 'UNKNOWN_MEMBER_ID'
  return memberEpoch === member.memberEpoch ? 'NONE' : staleEpoch(member)
}

function staleEpoch({ classic }: ConsumerMember): ErrorName {
  return classic ? 'ILLEGAL_GENERATION' : 'STALE_MEMBER_EPOCH'
}
