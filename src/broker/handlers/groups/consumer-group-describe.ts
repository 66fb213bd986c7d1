/**
 * ConsumerGroupDescribe: consumer groups with their members, what these have and shall have (KIP-848).
 * UNSUPPORTED_VERSION while the protocol is switched off.
 */
import type { Handler } from '../../context.ts'
import { isConsumerProtocolEnabled } from './consumer-protocol.ts'
import { describeEach } from './described-groups.ts'

export const consumerGroupDescribe: Handler<'ConsumerGroupDescribe'> = async (request, { parts }) => {
  if (!isConsumerProtocolEnabled(parts)) {
    const errorCode = 'UNSUPPORTED_VERSION'
    return { groups: request.groupIds.map(groupId => ({ groupId, errorCode, errorMessage: null })) }
  }
  const describe = parts.groups.consumer.describe.bind(parts.groups.consumer)
  return { groups: await describeEach(request, parts.clocks.loop, describe) }
}
