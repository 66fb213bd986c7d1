/** A broker for a test: started in this process in a few milliseconds, on a free port, gone without a trace. */
import { resolve } from '../config/resolve.ts'
import { fromObject } from '../config/sources.ts'
import { type RunningNode, startNode } from '../node.ts'
import { silentLogger } from '../runtime/logger.ts'
import { systemRandom } from '../runtime/random.ts'
import { systemClocks } from '../runtime/time.ts'
import type { MiniKafkaOptions } from './options.ts'
import { createTopics } from './topics.ts'

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
