/**
 * SyncGroup: the leader brings the assignment of the generation, every member is answered with its own.
 * From version 5 on a member must say which protocol it believes to be in use (KIP-559); without, or with another one,
 * it is INCONSISTENT_GROUP_PROTOCOL.
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
