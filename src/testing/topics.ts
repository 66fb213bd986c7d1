/** Topics for a test, created as a client would: through a CreateTopics request, without a socket. */
import type { ConnectionContext, Dispatch } from '../net/dispatch.ts'
import { decodeResponse, encodeRequest } from '../protocol/api.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { CreateTopics } from '../protocol/messages/topics.ts'
import type { TopicOptions } from './options.ts'

const VERSION = CreateTopics.versions[1]
const TIMEOUT_MS = 60_000
/** How a topic may be answered that exists afterwards. */
const THERE: readonly ErrorName[] = ['NONE', 'TOPIC_ALREADY_EXISTS']
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
  const frame = Buffer.concat(
    encodeRequest(CreateTopics, VERSION, { correlationId: 0, clientId: 'minikafka' }, request)
  )
  const answer = Buffer.concat((await dispatch(frame.subarray(4), inProcess())) ?? [])
  const { response } = decodeResponse(CreateTopics, VERSION, answer.subarray(4))
  const refused = response.topics.find(({ errorCode }) => !THERE.includes(errorCode))
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

/** The connection of a caller in this process. */
function inProcess(): ConnectionContext {
  const here = '127.0.0.1'
  return {
    id: 0,
    remoteAddress: here,
    remotePort: 0,
    localAddress: here,
    localPort: 0,
    listenerName: 'PLAINTEXT',
    closed: new AbortController().signal,
    warn: () => {},
    client: undefined
  }
}
