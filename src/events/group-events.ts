/** Events of groups and their committed offsets, and their log lines. */
import type { ErrorName } from '../protocol/errors.ts'
import { info, infoOfMany, type Lines, reasonOf, warn } from './line.ts'

/** The reason of a rebalance of a classic group. `clientReason` is the reason that the client sent (KIP-800). */
export type RebalanceReason =
  | {
      readonly cause: 'MemberJoined' | 'MemberRejoined'
      readonly memberId: string
      readonly clientReason: string | null
    }
  | {
      readonly cause: 'StaticMemberReplaced'
      readonly groupInstanceId: string
      readonly memberId: string
      readonly clientReason: string | null
    }
  | { readonly cause: 'MembersLeft'; readonly members: readonly LeavingMember[] }
  | {
      readonly cause: 'SessionTimeout' | 'JoinGroupTimeout' | 'SyncGroupTimeout'
      readonly memberIds: readonly string[]
    }
  | { readonly cause: 'AssignmentNotWritten'; readonly errorCode: ErrorName }
  | { readonly cause: 'GroupMaxSizeExceeded'; readonly members: number }
  | { readonly cause: 'GroupConverted' }

/** `memberId` is empty if an administrator removes a static member by its instance id. */
interface LeavingMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientReason: string | null
}

/** The reason of a new epoch of a consumer group. */
export type GroupEpochReason =
  | 'SubscriptionsChanged'
  | 'TopicsChanged'
  | 'RegularExpressionsResolved'
  | 'MembersRemoved'
  | 'GroupConverted'

/** The deadline that a fenced member of a consumer group missed. */
export type MemberTimeout = 'session' | 'rebalance' | 'join' | 'sync'

type GroupType = 'classic' | 'consumer'

export type GroupEvent =
  /** A classic group. `from` equals `to` if the reason has not changed the state. */
  | {
      readonly type: 'GroupStateChanged'
      readonly groupId: string
      readonly from: string
      readonly to: string
      readonly generationId: number
      readonly members: number
      readonly reason?: RebalanceReason | undefined
    }
  | {
      readonly type: 'MemberJoined'
      readonly groupId: string
      readonly memberId: string
      readonly groupInstanceId: string | null
      readonly protocol: GroupType
      readonly clientId: string
      readonly clientHost: string
    }
  /** A new member id for a group.instance.id. The previous member is fenced. */
  | {
      readonly type: 'StaticMemberReplaced'
      readonly groupId: string
      readonly groupInstanceId: string
      readonly previousMemberId: string
      readonly memberId: string
    }
  /** `isTemporary`: a static member keeps its assignment. */
  | {
      readonly type: 'MemberLeft'
      readonly groupId: string
      readonly memberId: string
      readonly groupInstanceId: string | null
      readonly clientId: string
      readonly isTemporary: boolean
    }
  | {
      readonly type: 'MemberFenced'
      readonly groupId: string
      readonly memberId: string
      readonly groupInstanceId: string | null
      readonly clientId: string
      readonly timeout: MemberTimeout
    }
  /** A request of a member was refused because the member is fenced, must not join, or has no room. */
  | {
      readonly type: 'MemberRefused'
      readonly groupId: string
      readonly memberId: string
      readonly groupInstanceId: string | null
      readonly clientId?: string | undefined
      readonly errorCode: ErrorName
      /** The message of the response; null if the response has none. */
      readonly errorMessage: string | null
    }
  | {
      readonly type: 'GroupEpochBumped'
      readonly groupId: string
      readonly groupEpoch: number
      readonly reason: GroupEpochReason
    }
  /** An upgrade or a downgrade (KIP-848). `groupEpoch` is the group epoch and the generation, which continue each other. */
  | {
      readonly type: 'GroupConverted'
      readonly groupId: string
      readonly from: GroupType
      readonly to: GroupType
      readonly groupEpoch: number
      readonly members: number
    }
  /** A consumer group of classic members stays one because it has more than `group.max.size` members. */
  | {
      readonly type: 'GroupDowngradeRefused'
      readonly groupId: string
      readonly members: number
      readonly maxSize: number
    }
  | {
      readonly type: 'RegularExpressionSkipped'
      readonly groupId: string
      readonly regularExpression: string
      readonly error: unknown
    }
  | { readonly type: 'OffsetsExpired'; readonly groupId: string; readonly count: number }
  /** Offsets of a deleted topic. */
  | { readonly type: 'OffsetsDeleted'; readonly groupId: string; readonly count: number }
  /** Tombstones of expired offsets, or of offsets of a deleted topic, could not be written. */
  | { readonly type: 'OffsetsRemovalFailed'; readonly groupId: string; readonly error: unknown }

