/** The state of a consumer group member: its metadata and its current assignment. Each is a record of its own in the log. */
import { isDeepStrictEqual } from 'node:util'
import { ownCopy } from '../../protocol/wire/bytes.ts'
import {
  type EpochAssignment,
  hasSameNames,
  LEAVE_GROUP_MEMBER_EPOCH,
  MEMBER_STATES,
  type MemberState,
  type ModernMember,
  sortedOnce
} from '../modern/member.ts'
import type { ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataValue } from './records.ts'

export interface ClassicMemberMetadata {
  readonly sessionTimeoutMs: number
  /** In the member's order of preference, never empty. */
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
}

export interface ConsumerMember extends ModernMember {
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  readonly clientId: string
  readonly clientHost: string
  /** Null if the member has no preference. */
  readonly serverAssignor: string | null
  /** Set for a member of the classic protocol, else null. */
  readonly classic: ClassicMemberMetadata | null
}

/** The state of a member before its first request or record. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    state: 'Stable',
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    serverAssignor: null,
    assigned: new Map(),
    pendingRevocation: new Map(),
    classic: null
  }
}

/** True if the metadata of both is equal. */
export function hasSameMetadata(before: ConsumerMember, after: ConsumerMember): boolean {
  const withoutNames = (member: ConsumerMember) => memberMetadataOf({ ...member, subscribedTopicNames: [] })
  return hasSameNames(before, after) && isDeepStrictEqual(withoutNames(before), withoutNames(after))
}

/** The ConsumerGroupMemberMetadata record of a member. */
export function memberMetadataOf(member: ConsumerMember): ConsumerGroupMemberMetadataValue {
  const { instanceId, rackId, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex } = member
  const { rebalanceTimeoutMs, serverAssignor, classic } = member
  const subscription = { subscribedTopicNames: [...subscribedTopicNames], subscribedTopicRegex }
  const classicMemberMetadata = classic && { ...classic, supportedProtocols: [...classic.supportedProtocols] }
  return {
    instanceId,
    rackId,
    clientId,
    clientHost,
    ...subscription,
    rebalanceTimeoutMs,
    serverAssignor,
    classicMemberMetadata
  }
}

/** The member after a record of its metadata. */
export function withMetadata(member: ConsumerMember, value: ConsumerGroupMemberMetadataValue): ConsumerMember {
  const { classicMemberMetadata: classic, subscribedTopicNames, ...rest } = value
  return {
    ...member,
    ...rest,
    subscribedTopicNames: sortedOnce(subscribedTopicNames),
    // Copies: the record may be a view of the bytes read from the log.
    classic: classic && {
      sessionTimeoutMs: classic.sessionTimeoutMs,
      supportedProtocols: classic.supportedProtocols.map(({ name, metadata }) => ({
        name,
        metadata: ownCopy(metadata)
      }))
    }
  }
}

/** The ConsumerGroupCurrentMemberAssignment record of a member. */
export function currentAssignmentOf(member: ConsumerMember): ConsumerGroupCurrentMemberAssignmentValue {
  return {
    memberEpoch: member.memberEpoch,
    previousMemberEpoch: member.previousMemberEpoch,
    state: MEMBER_STATES[member.state],
    assignedPartitions: listed(member.assigned),
    partitionsPendingRevocation: listed(member.pendingRevocation)
  }
}

/** The member after a record of its current assignment. */
export function withCurrentAssignment(
  member: ConsumerMember,
  value: ConsumerGroupCurrentMemberAssignmentValue
): ConsumerMember {
  const { memberEpoch, previousMemberEpoch } = value
  return {
    ...member,
    memberEpoch,
    previousMemberEpoch,
    state: stateOf(value.state),
    assigned: unlisted(value.assignedPartitions, memberEpoch),
    pendingRevocation: unlisted(value.partitionsPendingRevocation, memberEpoch)
  }
}

/** The member after the tombstone of its assignment and before that of its metadata. */
export function withoutAssignment(member: ConsumerMember): ConsumerMember {
  const epochs = { memberEpoch: LEAVE_GROUP_MEMBER_EPOCH, previousMemberEpoch: LEAVE_GROUP_MEMBER_EPOCH }
  return { ...member, ...epochs, assigned: new Map(), pendingRevocation: new Map() }
}

type OwnedPartitions = ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions']

function listed(assignment: EpochAssignment): OwnedPartitions {
  return [...assignment].map(([topicId, epochs]) => {
    return { topicId, partitions: [...epochs.keys()], assignmentEpochs: [...epochs.values()] }
  })
}

/** Brokers before 4.3 wrote no assignment epochs; the member epoch is used then. */
function unlisted(owned: OwnedPartitions, memberEpoch: number): EpochAssignment {
  const sinceThen = Math.max(memberEpoch, 0)
  return new Map(
    owned.map(({ topicId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : undefined
      return [topicId, new Map(partitions.map((partition, index) => [partition, epochs?.[index] ?? sinceThen]))]
    })
  )
}

function stateOf(number: number): MemberState {
  switch (number) {
    case MEMBER_STATES.Stable:
      return 'Stable'
    case MEMBER_STATES.UnrevokedPartitions:
      return 'UnrevokedPartitions'
    case MEMBER_STATES.UnreleasedPartitions:
      return 'UnreleasedPartitions'
    default:
      return 'Unknown'
  }
}
