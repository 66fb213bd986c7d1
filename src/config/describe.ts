/** The responses to DescribeConfigs: the settings of a topic, the broker or a group, with value and source. */
import { brokerSynonyms, CONFIG_SOURCES, type ConfigEntry, entry, stranger } from './config-entries.ts'
import type { InvalidConfigCode, Setting } from './define.ts'
import { groupSettingText } from './group-bounds.ts'
import { RESOURCE_TYPES, resourceKey } from './resources.ts'
import { isBrokerSetting, settings, TOPIC_DEFAULTS } from './tables/broker.ts'
import { behindGroupSetting, groupSettings, isGroupSetting } from './tables/group.ts'
import { isTopicSetting, topicSettings } from './tables/log.ts'
import type { BrokerSettings, Texts } from './values.ts'

/** The settings of the cluster, as config requests need them. */
export interface ConfigState {
  readonly nodeId: number
  readonly settings: BrokerSettings
  /** The configs of a topic; undefined if the topic does not exist. */
  topicOverrides(topic: string): Texts | undefined
  /** The configs of a group, which need not exist. */
  groupOverrides(group: string): Texts
  /** The reason why a topic name is invalid; undefined for a valid name. */
  topicNameProblem(topic: string): string | undefined
}

/** A resource of a DescribeConfigs request. Empty or null keys request all settings. */
export interface DescribedResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configurationKeys: readonly string[] | null
}

/** The options of a DescribeConfigs request. */
export interface DescribeOptions {
  readonly includeSynonyms: boolean
  readonly includeDocumentation: boolean
}

/** The response for one resource. */
export interface DescribedConfigs {
  readonly errorCode: InvalidConfigCode | 'NONE'
  /** Empty without an error: Kafka sends empty text instead of null. */
  readonly errorMessage: string
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly ConfigEntry[]
}

/**
 * The limit of repeated resources in one request. Each repetition costs a whole response, so a small request could cause a
 * response of hundreds of megabytes. Kafka has no such limit.
 */
const MOST_REPEATS = 100

type Response = Pick<DescribedConfigs, 'errorCode' | 'errorMessage' | 'configs'>

/** Decides on a request. An unknown resource type, and more than MOST_REPEATS repetitions, fail all of its resources. */
export function describeConfigs(
  resources: readonly DescribedResource[],
  options: DescribeOptions,
  state: ConfigState
): readonly DescribedConfigs[] {
  const failure = refusalOfAll(resources)
  return resources.map(resource => {
    const { errorCode, errorMessage, configs } = failure ?? describe(resource, options, state)
    return {
      errorCode,
      errorMessage,
      resourceType: resource.resourceType,
      resourceName: resource.resourceName,
      configs
    }
  })
}

function refusalOfAll(resources: readonly DescribedResource[]): Response | undefined {
  const unknown = resources.find(({ resourceType }) => typeName(resourceType) === 'UNKNOWN')
  if (unknown) return refusal(`Unexpected resource type UNKNOWN for resource ${unknown.resourceName}`)
  const distinct = new Set(resources.map(({ resourceType, resourceName }) => resourceKey(resourceType, resourceName)))
  if (resources.length - distinct.size <= MOST_REPEATS) return undefined
  return refusal(`A request can repeat resources at most ${MOST_REPEATS} times.`)
}

/** All settings of a topic. Internal settings are left out unless they are set. */
function describeTopic(overrides: Texts, broker: BrokerSettings): readonly ConfigEntry[] {
  const topic = broker.topic(overrides)
  const shown = Object.entries<Setting<unknown>>(topicSettings).filter(
    ([name, row]) => !row.internal || overrides.has(name)
  )
  const entries = shown.map(([name, row]) => {
    const value = isTopicSetting(name) ? topic.text(name) : null
    const own = overrides.has(name) ? [{ name, value, source: CONFIG_SOURCES.TOPIC_CONFIG }] : []
    const [first] = (isTopicSetting(name) && TOPIC_DEFAULTS.get(name)) || []
    return entry(name, row, value, false, [...own, ...(first ? brokerSynonyms(first, broker) : [])])
  })
  const unknownConfigs = [...overrides].filter(([name]) => !isTopicSetting(name))
  return [...entries, ...unknownConfigs.map(([name]) => stranger(name, CONFIG_SOURCES.TOPIC_CONFIG, false))]
}

