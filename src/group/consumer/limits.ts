/** What a consumer group goes by: the broker's settings, and those of the group itself. */
import type { Texts } from '../../config/values.ts'
import type { Assignor } from './assignors/assignor.ts'
import { rangeAssignor } from './assignors/range.ts'
import { uniformAssignor } from './assignors/uniform.ts'
import { type ConsumerGroupConfig, consumerGroupConfig } from './group-config.ts'
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
