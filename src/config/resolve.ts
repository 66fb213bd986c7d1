/**
 * Resolution of the static settings from their sources. Sources are passed weakest first, and a later entry wins. The function
 * is pure: it reads no file and no environment.
 */
import { InvalidConfig, type RowOptions } from './define.ts'
import { didYouMean } from './did-you-mean.ts'
import { groupConflict } from './group-bounds.ts'
import { listenersOf } from './listeners.ts'
import { ConfigError, type Entry } from './sources.ts'
import { type BrokerSettingName, isBrokerSetting, settings, TOPIC_DEFAULTS } from './tables/broker.ts'
import { isTopicSetting } from './tables/log.ts'
import { isKnownName, KNOWN_NAMES } from './tables/names.ts'
import { conflict } from './validate.ts'
import { BrokerSettings, synonymsOf } from './values.ts'

/** The resolved settings. */
export interface Resolved {
  readonly settings: BrokerSettings
  /** Names of the given Kafka settings that have no effect in minikafka, for one log line at start. */
  readonly unhonoured: readonly string[]
}

/** Validates and merges the entries of all sources. Throws ConfigError for the first invalid entry or conflict. */
export function resolve(...sources: readonly (readonly Entry[])[]): Resolved {
  const entries = sources.flat()
  const unhonoured = new Set<string>()
  for (const entry of entries) {
    if (isBrokerSetting(entry.name)) check(entry.name, entry)
    else if (!isKnownName(entry.name)) throw new ConfigError(unknownName(entry))
    if (!hasEffect(entry.name)) unhonoured.add(entry.name)
  }
  const given = strongest(sources)
  const resolved = new BrokerSettings(new Map([...given].map(([name, { value }]) => [name, value])))
  const problem = groupConflict(resolved) ?? conflict(resolved) ?? atStartOnly(resolved)
  if (problem !== undefined) throw new ConfigError(located(problem, given))
  return { settings: resolved, unhonoured: [...unhonoured].sort() }
}

function hasEffect(name: string): boolean {
  if (!isBrokerSetting(name)) return false
  const { unsupported }: RowOptions = settings[name]
  return unsupported === undefined
}

/**
 * The effective entry of each setting. An entry removes its synonyms of weaker sources: otherwise log.retention.ms of a file
 * would win over log.retention.hours of the command line. If only one of broker.id and node.id is given, the other one gets
 * its value.
 */
function strongest(sources: readonly (readonly Entry[])[]): Map<string, Entry> {
  const given = new Map<string, Entry>()
  for (const source of sources) {
    for (const { name } of source) for (const synonym of synonymsOf(name)) given.delete(synonym)
    for (const entry of source) if (isBrokerSetting(entry.name)) given.set(entry.name, entry)
  }
  const [node, broker] = [given.get('node.id'), given.get('broker.id')]
  if (node && !broker) given.set('broker.id', node)
  if (broker && !node && Number(broker.value) >= 0) given.set('node.id', broker)
  return given
}

/** As `conflict`, for settings that cannot change while the broker runs. */
function atStartOnly(settings: BrokerSettings): string | undefined {
  const [node, broker] = [settings.get('node.id'), settings.get('broker.id')]
  if (broker !== -1 && node !== broker) return `node.id is ${node}, but broker.id is ${broker}: set only one of them`
  const directories = settings.get('log.dirs') ?? settings.get('log.dir')
  if (directories.length > 1) return `log.dirs has ${directories.length} directories, but only one is supported`
  const topic = settings.topic()
  if (topic.get('min.compaction.lag.ms') > topic.get('max.compaction.lag.ms')) {
    return 'log.cleaner.min.compaction.lag.ms is greater than log.cleaner.max.compaction.lag.ms'
  }
  try {
    listenersOf(settings)
  } catch (error) {
    if (error instanceof InvalidConfig) return error.message
    throw error
  }
  return undefined
}

function check(name: BrokerSettingName, { source, value }: Entry): void {
  try {
    settings[name].read(name, value)
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error
    throw new ConfigError(`${source}: ${name} is "${value}", but must be ${settings[name].expects}`)
  }
}

/** Prefixes a problem with the sources of the settings that it names. */
function located(problem: string, given: ReadonlyMap<string, Entry>): string {
  const involved = [...given].filter(([name]) => synonymsOf(name).some(synonym => words(problem).includes(synonym)))
  const where = [...new Set(involved.map(([, { source }]) => source))].join(' and ')
  return where === '' ? problem : `${where}: ${problem}`
}

const words = (sentence: string) => sentence.split(/[^\w.]+|\.(?= |$)/)

function unknownName({ source, name }: Entry): string {
  const asBroker = isTopicSetting(name) ? TOPIC_DEFAULTS.get(name)?.[0] : undefined
  if (asBroker !== undefined)
    return `${source}: ${name} is a topic config; the broker setting with its default is ${asBroker}`
  return `${source}: the setting ${name} is unknown${didYouMean(name, [...Object.keys(settings), ...KNOWN_NAMES])}`
}
