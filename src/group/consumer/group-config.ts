/**
 * The times of one consumer group: what was set for the group, else what the broker says. A value that lies outside of
 * the broker's bounds, which may have changed since it was set, counts as the nearest within them.
 */
import { type GroupSettingName, groupSettings } from '../../config/tables/group.ts'
import { readable, type Texts } from '../../config/values.ts'
import type { ConsumerGroupSettings } from './settings.ts'

/** What one group goes by. */
export interface ConsumerGroupConfig {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly assignmentIntervalMs: number
}

/** The times in force. `overrides` is what was set for the group. */
export function consumerGroupConfig(overrides: Texts, broker: ConsumerGroupSettings): ConsumerGroupConfig {
  const session = own(overrides, 'consumer.session.timeout.ms') ?? broker.sessionTimeoutMs
  const heartbeat = own(overrides, 'consumer.heartbeat.interval.ms') ?? broker.heartbeatIntervalMs
  const assignment = own(overrides, 'consumer.assignment.interval.ms') ?? broker.assignmentIntervalMs
  return {
    sessionTimeoutMs: clamp(session, broker.minSessionTimeoutMs, broker.maxSessionTimeoutMs),
    heartbeatIntervalMs: clamp(heartbeat, broker.minHeartbeatIntervalMs, broker.maxHeartbeatIntervalMs),
    assignmentIntervalMs: clamp(assignment, broker.minAssignmentIntervalMs, broker.maxAssignmentIntervalMs)
  }
}

type Time = Extract<GroupSettingName, `consumer.${string}`>

/** Undefined also for what another version or another hand has set, and cannot be read. */
function own(overrides: Texts, name: Time): number | undefined {
  return readable(name, groupSettings[name], overrides)?.value
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}
