/**
 * JoinGroup: becomes or stays a member of a classic group; answered when the next generation begins.
 * - From version 4 on a newcomer is first given an id, with MEMBER_ID_REQUIRED (KIP-394).
 * - From version 5 on a member may be static: a restarted process takes its place again without a rebalance (KIP-345);
 *   version 9 tells it to leave the assignment as it is (KIP-814).
 * - The leader alone hears of all members. Version 0 has no rebalance timeout: the session timeout serves for both.
 */

import { handler } from '../../context.ts'
import { clientHost } from './client-host.ts'

const NULL_PROTOCOL_NAME_SINCE = 7

export const joinGroup = handler('JoinGroup', ['groups'], async (request, { groups }, context) => {
  const { apiVersion, clientId, connection } = context
  const { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs } = request
  connection.client.member = { groupId, memberId }
  const response = await groups.classic.joinGroup({
    ...request,
    rebalanceTimeoutMs: apiVersion === 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    apiVersion,
    clientId: clientId ?? '',
    clientHost: clientHost(connection)
  })
  const { protocolName } = response
  connection.client.member = response.errorCode === 'NONE' ? { groupId, memberId: response.memberId } : undefined
  return { ...response, protocolName: apiVersion < NULL_PROTOCOL_NAME_SINCE ? (protocolName ?? '') : protocolName }
})
