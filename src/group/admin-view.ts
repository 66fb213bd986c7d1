/** Groups as administrators see them: the fields that all group types share, and the members of a classic group. */
import type { ErrorName } from '../protocol/errors.ts'
import type { GroupRecord } from './records.ts'

/** A group of any type. */
export interface AdminView {
  readonly groupId: string
  readonly type: 'classic' | 'consumer'
  readonly state: string
  readonly protocolType: string
  /** The error of DeleteGroups, or NONE. */
  readonly deletion: ErrorName
  /** The error of OffsetDelete for the whole group, or NONE. */
  readonly offsetDeletion: ErrorName
  isSubscribedTo(topic: string): boolean
  /** The records that delete the group after its offsets. */
  tombstones(): GroupRecord[]
}

/** A member of a classic group. */
export interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly memberMetadata: Buffer
  readonly memberAssignment: Buffer
}

/** A classic group, without its group id. */
export interface GroupDescription {
  readonly groupState: string
  readonly protocolType: string
  readonly protocolData: string
  readonly members: readonly DescribedMember[]
}
