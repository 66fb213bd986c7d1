/**
 * Who may commit and fetch offsets in the name of a consumer group. A member may be late: for a partition that it has had
 * since an epoch, every epoch from then on is good.
 */
import type { ErrorName } from '../../protocol/errors.ts'
import type { ConsumerGroup } from './group.ts'
import type { ConsumerMember } from './member.ts'

/** Who sends a request, and which epoch, or generation of the classic protocol, it believes to be in. */
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

/** From this version of OffsetCommit on a member of the consumer protocol may commit. */
const CONSUMER_MEMBERS_SINCE = 9
/** From this version of TxnOffsetCommit on it is told of stale epochs. */
const STALE_EPOCHS_SINCE = 6

/** What is wrong with a commit, as a whole, or NONE. */
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

/** As `commitError`, within a transaction: a producer need not say for whom it commits. */
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

/** What is wrong with a fetch, or NONE. One that names no member may come from anybody. */
export function fetchError(group: ConsumerGroup, memberId: string | null, memberEpoch: number): ErrorName {
  if (memberId === null && memberEpoch < 0) return 'NONE'
  const member = group.members.get(memberId ?? '')
  if (!member) return 'UNKNOWN_MEMBER_ID'
  return memberEpoch === member.memberEpoch ? 'NONE' : staleEpoch(member)
}

function staleEpoch({ classic }: ConsumerMember): ErrorName {
  return classic ? 'ILLEGAL_GENERATION' : 'STALE_MEMBER_EPOCH'
}
