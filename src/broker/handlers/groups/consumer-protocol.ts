/**
 * The check that consumer groups are enabled: by the config and by the feature. From Kafka 5.0 on only the feature can disable
 * them.
 */
import { derived, rows } from '../../../config/view.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import type { Parts } from '../../context.ts'

const PROTOCOL_ROWS = rows({
  isConsumerServed: derived(['group.coordinator.rebalance.protocols'], protocols => protocols.includes('consumer'))
})

/** Throws UNSUPPORTED_VERSION unless consumer groups are enabled. */
export function checkConsumerProtocolEnabled({ metadata, settings }: Pick<Parts, 'metadata' | 'settings'>): void {
  if (settings.view(PROTOCOL_ROWS).isConsumerServed && metadata.level('group.version') >= 1) return
  throw new KafkaError('UNSUPPORTED_VERSION', 'the consumer group protocol is disabled')
}
