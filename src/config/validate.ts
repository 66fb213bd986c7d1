/**
 * The checks of topic configs and of dynamic broker configs that Apache Kafka makes before it records a change. The `validate`
 * functions throw InvalidConfig with Kafka's message.
 */
import { InvalidConfig } from './define.ts'
import { groupConflict } from './group-bounds.ts'
import { checkConnectionOverrides } from './listeners.ts'
import { isBrokerSetting, settings } from './tables/broker.ts'
import { isTopicSetting, topicSettings } from './tables/log.ts'
import { READ_ONLY_NAMES } from './tables/names.ts'
import type { BrokerSettings, Texts } from './values.ts'

/** A change to record. A null value deletes the setting. */
export interface ConfigChange {
  readonly name: string
  readonly value: string | null
}

/** The largest length of a value in a config record. */
const LONGEST_VALUE = 32_767

/** Validates the configs of a topic; unset settings have their defaults from `broker`. Throws InvalidConfig. */
export function validateTopicOverrides(overrides: Texts, broker: BrokerSettings): void {
  for (const name of overrides.keys()) {
    if (!isTopicSetting(name)) throw new InvalidConfig(`Unknown topic config name: ${name}`)
  }
  for (const [name, text] of overrides) if (isTopicSetting(name)) topicSettings[name].read(name, text)
  const topic = broker.topic(overrides)
  const [shortest, longest] = [topic.text('min.compaction.lag.ms'), topic.text('max.compaction.lag.ms')]
  if (BigInt(shortest ?? 0) > BigInt(longest ?? 0)) {
    const both = `min.compaction.lag.ms (${shortest}) > max.compaction.lag.ms (${longest})`
    throw new InvalidConfig(`conflict topic config setting ${both}`)
  }
  if (topic.get('remote.storage.enable')) {
    const hint = 'Topic cannot be configured with remote log storage.'
    throw new InvalidConfig(`Tiered Storage functionality is disabled in the broker. ${hint}`)
  }
}

/**
 * Validates changes of dynamic broker configs, and the settings `changed` that result. As in Kafka, unknown names are accepted,
 * because plugins may read them. Throws InvalidConfig.
 */
export function validateBrokerChanges(changes: readonly ConfigChange[], changed: BrokerSettings): void {
  const set = changes.filter(({ value }) => value !== null)
  const fixed = set.filter(({ name }) => isReadOnly(name)).map(({ name }) => name)
  if (fixed.length > 0) throw refused(`Cannot update these configs dynamically: [${fixed.join(', ')}]`)
  for (const { name, value } of set) {
    try {
      if (isBrokerSetting(name)) settings[name].read(name, value ?? '')
    } catch (error) {
      if (!(error instanceof InvalidConfig)) throw error
      throw refused(error.message)
    }
  }
  const ofGroups = groupConflict(changed)
  if (ofGroups !== undefined) throw refused(ofGroups)
  const problem = conflict(changed)
  if (problem !== undefined) throw refused(`requirement failed: ${problem}`)
}

/** Kafka's message about a conflict between broker settings, at start or after a dynamic change; undefined without one. */
export function conflict(settings: BrokerSettings): string | undefined {
  const topic = settings.topic()
  if (topic.get('segment.ms') < 1) return 'log.roll.ms must be greater than or equal to 1'
  if (topic.get('segment.jitter.ms') < 0) return 'log.roll.jitter.ms must be greater than or equal to 0'
  if (topic.get('retention.ms') === 0) {
    return 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'
  }
  if (settings.get('max.connections.per.ip') === 0 && settings.get('max.connections.per.ip.overrides') === '') {
    return 'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.'
  }
  try {
    checkConnectionOverrides(settings.get('max.connections.per.ip.overrides'))
  } catch (error) {
    if (error instanceof InvalidConfig) return error.message
    throw error
  }
  return undefined
}

/** Throws InvalidConfig for a value that is too long for a config record. */
export function validateLengths(changes: readonly ConfigChange[]): void {
  if (changes.some(({ value }) => value !== null && value.length > LONGEST_VALUE)) {
    const limit = `the maximum value size of ${LONGEST_VALUE} bytes`
    throw new InvalidConfig(`The configuration value cannot be added because it exceeds ${limit}.`)
  }
}

function isReadOnly(name: string): boolean {
  return isBrokerSetting(name) ? !('update' in settings[name]) : READ_ONLY_NAMES.has(name)
}

const refused = (message: string) => new InvalidConfig(message, 'INVALID_REQUEST')
