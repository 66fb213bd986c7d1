/** Kafka's defaults of what consumer groups go by. */
import type { ConsumerGroupSettings } from '../../../src/group/consumer/settings.ts'

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
