/**
 * SyncGroup: the leader sends the assignment of the generation, and every member gets its part. Since version 5 a request has the
 * protocol type and name (KIP-559). A missing or different one gets INCONSISTENT_GROUP_PROTOCOL.
 */
import { KafkaError } from '../../../protocol/errors.ts'
import { handler } from '../../context.ts'

const PROTOCOL_MANDATORY_SINCE = 5

export const syncGroup = handler('SyncGroup', ['groups'], (request, { groups }, { apiVersion }) => {
  const { protocolType, protocolName } = request
  if (apiVersion >= PROTOCOL_MANDATORY_SINCE && (protocolType === null || protocolName === null)) {
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', 'protocol type and name are mandatory in this version')
  }
  return groups.classic.syncGroup(request)
})
