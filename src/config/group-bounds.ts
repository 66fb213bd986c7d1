/**
 * The bounds of group settings: each value lies between the `min` and `max` settings of the broker, and a session timeout is
 * longer than the heartbeat interval. They apply to the broker's settings and to the configs of single groups.
 */
import { InvalidConfig, type Setting, type ValueOf } from './define.ts'
import type { BrokerSettingName } from './tables/broker.ts'
import { behindGroupSetting, type GroupSettingName, groupSettings, isGroupSetting } from './tables/group.ts'
import { type BrokerSettings, readable, type Texts } from './values.ts'

/** The values of all settings of a group. */
export type GroupValues = { readonly [N in GroupSettingName]: ValueOf<(typeof groupSettings)[N]> }

const KINDS = ['consumer', 'share', 'streams'] as const

/** Kafka's message about a conflict between the broker's settings of groups; undefined without one. */
export function groupConflict(broker: BrokerSettings): string | undefined {
  if (!broker.get('group.coordinator.rebalance.protocols').includes('classic')) {
    return "group.coordinator.rebalance.protocols must contain 'classic'"
  }
  for (const name of Object.keys(groupSettings).filter(isGroupSetting)) {
    const { byDefault, min, max } = behindGroupSetting(name)
    if (!byDefault) continue
    if (min && max && numberOf(max, broker) < numberOf(min, broker)) {
      return `${max} must be greater than or equal to ${min}`
    }
    const problem = outOfBounds(byDefault, numberOf(byDefault, broker), { min, max }, broker)
    if (problem !== undefined) return problem
  }
  for (const kind of KINDS) {
    const [heartbeat, session] = [`group.${kind}.heartbeat.interval.ms`, `group.${kind}.session.timeout.ms`] as const
    if (numberOf(heartbeat, broker) >= numberOf(session, broker)) return `${heartbeat} must be less than ${session}`
  }
  return undefined
}

/** Validates the proposed configs of a group. Throws InvalidConfig with Kafka's message. */
export function validateGroupOverrides(overrides: Texts, broker: BrokerSettings): void {
  for (const name of overrides.keys()) {
    if (!isGroupSetting(name)) throw new InvalidConfig(`Unknown group config name: ${name}`)
  }
  for (const [name, text] of overrides) if (isGroupSetting(name)) groupSettings[name].read(name, text)
  const value = (name: GroupSettingName) => Number(groupSettingText(name, overrides, broker))
  for (const name of Object.keys(groupSettings).filter(isGroupSetting)) {
    if (!overrides.has(name)) continue
    const problem = outOfBounds(name, value(name), behindGroupSetting(name), broker)
    if (problem !== undefined) throw new InvalidConfig(problem)
  }
  for (const kind of KINDS) {
    const [session, heartbeat] = [`${kind}.session.timeout.ms`, `${kind}.heartbeat.interval.ms`] as const
    if (value(session) <= value(heartbeat)) throw new InvalidConfig(`${session} must be greater than ${heartbeat}`)
  }
}

/** The text of a group setting: its config, by default the broker's setting. The bounds are not applied. */
export function groupSettingText(name: GroupSettingName, overrides: Texts, broker: BrokerSettings): string | null {
  const row: Setting<unknown> = groupSettings[name]
  const own = readable(name, row, overrides)
  if (own) return own.text
  const { byDefault } = behindGroupSetting(name)
  return byDefault ? broker.text(byDefault) : row.byDefault.text
}

/** The effective value of a group setting: its config, by default the broker's setting, limited to the broker's bounds. */
export function groupSettingValue<N extends GroupSettingName>(
  name: N,
  overrides: Texts | undefined,
  broker: BrokerSettings
): GroupValues[N] {
  const row: Setting<unknown> = groupSettings[name]
  const { byDefault, min, max } = behindGroupSetting(name)
  const own = overrides && readable(name, row, overrides)
  const value = own?.value ?? (byDefault ? broker.get(byDefault) : row.byDefault.value)
  const [least, most] = [min && numberOf(min, broker), max && numberOf(max, broker)]
  const bounded = typeof value === 'number' ? Math.min(most ?? value, Math.max(least ?? value, value)) : value
  // The rows of the group setting and of its broker setting have the same type.
  return bounded as GroupValues[N]
}

type Bounds = { readonly [B in 'min' | 'max']?: BrokerSettingName | undefined }

function outOfBounds(name: string, value: number, { min, max }: Bounds, broker: BrokerSettings): string | undefined {
  if (min && value < numberOf(min, broker)) return `${name} must be greater than or equal to ${min}`
  if (max && value > numberOf(max, broker)) return `${name} must be less than or equal to ${max}`
  return undefined
}

function numberOf(name: BrokerSettingName, broker: BrokerSettings): number {
  return Number(broker.text(name))
}
