/** Creates and deletes the initial topics of a broker by requests without a socket. */
import { ConfigError } from '../config/sources.ts'
import { MAX_RECORDS_PER_USER_OP } from '../metadata/decisions/plan.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { CreateTopics, DeleteTopics } from '../protocol/messages/topics.ts'
import type { InProcessClient } from './in-process-client.ts'
import type { SettingValue, TopicOptions } from './options.ts'

const TIMEOUT_MS = 60_000
/** Limit of topics, partitions and settings in one request, unless a single topic has more. */
const MAX_RECORDS = MAX_RECORDS_PER_USER_OP / 2
/** Error codes after which the topic exists. */
const EXISTS: readonly ErrorName[] = ['NONE', 'TOPIC_ALREADY_EXISTS']
/** Selects the broker's default number of partitions or replicas. */
const DEFAULT = -1

/** The topics to create. */
export interface NewTopics {
  readonly topics: readonly (string | TopicOptions)[]
  /** The beginning of error messages. */
  readonly source: string
  /** `num.partitions` of the broker. */
  readonly defaultPartitions: number
}

/**
 * Creates the topics that do not exist; existing ones are unchanged. Calls `created` for each new topic. Throws ConfigError for
 * the first topic that the broker refuses.
 */
export async function createTopics(
  client: InProcessClient,
  { topics, source, defaultPartitions }: NewTopics,
  created: (name: string) => void
): Promise<void> {
  const all = topics.map(topic => creatable(typeof topic === 'string' ? { name: topic } : topic))
  const recordsOf = ({ numPartitions, configs }: Creatable) =>
    1 + (numPartitions === DEFAULT ? defaultPartitions : numPartitions) + configs.length
  const names = new Set<string>()
  for (const { name } of all) {
    // The broker refuses a repeated name only within a request.
    if (names.has(name)) throw new ConfigError(escaped(`${source}: topic ${name} is listed twice`))
    names.add(name)
  }
  for (const batch of batches(all, recordsOf)) {
    const response = await client.request(CreateTopics, { topics: batch, timeoutMs: TIMEOUT_MS })
    for (const { name, errorCode } of response.topics) if (errorCode === 'NONE') created(name)
    const refused = response.topics.find(({ errorCode }) => !EXISTS.includes(errorCode))
    if (refused === undefined) continue
    const { name, errorCode, errorMessage } = refused
    const isTooLarge = batch.some(topic => topic.name === name && recordsOf(topic) > MAX_RECORDS_PER_USER_OP)
    const limit = isTooLarge ? ` A topic has at most ${MAX_RECORDS_PER_USER_OP - 1} partitions and settings.` : ''
    throw new ConfigError(escaped(`${source}: topic ${name} cannot be created: ${errorMessage ?? errorCode}${limit}`))
  }
}

/** Escapes control characters of a refused name as in JSON, so that the message is one line. */
function escaped(text: string): string {
  return text.replace(/\p{Cc}|[\u2028\u2029]/gu, character => {
    const json = JSON.stringify(character).slice(1, -1)
    return json === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : json
  })
}

/** Deletes topics. Returns the reason for each topic that could not be deleted. */
export async function deleteTopics(client: InProcessClient, names: readonly string[]): Promise<Map<string, string>> {
  const refusals = new Map<string, string>()
  for (const batch of batches(names, () => 1)) {
    const request = { topics: batch.map(name => ({ name })), timeoutMs: TIMEOUT_MS }
    try {
      const { responses } = await client.request(DeleteTopics, request)
      for (const { name, errorCode } of responses) if (errorCode !== 'NONE') refusals.set(name ?? '', errorCode)
    } catch (error) {
      for (const name of batch) refusals.set(name, error instanceof Error ? error.message : String(error))
    }
  }
  return refusals
}

/** Items in batches of at most `MAX_RECORDS` records, or of one item. */
function* batches<Item>(items: readonly Item[], recordsOf: (item: Item) => number): Generator<Item[]> {
  let batch: Item[] = []
  let records = 0
  for (const item of items) {
    const more = recordsOf(item)
    if (batch.length > 0 && records + more > MAX_RECORDS) {
      yield batch
      batch = []
      records = 0
    }
    batch.push(item)
    records += more
  }
  if (batch.length > 0) yield batch
}

type Creatable = ReturnType<typeof creatable>

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
