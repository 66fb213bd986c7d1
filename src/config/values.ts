/**
 * The effective settings of the broker and of a topic. Both are immutable; a change creates new ones. They keep the layers of
 * their values, which DescribeConfigs shows.
 */
import { InvalidConfig, type Setting, type Value, type ValueOf } from './define.ts'
import { type BrokerSettingName, isBrokerSetting, settings, TOPIC_DEFAULTS } from './tables/broker.ts'
import { isTopicSetting, type TopicSettingName, topicSettings } from './tables/log.ts'

/** Values by name, as they were written. */
export type Texts = ReadonlyMap<string, string>

/** The layers that a value can come from, strongest first. Names without a row may be among them and have no effect. */
export interface Layers {
  /** Dynamic configs of this broker. */
  readonly perBroker: Texts
  /** Dynamic configs of all brokers. */
  readonly clusterWide: Texts
  /** Static settings, given at start. */
  readonly given: Texts
}

/** The values of all broker settings. */
export type BrokerValues = { readonly [N in BrokerSettingName]: ValueOf<(typeof settings)[N]> }

/** The values of all settings of a topic. */
export type TopicValues = { readonly [N in TopicSettingName]: ValueOf<(typeof topicSettings)[N]> }

type Rows = Readonly<Record<string, Setting<unknown>>>
type Values = ReadonlyMap<string, Value<unknown>>

const NONE: Texts = new Map()

/** The effective settings of the broker. */
export class BrokerSettings {
  readonly layers: Layers
  readonly #values: Values
  #topicValues: Values | undefined

  /** `given` must have been validated by `resolve`. Invalid values count as not given. */
  constructor(given: Texts = NONE, perBroker: Texts = NONE, clusterWide: Texts = NONE) {
    this.layers = { perBroker, clusterWide, given }
    const changed = readAll(settings, (name, row) =>
      row.update ? (readable(name, row, perBroker) ?? readable(name, row, clusterWide)) : undefined
    )
    this.#values = readAll(settings, (name, row) => {
      // As in Kafka, a dynamic config overrides a static setting in another unit of time.
      const replaced = synonymsOf(name).some(synonym => changed.has(synonym))
      return changed.get(name) ?? (replaced ? undefined : readable(name, row, given)) ?? row.byDefault
    })
  }

  /** The value of a setting. */
  get<N extends BrokerSettingName>(name: N): BrokerValues[N] {
    return this.#values.get(name)?.value as BrokerValues[N]
  }

  /** The text of a value in DescribeConfigs; null for an unset value. */
  text(name: BrokerSettingName): string | null {
    return this.#values.get(name)?.text ?? null
  }

  /** The data directory. Only one is supported. */
  get logDirectory(): string {
    return (this.get('log.dirs') ?? this.get('log.dir'))[0] ?? ''
  }

  /** Returns the same static settings with other dynamic configs. */
  withDynamic(perBroker?: Texts, clusterWide?: Texts): BrokerSettings {
    return new BrokerSettings(this.layers.given, perBroker, clusterWide)
  }

  /** The settings of a topic with these configs. Invalid values count as not set. */
  topic(overrides: Texts = NONE): TopicSettings {
    this.#topicValues ??= readAll(topicSettings, (name, row) => this.#topicDefault(name, row))
    return new TopicSettings(overrides, this.#topicValues)
  }

  #topicDefault(topic: string, row: Setting<unknown>): Value<unknown> {
    if (!isTopicSetting(topic)) return row.byDefault
    for (const name of TOPIC_DEFAULTS.get(topic) ?? []) {
      const own = this.#values.get(name)
      if (own && own.value !== null) return inTopicUnit(topic, own, (settings[name] as Setting<unknown>).unitMs)
    }
    return row.byDefault
  }
}

/** The effective settings of a topic. */
export class TopicSettings {
  readonly overrides: Texts
  readonly #values: Values

  /** Called only by `BrokerSettings.topic`. */
  constructor(overrides: Texts, defaults: Values) {
    this.overrides = overrides
    this.#values = overrides.size === 0 ? defaults : overlaid(defaults, overrides)
  }

  /** The value of a setting. */
  get<N extends TopicSettingName>(name: N): TopicValues[N] {
    return this.#values.get(name)?.value as TopicValues[N]
  }

  /** The text of a value in DescribeConfigs; null for an unset value. */
  text(name: TopicSettingName): string | null {
    return this.#values.get(name)?.text ?? null
  }

  /** The segment size in bytes. Tests set `internal.segment.bytes` for sizes below the minimum of `segment.bytes`. */
  get segmentBytes(): number {
    return this.get('internal.segment.bytes') ?? this.get('segment.bytes')
  }
}

function readAll(rows: Rows, choose: (name: string, row: Setting<unknown>) => Value<unknown> | undefined): Values {
  const values = new Map<string, Value<unknown>>()
  for (const [name, row] of Object.entries(rows)) {
    const chosen = choose(name, row)
    if (chosen) values.set(name, chosen)
  }
  return values
}

function overlaid(defaults: Values, overrides: Texts): Values {
  const values = new Map(defaults)
  for (const name of overrides.keys()) {
    const row: Setting<unknown> | undefined = isTopicSetting(name) ? topicSettings[name] : undefined
    const own = row && readable(name, row, overrides)
    if (own) values.set(name, own)
  }
  return values
}

/**
 * The value of a setting in a layer; undefined if it is missing or invalid. A data directory of another version may have invalid
 * values.
 */
export function readable<T>(name: string, row: Setting<T>, layer: Texts): Value<NonNullable<T>> | undefined {
  const text = layer.get(name)
  if (text === undefined) return undefined
  try {
    return row.read(name, text)
  } catch (error) {
    if (error instanceof InvalidConfig) return undefined
    throw error
  }
}

/** Converts hours and minutes to milliseconds. Each negative retention becomes -1, which means no limit. */
function inTopicUnit(topic: TopicSettingName, { value, text }: Value<unknown>, unitMs = 1): Value<unknown> {
  if (typeof value !== 'number') return { value, text }
  if (topic === 'retention.ms' && value < 0) return { value: -1, text: '-1' }
  return unitMs === 1 ? { value, text } : { value: value * unitMs, text: String(value * unitMs) }
}

/** The broker settings for the same value in different units, strongest first, in the order of DescribeConfigs. */
export function synonymsOf(name: string): readonly string[] {
  if (!isBrokerSetting(name)) return [name]
  const { topic } = settings[name] as Setting<unknown>
  return (topic !== undefined && isTopicSetting(topic) && TOPIC_DEFAULTS.get(topic)) || [name]
}
