/** What a consumer group goes by: the broker's settings, and those of the group itself. */

import { type GroupSettingName, groupSettings } from '../../config/tables/group.ts'
import { readable, type Texts } from '../../config/values.ts'
import type { Assignor } from './assignors/assignor.ts'
import { rangeAssignor } from './assignors/range.ts'
import { uniformAssignor } from './assignors/uniform.ts'
import type { ConsumerGroupSettings } from './settings.ts'

export interface ConsumerGroupLimits extends ConsumerGroupConfig {
  readonly regexRefreshIntervalMs: number
  readonly maxSize: number
  /** Whether a group may change its kind while it has members: from classic to consumer, and back. */
  readonly isUpgradeEnabled: boolean
  readonly isDowngradeEnabled: boolean
  /** By name, those that members may ask for; the first is for groups that do not ask. */
  readonly assignors: ReadonlyMap<string, Assignor>
}

const ASSIGNORS = new Map([uniformAssignor, rangeAssignor].map(assignor => [assignor.name, assignor]))

/** Gives the limits of each group; `overridesOf` is what was set for it alone. They are asked for at every heartbeat. */
export function consumerGroupLimits(
  settings: ConsumerGroupSettings,
  overridesOf: (groupId: string) => Texts
): (groupId: string) => ConsumerGroupLimits {
  const { migrationPolicy, regexRefreshIntervalMs, maxSize } = settings
  const ofAll = {
    regexRefreshIntervalMs,
    maxSize,
    isUpgradeEnabled: migrationPolicy === 'bidirectional' || migrationPolicy === 'upgrade',
    isDowngradeEnabled: migrationPolicy === 'bidirectional' || migrationPolicy === 'downgrade',
    assignors: assignorsNamed(settings.assignors)
  }
  return groupId => ({ ...ofAll, ...consumerGroupConfig(overridesOf(groupId), settings) })
}

function assignorsNamed(names: readonly string[]): ReadonlyMap<string, Assignor> {
  const found = names.map(name => ASSIGNORS.get(name)).filter(assignor => assignor !== undefined)
  return new Map(found.map(assignor => [assignor.name, assignor]))
}

// Timeouts of one consumer group: the group's config, else the broker's default. A value outside the broker's current bounds counts
// as the nearest bound.

/** What one group goes by. */
interface ConsumerGroupConfig {
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
