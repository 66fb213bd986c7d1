/** Conversion between a classic group and its GroupMetadata record. */
import { ownCopy } from '../../protocol/wire/bytes.ts'
import type { GroupMetadataValue } from '../records.ts'
import { ClassicGroup, type Member, metadataOf, putMember, subscribedTopics } from './group.ts'

/** Restores a group from its record. The sessions of its members start when the coordinator has loaded the partition. */
export function restoreGroup(groupId: string, value: GroupMetadataValue): ClassicGroup {
  const members = value.members.map(member => restoreMember(member, value.protocol))
  const group = new ClassicGroup(groupId, {
    state: members.length === 0 ? 'Empty' : 'Stable',
    stateTimestamp: value.currentStateTimestamp === -1n ? null : Number(value.currentStateTimestamp),
    generationId: value.generation,
    protocolType: value.protocolType || null,
    protocolName: value.protocol,
    leader: value.leader
  })
  for (const member of members) putMember(group, member)
  group.subscribedTopics = subscribedTopics(group)
  return group
}

function restoreMember(member: GroupMetadataValue['members'][number], protocol: string | null): Member {
  const { memberId, groupInstanceId, clientId, clientHost, sessionTimeout, rebalanceTimeout } = member
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs: rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout,
    sessionTimeoutMs: sessionTimeout,
    // Copies: the record is a view of the bytes read from the log.
    protocols: [{ name: protocol ?? '', metadata: ownCopy(member.subscription) }],
    assignment: ownCopy(member.assignment),
    isNew: false,
    awaitingJoin: null,
    awaitingSync: null
  }
}

/** The GroupMetadata record of a group. */
export function groupMetadataOf(group: ClassicGroup): GroupMetadataValue {
  return {
    protocolType: group.protocolType ?? '',
    generation: group.generationId,
    protocol: group.protocolName,
    leader: group.leader,
    currentStateTimestamp: BigInt(group.stateTimestamp ?? -1),
    members: [...group.members.values()].map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataOf(member, group.protocolName),
      assignment: member.assignment
    }))
  }
}
