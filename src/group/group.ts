/**
 * The interface of a group of any kind. Only the files of a kind, and the requests of its members, depend on the kind. Classic and
 * consumer groups are served.
 */
import type { ErrorName } from '../protocol/errors.ts'
import type { Now } from '../runtime/time.ts'
import type { GroupEffects } from './effects.ts'
import type { GroupRecord } from './records.ts'

/** The group types of ListGroups. */
export type GroupType = 'classic' | 'consumer'

/** A group in ListGroups. */
export interface GroupListing {
  readonly groupId: string
  readonly type: GroupType
  readonly state: string
  /** Empty if the group has none. */
  readonly protocolType: string
}

/** The member of a request, and its generation or member epoch. */
export interface Claim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

/** The partitions of a commit. */
export type CommittedPartitions = readonly {
  readonly topicId: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}[]

/** A commit of offsets by a client. */
export interface Commit extends Claim {
  readonly apiVersion: number
  /** Called only if the result depends on the partitions. */
  partitions(): CommittedPartitions
}

/** The clocks and the effects of a request that changes nothing but timers. */
export interface Touch {
  readonly now: Now
  readonly effects: GroupEffects
}

export interface Group {
  readonly groupId: string
  readonly listing: GroupListing
  /** The error of DeleteGroups, or NONE. */
  readonly deletionError: ErrorName
  /** The error of OffsetDelete for the whole group, or NONE. */
  readonly offsetDeletionError: ErrorName
  isSubscribedTo(topic: string): boolean
  /** The records that delete the group after its offsets. */
  tombstones(): GroupRecord[]
  /** The error of an OffsetCommit, or NONE. */
  commitError(commit: Commit, touch: Touch): ErrorName
  /** The error of a TxnOffsetCommit, or NONE. */
  transactionalCommitError(commit: Commit): ErrorName
  /** The error of an OffsetFetch, or NONE. `memberId` is null and `memberEpoch` -1 without a member. */
  fetchError(memberId: string | null, memberEpoch: number): ErrorName
  /** The start of the retention period of a committed offset; null while the group keeps the offset. */
  retainedSince(commitTimestamp: number): number | null
}
