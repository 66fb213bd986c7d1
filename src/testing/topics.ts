/** Topics for a test, created as a client would: through a CreateTopics request, without a socket. */
import type { Dispatch } from '../net/dispatch.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { CreateTopics } from '../protocol/messages/topics.ts'
import { send } from './in-process.ts'
import type { TopicOptions } from './options.ts'

const TIMEOUT_MS = 60_000
/** Error codes after which the topic exists. */
const EXISTS: readonly ErrorName[] = ['NONE', 'TOPIC_ALREADY_EXISTS']
/** The broker's own number of partitions or replicas. */
const DEFAULT = -1

/**
 * Creates the topics that a data directory does not hold already; those stay as they are. Throws an error that names the
 * first one refused and why.
 */
export async function createTopics(dispatch: Dispatch, topics: readonly (string | TopicOptions)[]): Promise<void> {
  if (topics.length === 0) return
  const request = {
    topics: topics.map(topic => creatable(typeof topic === 'string' ? { name: topic } : topic)),
    timeoutMs: TIMEOUT_MS
  }
  const response = await send(dispatch, CreateTopics, request, { correlationId: 0, clientId: 'minikafka' })
  const refused = response?.topics.find(({ errorCode }) => !EXISTS.includes(errorCode))
  if (refused) throw new Error(`topic ${refused.name} cannot be created: ${refused.errorMessage ?? refused.errorCode}`)
}

function creatable({ name, partitions = DEFAULT, config = {} }: TopicOptions) {
  return {
    name,
    numPartitions: partitions,
    replicationFactor: DEFAULT,
    assignments: [],
    configs: Object.entries(config).map(([key, value]) => ({ name: key, value: String(value) }))
  }
}