export const GROUP_LINES: Lines<GroupEvent> = {
  GroupStateChanged: info(({ groupId, from, to, generationId, members, reason }) => {
    const change = from === to ? `stays ${to}` : `${from} -> ${to}`
    const because = reason ? `: ${rebalanceText(reason)}` : ''
    return `group ${groupId} ${change}, generation ${generationId}, ${members} members${because}`
  }),
  MemberJoined: info(
    ({ groupId, memberId, groupInstanceId, protocol, clientId, clientHost }) =>
      `group ${groupId}: member ${named(memberId, groupInstanceId)} joined by the ${protocol} protocol, client ${clientId} at ${clientHost}`
  ),
  StaticMemberReplaced: info(
    ({ groupId, groupInstanceId, previousMemberId, memberId }) =>
      `group ${groupId}: static member ${groupInstanceId} replaced, member ${previousMemberId} -> ${memberId}`
  ),
  MemberLeft: info(({ groupId, memberId, groupInstanceId, clientId, isTemporary }) => {
    const suffix = isTemporary ? ' temporarily' : ''
    return `group ${groupId}: member ${named(memberId, groupInstanceId)} of client ${clientId} left${suffix}`
  }),
  MemberFenced: info(
    ({ groupId, memberId, groupInstanceId, clientId, timeout }) =>
      `group ${groupId}: member ${named(memberId, groupInstanceId)} of client ${clientId} fenced: ${timeout} timeout`
  ),
  MemberRefused: info(({ groupId, memberId, groupInstanceId, errorCode, errorMessage }) => {
    const message = errorMessage === null ? '' : `: ${errorMessage}`
    return `group ${groupId}: member ${named(memberId, groupInstanceId)} refused with ${errorCode}${message}`
  }),
  GroupEpochBumped: info(
    ({ groupId, groupEpoch, reason }) => `group ${groupId}: group epoch ${groupEpoch}, ${EPOCH_TEXTS[reason]}`
  ),
  GroupConverted: info(
    ({ groupId, from, to, groupEpoch, members }) =>
      `group ${groupId} converted from a ${from} to a ${to} group at epoch ${groupEpoch}, ${members} members`
  ),
  GroupDowngradeRefused: info(
    ({ groupId, members, maxSize }) =>
      `group ${groupId} stays a consumer group: ${members} members are more than group.max.size (${maxSize})`
  ),
  RegularExpressionSkipped: warn(
    ({ groupId, regularExpression, error }) =>
      `group ${groupId}: regular expression ${regularExpression} skipped: ${reasonOf(error)}`
  ),
  OffsetsExpired: infoOfMany('expired offsets', ({ groupId, count }) => `group ${groupId}: ${count} offsets expired`),
  OffsetsDeleted: infoOfMany(
    'deleted offsets',
    ({ groupId, count }) => `group ${groupId}: ${count} offsets of deleted topics removed`
  ),
  OffsetsRemovalFailed: warn(({ groupId, error }) => `group ${groupId}: offsets not removed: ${reasonOf(error)}`)
}

const EPOCH_TEXTS: Record<GroupEpochReason, string> = {
  SubscriptionsChanged: 'subscriptions changed',
  TopicsChanged: 'subscribed topics changed',
  RegularExpressionsResolved: 'regular expressions match other topics',
  MembersRemoved: 'members removed',
  GroupConverted: 'the generation of the classic group'
}

function rebalanceText(reason: RebalanceReason): string {
  switch (reason.cause) {
    case 'MemberJoined':
      return withClientReason(`member ${reason.memberId} joined`, reason.clientReason)
    case 'MemberRejoined':
      return withClientReason(`member ${reason.memberId} joined again`, reason.clientReason)
    case 'StaticMemberReplaced':
      return withClientReason(
        `static member ${reason.groupInstanceId} restarted as ${reason.memberId}`,
        reason.clientReason
      )
    case 'MembersLeft':
      return reason.members
        .map(({ memberId, groupInstanceId, clientReason }) =>
          withClientReason(`member ${memberId || groupInstanceId} left`, clientReason)
        )
        .join(', ')
    case 'SessionTimeout':
      return `session timeout of ${reason.memberIds.join(', ')}`
    case 'JoinGroupTimeout':
      return `no JoinGroup in time from ${reason.memberIds.join(', ')}`
    case 'SyncGroupTimeout':
      return `no SyncGroup in time from ${reason.memberIds.join(', ')}`
    case 'AssignmentNotWritten':
      return `assignment not written: ${reason.errorCode}`
    case 'GroupMaxSizeExceeded':
      return `${reason.members} members are more than group.max.size`
    case 'GroupConverted':
      return 'converted from a consumer group'
  }
}

function withClientReason(text: string, clientReason: string | null): string {
  return clientReason ? `${text} (${clientReason})` : text
}

function named(memberId: string, groupInstanceId: string | null): string {
  return groupInstanceId === null ? memberId : `${memberId} (static ${groupInstanceId})`
}
