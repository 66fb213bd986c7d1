/** The settings of a new topic: their validation in CreateTopics, and their form in its response. */

import { CONFIG_SOURCES } from './config-entries.ts'
import { InvalidConfig, type Setting } from './define.ts'
import { TOPIC_DEFAULTS } from './tables/broker.ts'
import { isTopicSetting, topicSettings } from './tables/log.ts'
import { validateLengths, validateTopicOverrides } from './validate.ts'
import type { BrokerSettings, Texts } from './values.ts'

/** A setting in the response to CreateTopics. */
export interface CreatedConfig {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
}

/** Validates the configs of a CreateTopics request. Of a repeated name the last value counts. Throws InvalidConfig. */
export function newTopicOverrides(
  configs: readonly { readonly name: string; readonly value: string | null }[],
  broker: BrokerSettings
): Texts {
  const missing = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (missing.length > 0) throw new InvalidConfig(`Null value not supported for topic configs: ${missing.join(',')}`)
  const overrides = new Map(configs.map(({ name, value }) => [name, value ?? '']))
  validateLengths(configs)
  validateTopicOverrides(overrides, broker)
  return overrides
}

/**
 * The effective settings of the new topic, sorted by name. As in Kafka, two things differ from DescribeConfigs: configs are shown
 * as they were written, and a value from a broker setting in hours or minutes has the source of that setting.
 */
export function createdTopicConfigs(overrides: Texts, broker: BrokerSettings): readonly CreatedConfig[] {
  const shown = Object.entries<Setting<unknown>>(topicSettings).filter(
    ([name, row]) => !row.internal || overrides.has(name)
  )
  const defaults = broker.topic()
  return shown
    .map(([name]) => {
      const own = overrides.get(name)
      if (own !== undefined) return created(name, own, CONFIG_SOURCES.TOPIC_CONFIG)
      if (!isTopicSetting(name)) return created(name, null, CONFIG_SOURCES.DEFAULT_CONFIG)
      return created(name, defaults.text(name), sourceOfDefault(TOPIC_DEFAULTS.get(name) ?? [], broker))
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function created(name: string, value: string | null, configSource: number): CreatedConfig {
  return { name, value, readOnly: false, configSource, isSensitive: false }
}

function sourceOfDefault(names: readonly string[], { layers }: BrokerSettings): number {
  if (names.some(name => layers.perBroker.has(name))) return CONFIG_SOURCES.DYNAMIC_BROKER_CONFIG
  if (names.some(name => layers.clusterWide.has(name))) return CONFIG_SOURCES.DYNAMIC_DEFAULT_BROKER_CONFIG
  return names.some(name => layers.given.has(name))
    ? CONFIG_SOURCES.STATIC_BROKER_CONFIG
    : CONFIG_SOURCES.DEFAULT_CONFIG
}
