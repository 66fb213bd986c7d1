/**
 * Validation of offset commits and fetches in a consumer group. A commit with an older member epoch is valid if the member was
 * assigned all its partitions in that epoch or before.
 */
import type { ErrorName } from '../../protocol/errors.ts'
import type { Commit, CommittedPartitions } from '../group.ts'
import type { ConsumerMember } from './member.ts'

type Members = ReadonlyMap<string, ConsumerMember>

/** The first version of OffsetCommit in which members of the consumer protocol may commit. */
const CONSUMER_MEMBERS_SINCE = 9
/** The first version of TxnOffsetCommit that gets STALE_MEMBER_EPOCH. */
const STALE_EPOCHS_SINCE = 6

/** The error of a whole commit, or NONE. */
export function commitError(members: Members, commit: Commit): ErrorName {
  const { memberId, generationId, apiVersion } = commit
  if (generationId < 0 && members.size === 0) return 'NONE'
  const member = members.get(memberId)
  if (!member) return 'UNKNOWN_MEMBER_ID'
  if (!member.classic && apiVersion < CONSUMER_MEMBERS_SINCE) return 'UNSUPPORTED_VERSION'
  return epochError(member, commit)
}

/** As `commitError`, in a transaction. A producer may commit without naming a member. */
export function transactionalCommitError(members: Members, commit: Commit): ErrorName {
  const { memberId, groupInstanceId, generationId, apiVersion } = commit
  if (generationId < 0 && members.size === 0) return 'NONE'
  if (generationId === -1 && memberId === '' && groupInstanceId === null) return 'NONE'
  const member = members.get(memberId)
  if (!member) return 'UNKNOWN_MEMBER_ID'
  const error = epochError(member, commit)
  return error === 'STALE_MEMBER_EPOCH' && apiVersion < STALE_EPOCHS_SINCE ? 'ILLEGAL_GENERATION' : error
}

function epochError(member: ConsumerMember, commit: Commit): ErrorName {
  const { generationId: epoch } = commit
  if (epoch === member.memberEpoch) return 'NONE'
  const isValid = epoch < member.memberEpoch && isAssignedSince(member, epoch, commit.partitions())
  return isValid ? 'NONE' : staleEpoch(member)
}

/** True if the member was assigned all partitions in this epoch or before. */
function isAssignedSince(member: ConsumerMember, epoch: number, topics: CommittedPartitions): boolean {
  return topics.every(({ topicId, partitions }) =>
    partitions.every(({ partitionIndex }) => epoch >= assignedSince(member, topicId, partitionIndex))
  )
}

function assignedSince({ assigned, pendingRevocation }: ConsumerMember, topicId: string, partition: number): number {
  const since = assigned.get(topicId)?.get(partition) ?? pendingRevocation.get(topicId)?.get(partition)
  return since ?? Number.POSITIVE_INFINITY
}

/** The error of a whole fetch, or NONE. A fetch without a member is always valid. */
export function fetchError(members: Members, memberId: string | null, memberEpoch: number): ErrorName {
  if (memberId === null && memberEpoch < 0) return 'NONE'
  const member = members.get(memberId ?? '')
  if (!member) return 'UNKNOWN_MEMBER_ID'
  return memberEpoch === member.memberEpoch ? 'NONE' : staleEpoch(member)
}

function staleEpoch({ classic }: ConsumerMember): ErrorName {
  return classic ? 'ILLEGAL_GENERATION' : 'STALE_MEMBER_EPOCH'
}
