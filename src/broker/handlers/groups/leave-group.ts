/**
 * LeaveGroup: removes members at once, without waiting for their sessions to end.
 * From version 3 on several, each with an error of its own, also static ones by their instance id alone (KIP-345);
 * before, one member and one error.
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
