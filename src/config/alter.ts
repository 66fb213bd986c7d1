/**
 * The decisions on AlterConfigs and IncrementalAlterConfigs: for each resource either an error or all of its changes. The caller
 * records the changes. The order of checks, the error codes and the messages are Apache Kafka's.
 */
import { InvalidConfig, type InvalidConfigCode, type Setting } from './define.ts'
import type { ConfigState } from './describe.ts'
import { validateGroupOverrides } from './group-bounds.ts'
import { RESOURCE_TYPES, resourceKey } from './resources.ts'
import { settings } from './tables/broker.ts'
import { topicSettings } from './tables/log.ts'
import { type ConfigChange, validateBrokerChanges, validateLengths, validateTopicOverrides } from './validate.ts'
import type { BrokerSettings, Texts } from './values.ts'

/** The operations of IncrementalAlterConfigs. */
export const OPERATIONS = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

/** A setting of a request. In AlterConfigs it has no operation. */
export interface AlterableConfig {
  readonly name: string
  readonly configOperation?: number
  readonly value: string | null
}

/** A resource of a request. */
export interface AlteredResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly AlterableConfig[]
}

/** The result for one resource. `changes` is empty if there is an error. */
export interface Alteration {
  readonly errorCode: InvalidConfigCode | 'NONE'
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
  readonly changes: readonly ConfigChange[]
}

/** The limit of records for one request, as in Kafka's controller. */
const MOST_CHANGES = 10_000

/** Decides on IncrementalAlterConfigs: sets and deletes single settings, appends to lists and subtracts from them. */
export function incrementalAlterConfigs(resources: readonly AlteredResource[], state: ConfigState) {
  return alterAll(resources, resource => {
    checkRequest(resource.configs, config => config.value === null && config.configOperation !== OPERATIONS.DELETE)
    const current = currentOverrides(resource, state)
    const proposed = new Map(current)
    const changes = resource.configs.map(config => {
      const value = operate(config, current.get(config.name), resource.resourceType)
      if (value === null) proposed.delete(config.name)
      else proposed.set(config.name, value)
      return { name: config.name, value }
    })
    return checked(resource, current, changes, proposed, state)
  })
}

/** Decides on AlterConfigs: the settings of the request replace all settings of the resource. */
export function alterConfigs(resources: readonly AlteredResource[], state: ConfigState) {
  return alterAll(resources, resource => {
    checkRequest(resource.configs, config => config.value === null)
    const current = currentOverrides(resource, state)
    const proposed = new Map(resource.configs.map(({ name, value }) => [name, value ?? '']))
    const gone = [...current.keys()].filter(name => !proposed.has(name)).map(name => ({ name, value: null }))
    return checked(resource, current, [...resource.configs, ...gone], proposed, state)
  })
}

function alterAll(
  resources: readonly AlteredResource[],
  decide: (resource: AlteredResource) => readonly ConfigChange[]
): readonly Alteration[] {
  const twice = repeated(resources.map(keyOf))
  const results = resources.map(resource => {
    try {
      if (twice.has(keyOf(resource))) throw refused('Each resource must appear at most once.')
      return alteration(resource, decide(resource))
    } catch (error) {
      if (error instanceof InvalidConfig) return alteration(resource, [], error)
      throw error
    }
  })
  const count = results.reduce((sum, { changes }) => sum + changes.length, 0)
  if (count <= MOST_CHANGES) return results
  const excess = new InvalidConfig('Unable to perform excessively large batch operation.', 'POLICY_VIOLATION')
  return resources.map(resource => alteration(resource, [], excess))
}

function alteration(
  { resourceType, resourceName }: AlteredResource,
  changes: readonly ConfigChange[],
  error?: InvalidConfig
): Alteration {
  return { errorCode: error?.code ?? 'NONE', errorMessage: error?.message ?? null, resourceType, resourceName, changes }
}

function checkRequest(configs: readonly AlterableConfig[], isMissing: (config: AlterableConfig) => boolean): void {
  const names = new Set(configs.map(({ name }) => name))
  if (names.size < configs.length) throw refused('Error due to duplicate config keys')
  const missing = configs.filter(isMissing).map(({ name }) => name)
  if (missing.length > 0) throw refused(`Null value not supported for : ${missing.join(', ')}`)
}

/**
 * The current settings of a resource. A missing topic has none: as in Kafka, UNKNOWN_TOPIC_OR_PARTITION comes only after the
 * checks of the settings. Throws InvalidConfig for an unknown resource type and for another broker.
 */
