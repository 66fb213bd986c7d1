/**
 * LeaveGroup: removes members at once, without waiting for their sessions to end.
 * From version 3 on several, each with an error of its own, also static ones by their instance id alone (KIP-345);
 * before, one member and one error.
 */
import type { Handler } from '../../context.ts'

const BATCHED_SINCE = 3

export const leaveGroup: Handler<'LeaveGroup'> = async (request, { parts, apiVersion }) => {
  const { groupId, memberId } = request
  if (apiVersion >= BATCHED_SINCE) return parts.groups.classic.leaveGroup(groupId, request.members)
  const { errorCode, members } = await parts.groups.classic.leaveGroup(groupId, [{ memberId, groupInstanceId: null }])
  const [only] = members
  return { errorCode: only?.errorCode ?? errorCode }
}
