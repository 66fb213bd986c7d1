/**
 * One operation of a classic group. It changes a copy of the group and collects the effects. GroupOperations appends the record,
 * and only then replaces the group by the copy. If the append fails, the operation is dropped and nothing has changed.
 */
import { rows, type ViewOf } from '../../config/view.ts'
import type { RebalanceReason } from '../../events/group-events.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { Now } from '../../runtime/time.ts'
import { GroupEffects, type JoinGroupResult, type SyncGroupResult } from '../effects.ts'
import type { GroupRecord } from '../records.ts'
import { type ClassicGroup, type ClassicGroupState, type Member, renewSession } from './group.ts'
import { groupMetadataOf } from './record.ts'

/** The broker configs that classic groups read. */
export const CLASSIC_GROUP_ROWS = rows({
  initialRebalanceDelayMs: 'group.initial.rebalance.delay.ms',
  maxSize: 'group.max.size'
})

/** A live view of these configs. */
export type GroupLimits = ViewOf<typeof CLASSIC_GROUP_ROWS>

export class ClassicOperation {
  /** The operation's own copy. */
  readonly group: ClassicGroup
  readonly now: Now
  readonly limits: GroupLimits
  readonly #effects = new GroupEffects()
  readonly #from: ClassicGroupState
  #record: GroupRecord | undefined
  #reason: RebalanceReason | undefined

  constructor(group: ClassicGroup, now: Now, limits: GroupLimits) {
    this.group = group.copy()
    this.now = now
    this.limits = limits
    this.#from = group.state
  }

  get effects(): GroupEffects {
    return this.#effects
  }

  /** Records the current state of the group. The record is appended before responses are sent. */
  recordGroup(): void {
    const value = groupMetadataOf(this.group)
    this.#record = { type: 'GroupMetadata', key: { group: this.group.groupId }, value }
  }

  /** Sets the reason of a rebalance. The last reason of an operation is the reported one. */
  because(reason: RebalanceReason): void {
    this.#reason = reason
  }

  /** The records, the new state of the group and the effects. */
  result(): { group: ClassicGroup; records: GroupRecord[]; effects: GroupEffects } {
    const { groupId, state, generationId, members } = this.group
    if (state !== this.#from || this.#reason) {
      const change = { from: this.#from, to: state, generationId, members: members.size, reason: this.#reason }
      this.#effects.emit({ type: 'GroupStateChanged', groupId, ...change })
    }
    return { group: this.group, records: this.#record ? [this.#record] : [], effects: this.#effects }
  }
}

export const NO_ASSIGNMENT = Buffer.alloc(0)

/** The result of a failed JoinGroup. */
export function failedJoin(errorCode: ErrorName, memberId: string): JoinGroupResult {
  const nothing = { generationId: -1, protocolType: null, protocolName: null, leader: '', members: [] }
  return { errorCode, memberId, skipAssignment: false, ...nothing }
}

/** The result of a failed SyncGroup. */
export function failedSync(errorCode: ErrorName): SyncGroupResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}

/** Completes the member's delayed JoinGroup, if it has one. */
export function completeJoin({ effects }: ClassicOperation, member: Member, response: JoinGroupResult): void {
  if (member.awaitingJoin === null) return
  effects.respondToJoin(member.awaitingJoin, response)
  member.awaitingJoin = null
}

/**
 * Completes the member's delayed SyncGroup, if it has one. Renews its session, because it could not send heartbeats meanwhile.
 */
export function completeSync(operation: ClassicOperation, member: Member, response: SyncGroupResult): void {
  if (member.awaitingSync === null) return
  operation.effects.respondToSync(member.awaitingSync, response)
  member.awaitingSync = null
  renewSession(operation, member)
}
