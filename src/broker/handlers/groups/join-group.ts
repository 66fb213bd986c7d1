/**
 * JoinGroup: joins or rejoins a group. The response is sent when the next generation begins.
 * - Since version 4 a new dynamic member first gets its member id, with MEMBER_ID_REQUIRED (KIP-394).
 * - Since version 5 a member may be static: a restarted client continues its membership without a rebalance (KIP-345). Version 9
 *   tells a restarted leader to skip the assignment (KIP-814).
 * - Only the leader gets the list of members. Version 0 has no rebalance timeout; the session timeout is used for both.
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
