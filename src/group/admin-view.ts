/** What administrators see of a group: whatever its kind, as far as they can be asked of all; members of a classic one. */
import type { ErrorName } from '../protocol/errors.ts'
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

/** A member of a classic group. */
export interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly memberMetadata: Buffer
  readonly memberAssignment: Buffer
}

/** A classic group, without its name. */
export interface GroupDescription {
  readonly groupState: string
  readonly protocolType: string
  readonly protocolData: string
  readonly members: readonly DescribedMember[]
}
