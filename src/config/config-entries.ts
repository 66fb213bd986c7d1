/**
 * A setting in the response of DescribeConfigs, with its synonyms: the entries that its value can come from. As in Kafka, the
 * source of a value is the source of its first synonym, and synonyms before the setting's own name are dropped. Therefore a
 * retention.ms that comes from log.retention.hours has the source DEFAULT_CONFIG.
 */
import { type Setting, TYPE_CODES } from './define.ts'
import { isBrokerSetting, settings } from './tables/broker.ts'
import { type BrokerSettings, synonymsOf, type Texts } from './values.ts'

/** The codes of DescribeConfigs for the source of a value. */
export const CONFIG_SOURCES = {
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  GROUP_CONFIG: 8
} as const

/** A setting of a response. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
  readonly synonyms: readonly ConfigSynonym[]
  readonly configType: number
  readonly documentation: string | null
}

/** A synonym: an entry that the value of a setting can come from. */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

/** The synonyms of a broker setting, strongest first: layer by layer, and in each layer in the order of `synonymsOf`. */
export function brokerSynonyms(name: string, { layers }: BrokerSettings): readonly ConfigSynonym[] {
  const names = synonymsOf(name)
  const defaults = new Map<string, string>()
  for (const each of names) {
    const text = isBrokerSetting(each) ? settings[each].byDefault.text : null
    if (text !== null) defaults.set(each, text)
  }
  const from = (layer: Texts, source: number) =>
    names.flatMap(each => (layer.has(each) ? [{ name: each, value: layer.get(each) ?? null, source }] : []))
  const all = [
    ...from(layers.perBroker, CONFIG_SOURCES.DYNAMIC_BROKER_CONFIG),
    ...from(layers.clusterWide, CONFIG_SOURCES.DYNAMIC_DEFAULT_BROKER_CONFIG),
    ...from(layers.given, CONFIG_SOURCES.STATIC_BROKER_CONFIG),
    ...from(defaults, CONFIG_SOURCES.DEFAULT_CONFIG)
  ]
  const own = all.findIndex(synonym => synonym.name === name)
  return own === -1 ? [] : all.slice(own)
}

/** The entry of a supported setting. */
export function entry(
  name: string,
  row: Setting<unknown>,
  value: string | null,
  readOnly: boolean,
  synonyms: readonly ConfigSynonym[]
): ConfigEntry {
  const configSource = synonyms[0]?.source ?? CONFIG_SOURCES.DEFAULT_CONFIG
  const { documentation } = row
  return {
    name,
    value,
    readOnly,
    configSource,
    isSensitive: false,
    synonyms,
    configType: TYPE_CODES[row.type],
    documentation
  }
}

/** The entry of an unknown setting. Its value is not shown, because it may be a secret. */
export function stranger(name: string, source: number, readOnly: boolean): ConfigEntry {
  const synonyms = [{ name, value: null, source }]
  return {
    name,
    value: null,
    readOnly,
    configSource: source,
    isSensitive: true,
    synonyms,
    configType: 0,
    documentation: null
  }
}
