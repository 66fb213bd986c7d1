/** A broker for a test: started in this process in a few milliseconds, on a free port, gone without a trace. */
import { resolve } from '../config/resolve.ts'
import { fromObject } from '../config/sources.ts'
import type { Dispatch } from '../net/dispatch.ts'
import { type RunningNode, startNode } from '../node.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { CreateTopics } from '../protocol/messages/topics.ts'
import { silentLogger } from '../runtime/logger.ts'
import { systemRandom } from '../runtime/random.ts'
import { systemClocks } from '../runtime/time.ts'
import { send } from './in-process.ts'
import type { MiniKafkaOptions, TopicOptions } from './options.ts'

/**
 * An Apache Kafka broker in this process. Any number of them can run at once.
 *
 * ```ts
 * const kafka = await MiniKafka.start({ topics: ['orders'] })
 * const client = new Kafka({ brokers: [kafka.bootstrapServers] })
 * // ...
 * await kafka.stop()
 * ```
 */
export class MiniKafka implements AsyncDisposable {
  readonly #node: RunningNode

  private constructor(node: RunningNode) {
    this.#node = node
  }

  /**
   * Starts a broker; it is ready for clients when the promise resolves. Throws an error whose message is a sentence for
   * people when an option or setting is wrong, the port is taken or the directory cannot be used.
   */
  static async start(options: MiniKafkaOptions = {}): Promise<MiniKafka> {
    const { config = {}, dataDir = null, logger = silentLogger } = options
    const { settings, unhonoured } = resolve(fromObject(listening(options), 'host'), fromObject(config))
    if (unhonoured.length > 0) logger.warn({}, `these settings of Kafka have no effect here: ${unhonoured.join(', ')}`)
    const node = await startNode({ settings, dataDir, clocks: systemClocks, random: systemRandom, logger })
    const kafka = new MiniKafka(node)
    try {
      await createTopics(node.dispatch, options.topics ?? [])
    } catch (error) {
      await kafka.stop()
      throw error
    }
    return kafka
  }

  /** host:port of the broker, for a client's bootstrap.servers or brokers. */
  get bootstrapServers(): string {
    return this.#node.bootstrapServers
  }

  /** Rejects when the broker cannot go on because of a fault of its own; never resolves. Ignoring it is safe. */
  get failed(): Promise<never> {
    return this.#node.failed
  }

  /** Answers what clients still wait for, closes their connections and all files. Calling it again does no harm. */
  async stop(): Promise<void> {
    await this.#node.stop()
  }

  /** For `await using kafka = await MiniKafka.start()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

function listening({ host = '127.0.0.1', port = 0 }: MiniKafkaOptions): Record<string, string> {
  return { listeners: `PLAINTEXT://${host.includes(':') ? `[${host}]` : host}:${port}` }
}

/** Topics for a test, created as a client would: through a CreateTopics request, without a socket. */
const TIMEOUT_MS = 60_000
/** Error codes after which the topic exists. */
const EXISTS: readonly ErrorName[] = ['NONE', 'TOPIC_ALREADY_EXISTS']
/** The broker's own number of partitions or replicas. */
const DEFAULT = -1

/**
 * Creates the topics that a data directory does not hold already; those stay as they are. Throws an error that names the
 * first one refused and why.
 */
async function createTopics(dispatch: Dispatch, topics: readonly (string | TopicOptions)[]): Promise<void> {
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