function currentOverrides({ resourceType, resourceName }: AlteredResource, state: ConfigState): Texts {
  if (resourceType === RESOURCE_TYPES.TOPIC) return state.topicOverrides(resourceName) ?? new Map()
  if (resourceType === RESOURCE_TYPES.GROUP) return state.groupOverrides(resourceName)
  if (resourceType !== RESOURCE_TYPES.BROKER) throw refused(`Unknown resource type ${resourceType}`)
  const { clusterWide, perBroker } = state.settings.layers
  if (resourceName === '') return clusterWide
  if (!/^[+-]?\d{1,10}$/.test(resourceName)) throw refused(`Node id must be an integer, but it is: ${resourceName}`)
  if (Number(resourceName) === state.nodeId) return perBroker
  throw refused(`Unexpected broker id, expected ${state.nodeId}, but received ${resourceName}`)
}

function operate({ name, configOperation, value }: AlterableConfig, current: string | undefined, type: number) {
  switch (configOperation) {
    case OPERATIONS.SET:
      return value
    case OPERATIONS.DELETE:
      return null
    case OPERATIONS.APPEND: {
      const members = listMembers('append', name, current, type)
      return [...new Set([...members, ...(value ?? '').split(',')])].join(',')
    }
    case OPERATIONS.SUBTRACT: {
      const removed = new Set((value ?? '').split(','))
      const members = listMembers('subtract', name, current, type)
      return members.filter(member => !removed.has(member)).join(',')
    }
    default:
      throw refused(`Unknown operations type ${configOperation}`)
  }
}

/**
 * The current members of a list setting; by default those of its default. Throws InvalidConfig for a setting that is not a list.
 * As in Kafka, the message depends on the resource: the broker refuses changes of brokers, the controller all others.
 */
function listMembers(verb: 'append' | 'subtract', name: string, current: string | undefined, type: number): string[] {
  const isBroker = type === RESOURCE_TYPES.BROKER
  // Groups have no list settings.
  const row = type === RESOURCE_TYPES.TOPIC ? rowOf(topicSettings, name) : isBroker ? rowOf(settings, name) : undefined
  if (!row && isBroker) throw new InvalidConfig(`Unknown config name: ${name}`)
  if (row?.type !== 'list') {
    throw new InvalidConfig(
      isBroker
        ? `Config value ${verb} is not allowed for config key: ${name}`
        : `Can't ${verb.toUpperCase()} to key ${name} because its type is not LIST.`
    )
  }
  return (current ?? row.byDefault.text ?? '').split(',').filter(member => member !== '')
}

/**
 * Validates the proposed settings and returns the changes to record. Changes to the current value are left out, except for
 * brokers. Throws InvalidConfig.
 */
function checked(
  resource: AlteredResource,
  current: Texts,
  changes: readonly ConfigChange[],
  proposed: Texts,
  state: ConfigState
): readonly ConfigChange[] {
  const { resourceType, resourceName } = resource
  const isBroker = resourceType === RESOURCE_TYPES.BROKER
  if (isBroker) validateBrokerChanges(changes, changedBroker(resourceName, proposed, state.settings))
  const newConfigs = changes
    .map(({ name, value }) => ({ name, value }))
    .filter(({ name, value }) => isBroker || (current.get(name) ?? null) !== value)
  validateLengths(newConfigs)
  if (resourceType === RESOURCE_TYPES.TOPIC) checkTopic(resourceName, proposed, state)
  if (resourceType === RESOURCE_TYPES.GROUP) checkGroup(resourceName, proposed, state)
  return newConfigs
}

function changedBroker(resourceName: string, proposed: Texts, settings: BrokerSettings): BrokerSettings {
  const { perBroker, clusterWide } = settings.layers
  return resourceName === '' ? settings.withDynamic(perBroker, proposed) : settings.withDynamic(proposed, clusterWide)
}

function checkTopic(topic: string, proposed: Texts, state: ConfigState): void {
  if (topic === '') throw refused('Default topic resources are not allowed.')
  const problem = state.topicNameProblem(topic)
  if (problem !== undefined) throw new InvalidConfig(problem, 'INVALID_TOPIC_EXCEPTION')
  validateTopicOverrides(proposed, state.settings)
  if (state.topicOverrides(topic) === undefined) {
    throw new InvalidConfig(`The topic '${topic}' does not exist.`, 'UNKNOWN_TOPIC_OR_PARTITION')
  }
}

function checkGroup(group: string, proposed: Texts, state: ConfigState): void {
  if (group === '') throw refused('Default group resources are not allowed.')
  validateGroupOverrides(proposed, state.settings)
}

function rowOf(rows: Readonly<Record<string, Setting<unknown>>>, name: string): Setting<unknown> | undefined {
  return Object.hasOwn(rows, name) ? rows[name] : undefined
}

function repeated(keys: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  return new Set(keys.filter(key => seen.size === seen.add(key).size))
}

const keyOf = ({ resourceType, resourceName }: AlteredResource) => resourceKey(resourceType, resourceName)
const refused = (message: string) => new InvalidConfig(message, 'INVALID_REQUEST')
