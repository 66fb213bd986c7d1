/** Whether consumer groups are served: the setting can disable them, and from Kafka 5.0 on the feature alone can. */
import { derived, rows } from '../../../config/view.ts'
import type { Parts } from '../../context.ts'

const PROTOCOL_ROWS = rows({
  isConsumerServed: derived(['group.coordinator.rebalance.protocols'], protocols => protocols.includes('consumer'))
})

export function isConsumerProtocolEnabled({ metadata, settings }: Pick<Parts, 'metadata' | 'settings'>): boolean {
  return settings.view(PROTOCOL_ROWS).isConsumerServed && metadata.level('group.version') >= 1
}
