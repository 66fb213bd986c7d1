/** The settings that consumer groups read: the group's own, and the broker's for all groups. */

import { derived, rows, type ViewOf } from '../../config/view.ts'
import type { Assignor } from './assignors/assignor.ts'
import { rangeAssignor } from './assignors/range.ts'
import { uniformAssignor } from './assignors/uniform.ts'

/** Assignors by the names that `group.consumer.assignors` allows: the short ones and Kafka's classes. */
const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniformAssignor],
  ['range', rangeAssignor],
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', uniformAssignor],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', rangeAssignor]
])

export const CONSUMER_GROUP_ROWS = rows({
  sessionTimeoutMs: 'consumer.session.timeout.ms',
  heartbeatIntervalMs: 'consumer.heartbeat.interval.ms',
  assignmentIntervalMs: 'consumer.assignment.interval.ms',
  regexRefreshIntervalMs: 'group.consumer.regex.refresh.interval.ms',
  maxSize: 'group.consumer.max.size',
  /** Whether a classic group with members may become a consumer group. */
  isUpgradeEnabled: derived(['group.consumer.migration.policy'], policy =>
    ['bidirectional', 'upgrade'].includes(policy)
  ),
  /** Whether a consumer group with members may become a classic group. */
  isDowngradeEnabled: derived(['group.consumer.migration.policy'], policy =>
    ['bidirectional', 'downgrade'].includes(policy)
  ),
  /** By name, those that members may name; the first serves members that name none. */
  assignors: derived(['group.consumer.assignors'], assignorsNamed)
})

/** A live view of them for one group. */
export type ConsumerGroupLimits = ViewOf<typeof CONSUMER_GROUP_ROWS>

function assignorsNamed(names: readonly string[]): ReadonlyMap<string, Assignor> {
  const assignors = names.flatMap(name => ASSIGNORS.get(name) ?? [])
  return new Map(assignors.map(assignor => [assignor.name, assignor]))
}
