/**
 * One setting in an answer of DescribeConfigs, with the places that its value could come from.
 * As in Kafka the source of a value is that of its first synonym, and synonyms before the setting's own name are
 * dropped; hence a topic's retention set through log.retention.hours is called a default.
 */
import { type Setting, TYPE_CODES } from './define.ts'
import { isBrokerSetting, settings } from './tables/broker.ts'
import { type BrokerSettings, synonymsOf, type Texts } from './values.ts'

/** The codes of DescribeConfigs for where a value comes from. */
export const CONFIG_SOURCES = {
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  GROUP_CONFIG: 8
} as const

/** One setting of an answer. */
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

/** One of the places that a value could come from. */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

/** Strongest first: each layer in turn, within it the setting's names in their order. */
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

/** A setting that we know. */
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

/** A setting of unknown meaning, whose value may be a secret and is not shown. */
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
