/**
 * ConsumerGroupDescribe: consumer groups with their members, what these have and shall have (KIP-848).
 * UNSUPPORTED_VERSION while the protocol is switched off.
 */
import { handler } from '../../context.ts'
import { checkConsumerProtocolEnabled } from './consumer-protocol.ts'
import { describeEach } from './described-groups.ts'

const PARTS = ['groups', 'clocks', 'metadata', 'settings'] as const

export const consumerGroupDescribe = handler('ConsumerGroupDescribe', PARTS, async (request, parts) => {
  checkConsumerProtocolEnabled(parts)
  const describe = parts.groups.consumer.describe.bind(parts.groups.consumer)
  return { groups: await describeEach(request, parts.clocks.loop, describe) }
})