/** All settings of the broker. Internal settings are left out unless they are set. */
function describeBroker(broker: BrokerSettings): readonly ConfigEntry[] {
  const shown = Object.entries<Setting<unknown>>(settings).filter(([name, row]) => !row.internal || isSet(name, broker))
  const entries = shown.map(([name, row]) => {
    const value = isBrokerSetting(name) ? broker.text(name) : null
    return entry(name, row, value, row.update === undefined, brokerSynonyms(name, broker))
  })
  const { perBroker, clusterWide } = broker.layers
  const unknownNames = new Set([...perBroker.keys(), ...clusterWide.keys()].filter(name => !isBrokerSetting(name)))
  const sourceOf = (name: string) =>
    CONFIG_SOURCES[perBroker.has(name) ? 'DYNAMIC_BROKER_CONFIG' : 'DYNAMIC_DEFAULT_BROKER_CONFIG']
  return [...entries, ...[...unknownNames].map(name => stranger(name, sourceOf(name), true))]
}

/** The dynamic configs of all brokers (resource name ''), without the settings that have only a default. */
function describeClusterDefault(broker: BrokerSettings): readonly ConfigEntry[] {
  const source = CONFIG_SOURCES.DYNAMIC_DEFAULT_BROKER_CONFIG
  return [...broker.layers.clusterWide].map(([name, value]) => {
    if (!isBrokerSetting(name)) return stranger(name, source, true)
    const row: Setting<unknown> = settings[name]
    const synonyms = brokerSynonyms(name, broker).filter(synonym => synonym.source === source)
    return entry(name, row, value, row.update === undefined, synonyms)
  })
}

/** All settings of a group. */
function describeGroup(overrides: Texts, broker: BrokerSettings): readonly ConfigEntry[] {
  const source = CONFIG_SOURCES.GROUP_CONFIG
  const entries = Object.keys(groupSettings)
    .filter(isGroupSetting)
    .map(name => {
      const row: Setting<unknown> = groupSettings[name]
      const value = groupSettingText(name, overrides, broker)
      const own = overrides.has(name) ? [{ name, value, source }] : []
      const { byDefault } = behindGroupSetting(name)
      const initial = { name, value: row.byDefault.text, source: CONFIG_SOURCES.DEFAULT_CONFIG }
      return entry(name, row, value, false, [...own, ...(byDefault ? brokerSynonyms(byDefault, broker) : [initial])])
    })
  const unknownNames = [...overrides.keys()].filter(name => !isGroupSetting(name))
  return [...entries, ...unknownNames.map(name => stranger(name, source, false))]
}

function describe(resource: DescribedResource, options: DescribeOptions, state: ConfigState): Response {
  const found = entriesOf(resource, state)
  if ('errorCode' in found) return found
  const keys = new Set(resource.configurationKeys)
  const asked = keys.size === 0 ? found : found.filter(({ name }) => keys.has(name))
  const configs = asked.map(config => ({
    ...config,
    synonyms: options.includeSynonyms ? config.synonyms : [],
    documentation: options.includeDocumentation ? config.documentation : null
  }))
  return { errorCode: 'NONE', errorMessage: '', configs }
}

function entriesOf(
  { resourceType, resourceName }: DescribedResource,
  state: ConfigState
): readonly ConfigEntry[] | Response {
  if (resourceType === RESOURCE_TYPES.TOPIC) return topicEntries(resourceName, state)
  if (resourceType === RESOURCE_TYPES.GROUP) {
    if (resourceName === '') return refusal('Group name must not be empty')
    return describeGroup(state.groupOverrides(resourceName), state.settings)
  }
  if (resourceType !== RESOURCE_TYPES.BROKER) return refusal(`Unsupported resource type: ${typeName(resourceType)}`)
  if (resourceName === '') return describeClusterDefault(state.settings)
  if (!/^[+-]?\d{1,10}$/.test(resourceName)) return refusal(`Broker id must be an integer, but it is: ${resourceName}`)
  if (Number(resourceName) === state.nodeId) return describeBroker(state.settings)
  return refusal(`Unexpected broker id, expected ${state.nodeId} or empty string, but received ${resourceName}`)
}

function topicEntries(topic: string, state: ConfigState): readonly ConfigEntry[] | Response {
  const problem = state.topicNameProblem(topic)
  if (problem !== undefined) return { errorCode: 'INVALID_TOPIC_EXCEPTION', errorMessage: problem, configs: [] }
  const overrides = state.topicOverrides(topic)
  if (overrides === undefined) return { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', errorMessage: '', configs: [] }
  return describeTopic(overrides, state.settings)
}

function isSet(name: string, { layers }: BrokerSettings): boolean {
  return layers.perBroker.has(name) || layers.clusterWide.has(name) || layers.given.has(name)
}

function typeName(resourceType: number): string {
  return Object.entries(RESOURCE_TYPES).find(([, code]) => code === resourceType)?.[0] ?? 'UNKNOWN'
}

function refusal(errorMessage: string): Response {
  return { errorCode: 'INVALID_REQUEST', errorMessage, configs: [] }
}
