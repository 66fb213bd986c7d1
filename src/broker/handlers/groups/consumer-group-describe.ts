/**
 * ConsumerGroupDescribe: consumer groups with their members, current and target assignments (KIP-848). Gets UNSUPPORTED_VERSION
 * while the consumer protocol is disabled.
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
