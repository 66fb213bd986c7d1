/** Creates the topics that a broker begins with, and takes them back, by CreateTopics requests without a socket. */
import { ConfigError } from '../config/sources.ts'
import type { Dispatch } from '../net/dispatch.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { CreateTopics, DeleteTopics } from '../protocol/messages/topics.ts'
import { send } from './in-process.ts'
import type { SettingValue, TopicOptions } from './options.ts'

const TIMEOUT_MS = 60_000
/** Error codes after which the topic exists. */
const EXISTS: readonly ErrorName[] = ['NONE', 'TOPIC_ALREADY_EXISTS']
/** Stands for the broker's own number of partitions or replicas. */
const DEFAULT = -1

/**
 * Creates the topics that the data directory does not hold; the others stay as they are. Calls `created` for each new topic.
 * Throws ConfigError with the first refusal, which begins with `source`.
 */
export async function createTopics(
  dispatch: Dispatch,
  topics: readonly (string | TopicOptions)[],
  source: string,
  created: (name: string) => void
): Promise<void> {
  if (topics.length === 0) return
  const request = {
    topics: topics.map(topic => creatable(typeof topic === 'string' ? { name: topic } : topic)),
    timeoutMs: TIMEOUT_MS
  }
  const response = await send(dispatch, CreateTopics, request, { correlationId: 0, clientId: 'minikafka' })
  for (const { name, errorCode } of response?.topics ?? []) if (errorCode === 'NONE') created(name)
  const refused = response?.topics.find(({ errorCode }) => !EXISTS.includes(errorCode))
  if (refused === undefined) return
  const { name, errorCode, errorMessage } = refused
  throw new ConfigError(`${source}: topic ${name} cannot be created: ${errorMessage ?? errorCode}`)
}

/** Deletes topics that a failed start has created. */
export async function deleteTopics(dispatch: Dispatch, names: readonly string[]): Promise<void> {
  const request = { topics: names.map(name => ({ name })), timeoutMs: TIMEOUT_MS }
  await send(dispatch, DeleteTopics, request, { correlationId: 0, clientId: 'minikafka' })
}

function creatable({ name, partitions = DEFAULT, replicationFactor = DEFAULT, config }: TopicOptions) {
  return {
    name,
    numPartitions: partitions,
    replicationFactor,
    assignments: [],
    configs: Object.entries(givenSettings(config)).map(([key, value]) => ({ name: key, value: String(value) }))
  }
}

/** The settings that are not undefined. */
export function givenSettings(config: TopicOptions['config'] = {}): Record<string, SettingValue> {
  const given: Record<string, SettingValue> = {}
  for (const [name, value] of Object.entries(config)) if (value !== undefined) given[name] = value
  return given
}
