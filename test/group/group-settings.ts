/** Kafka's defaults of the group settings, except: no initial rebalance delay, at most 100 members in a classic group. */
import type { ConsumerGroupSettings } from '../../src/group/consumer/settings.ts'
import type { GroupSettings } from '../../src/group/coordinator.ts'

/** Timeouts of the members in our tests. */
export const SESSION_MS = 10_000
export const REBALANCE_MS = 60_000

export const CONSUMER_SETTINGS: ConsumerGroupSettings = {
  sessionTimeoutMs: 45_000,
  minSessionTimeoutMs: 45_000,
  maxSessionTimeoutMs: 60_000,
  heartbeatIntervalMs: 5_000,
  minHeartbeatIntervalMs: 5_000,
  maxHeartbeatIntervalMs: 15_000,
  assignmentIntervalMs: 1_000,
  minAssignmentIntervalMs: 0,
  maxAssignmentIntervalMs: 15_000,
  maxSize: 2_147_483_647,
  assignors: ['uniform', 'range'],
  migrationPolicy: 'bidirectional',
  regexRefreshIntervalMs: 600_000
}

export const GROUP_SETTINGS: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 0,
  maxSize: 100,
  offsetMetadataMaxBytes: 4096,
  offsetsRetentionMs: 7 * 86_400_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  consumer: CONSUMER_SETTINGS
}
