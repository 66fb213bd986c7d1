/**
 * ConsumerGroupHeartbeat: a member of a consumer group joins, reports its state, gets its assignment and leaves (KIP-848).
 * - Gets UNSUPPORTED_VERSION while the consumer protocol is disabled, by the feature `group.version` or by
 *   `group.coordinator.rebalance.protocols`.
 * - Since version 1 members may subscribe by regular expression, and generate their own ids (KIP-1082).
 */

import { handler } from '../../context.ts'
import { clientHost } from './client-host.ts'
import { checkConsumerProtocolEnabled } from './consumer-protocol.ts'

const PARTS = ['groups', 'metadata', 'settings'] as const

export const consumerGroupHeartbeat = handler('ConsumerGroupHeartbeat', PARTS, async (request, parts, context) => {
  const { apiVersion, clientId, connection } = context
  checkConsumerProtocolEnabled(parts)
  const sender = { clientId: clientId ?? '', clientHost: clientHost(connection) }
  const response = await parts.groups.consumer.heartbeat({ ...request, ...sender }, apiVersion)
  if (!('memberId' in response)) return { ...NOBODY, ...response }
  const { assignment, memberId } = response
  if (request.memberEpoch === JOIN_EPOCH) connection.client.member = { groupId: request.groupId, memberId }
  else if (request.memberEpoch < JOIN_EPOCH) connection.client.member = undefined
  return { ...response, errorMessage: null, assignment: assignment && { topicPartitions: listed(assignment) } }
})

/** Negative epochs leave the group, positive ones are heartbeats of members. */
const JOIN_EPOCH = 0
const NOBODY = { memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null }

function listed(assignment: ReadonlyMap<string, ReadonlyMap<number, unknown>>) {
  return [...assignment].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions.keys()] }))
}
