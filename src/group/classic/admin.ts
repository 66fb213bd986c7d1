/** A classic group as administrators see it: its listing, its description, and the errors and records of its deletion. */
import type { AdminView, DescribedMember, GroupDescription } from '../admin-view.ts'
import { type ClassicGroup, isSubscribedTo, type Member, metadataOf, usesConsumerProtocol } from './group.ts'

export function adminView(group: ClassicGroup): AdminView {
  const isEmpty = group.state === 'Empty'
  return {
    groupId: group.groupId,
    type: 'classic',
    state: group.state,
    protocolType: group.protocolType ?? '',
    deletion: isEmpty ? 'NONE' : 'NON_EMPTY_GROUP',
    offsetDeletion: isEmpty || usesConsumerProtocol(group) ? 'NONE' : 'NON_EMPTY_GROUP',
    isSubscribedTo: topic => isSubscribedTo(group, topic),
    tombstones: () => [{ type: 'GroupMetadata', key: { group: group.groupId }, value: null }]
  }
}

/** As in Kafka, protocol and member metadata are described only while the group is Stable. */
export function describe(group: ClassicGroup): GroupDescription {
  const { state, protocolType, protocolName, members } = group
  const isStable = state === 'Stable'
  return {
    groupState: state,
    protocolType: protocolType ?? '',
    protocolData: isStable ? (protocolName ?? '') : '',
    members: Array.from(members.values(), member =>
      describeMember(member, isStable ? metadataOf(member, protocolName) : NO_METADATA)
    )
  }
}

const NO_METADATA = Buffer.alloc(0)

function describeMember(member: Member, memberMetadata: Buffer): DescribedMember {
  const { memberId, groupInstanceId, clientId, clientHost, assignment } = member
  return { memberId, groupInstanceId, clientId, clientHost, memberMetadata, memberAssignment: assignment }
}
