/**
 * The live settings of a broker, its topics and its groups: the static settings, overridden by the configs of the metadata image.
 * `inForce` is one immutable value, which each change replaces. Views are updated in place.
 */
import { groupSettingValue } from './group-bounds.ts'
import { type ConfigResource, RESOURCE_TYPES, resourceKey, splitResourceKey } from './resources.ts'
import type { BrokerSettingName } from './tables/broker.ts'
import { type GroupSettingName, isGroupSetting } from './tables/group.ts'
import { isTopicSetting, type TopicSettingName } from './tables/log.ts'
import type { BrokerSettings, Texts } from './values.ts'
import { ResourceSettings, type Rows, type SettingValues, type ViewOf } from './view.ts'

/** The configs of each resource in the metadata image, by `resourceKey`. */
export type Configs = ReadonlyMap<string, Texts>

/** The settings of a topic, and the broker settings that topics do not have. */
export type LiveTopicSettings = ResourceSettings<TopicSettingName | BrokerSettingName>

/** The settings of a group, limited to the broker's bounds, and the broker settings that groups do not have. */
export type LiveGroupSettings = ResourceSettings<GroupSettingName | BrokerSettingName>

/** The resource name of the dynamic configs of all brokers. */
const ALL_BROKERS = ''

export class Settings {
  #inForce: BrokerSettings
  #configs: Configs = new Map()
  readonly #broker: ResourceSettings<BrokerSettingName>
  /** Topics whose settings have been read, by name. */
  readonly #topics = new Map<string, LiveTopicSettings>()
  /** Groups with configs, by group id. */
  readonly #groups = new Map<string, LiveGroupSettings>()
  readonly #otherGroups: LiveGroupSettings

  constructor(given: BrokerSettings) {
    this.#inForce = given
    this.#broker = new ResourceSettings(name => this.#inForce.get(name))
    this.#otherGroups = new ResourceSettings(this.#groupLookup())
  }

  /** The broker's settings as one immutable value. */
  get inForce(): BrokerSettings {
    return this.#inForce
  }

  /** The value of one broker setting. It is looked up by name, so frequent requests use a view instead. */
  get<N extends BrokerSettingName>(name: N): SettingValues[N] {
    return this.#broker.get(name)
  }

  /** A live view of broker settings, as `ResourceSettings.view`. */
  view<const R extends Rows<BrokerSettingName>>(properties: R): ViewOf<R> {
    return this.#broker.view(properties)
  }

  /** The settings of an existing topic. The object keeps its last values after the topic is deleted. */
  topic(name: string): LiveTopicSettings {
    const existing = this.#topics.get(name)
    if (existing) return existing
    const topic: LiveTopicSettings = new ResourceSettings(this.#topicLookup(name))
    this.#topics.set(name, topic)
    return topic
  }

  /** The settings of a group, which need not exist. The object is valid for one operation: a change of configs replaces it. */
  group(groupId: string): LiveGroupSettings {
    return this.#groups.get(groupId) ?? this.#otherGroups
  }

  /** Applies configs. `changed` are the resources whose configs differ from the previous ones; by default all resources. */
  configure(configs: Configs, changed: Iterable<ConfigResource> = resourcesOf(configs)): void {
    this.#configs = configs
    const resources = [...changed]
    if (resources.some(({ resourceType }) => resourceType === RESOURCE_TYPES.BROKER)) this.#changeBroker()
    for (const { resourceType, resourceName } of resources) {
      if (resourceType === RESOURCE_TYPES.TOPIC) this.#changeTopic(resourceName)
      else if (resourceType === RESOURCE_TYPES.GROUP) this.#changeGroup(resourceName)
    }
  }

  /** Removes a deleted topic. A later topic of the same name gets its own object. */
  forgetTopic(name: string): void {
    this.#topics.delete(name)
  }

  /** Applies the configs of the broker. Topics and groups have their defaults from the broker, so they are updated too. */
  #changeBroker(): void {
    const nodeId = String(this.#inForce.get('node.id'))
    this.#inForce = this.#inForce.withDynamic(
      this.#configsOf(RESOURCE_TYPES.BROKER, nodeId),
      this.#configsOf(RESOURCE_TYPES.BROKER, ALL_BROKERS)
    )
    this.#broker.replace(name => this.#inForce.get(name))
    for (const name of this.#topics.keys()) this.#changeTopic(name)
    for (const groupId of this.#groups.keys()) this.#changeGroup(groupId)
    this.#otherGroups.replace(this.#groupLookup())
  }

  #changeTopic(name: string): void {
    this.#topics.get(name)?.replace(this.#topicLookup(name))
  }

  #changeGroup(groupId: string): void {
    const overrides = this.#configsOf(RESOURCE_TYPES.GROUP, groupId)
    if (!overrides) this.#groups.delete(groupId)
    else this.#groups.set(groupId, new ResourceSettings(this.#groupLookup(overrides)))
  }

  #topicLookup(topicName: string) {
    const topic = this.#inForce.topic(this.#configsOf(RESOURCE_TYPES.TOPIC, topicName))
    return (name: TopicSettingName | BrokerSettingName) =>
      isTopicSetting(name) ? topic.get(name) : this.#inForce.get(name)
  }

  #groupLookup(overrides?: Texts) {
    return (name: GroupSettingName | BrokerSettingName) =>
      isGroupSetting(name) ? groupSettingValue(name, overrides, this.#inForce) : this.#inForce.get(name)
  }

  #configsOf(resourceType: number, resourceName: string): Texts | undefined {
    return this.#configs.get(resourceKey(resourceType, resourceName))
  }
}

function* resourcesOf(configs: Configs): Generator<ConfigResource> {
  for (const key of configs.keys()) yield splitResourceKey(key)
}
