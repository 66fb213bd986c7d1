/**
 * LeaveGroup: removes members before their sessions expire. Since version 3 a request has several members, each with its own
 * error, also static members by their instance id alone (KIP-345). Before, it has one member.
 */
import { handler } from '../../context.ts'

const BATCHED_SINCE = 3

export const leaveGroup = handler('LeaveGroup', ['groups'], async (request, { groups }, context) => {
  const {
    apiVersion,
    connection: { client }
  } = context
  const { groupId, memberId } = request
  const isBatched = apiVersion >= BATCHED_SINCE
  const leaving = isBatched ? request.members : [{ memberId, groupInstanceId: null }]
  if (client.member?.groupId === groupId && leaving.some(({ memberId: id }) => id === client.member?.memberId)) {
    client.member = undefined
  }
  const response = await groups.classic.leaveGroup(groupId, leaving)
  return isBatched ? response : { errorCode: response.members[0]?.errorCode ?? response.errorCode }
})
