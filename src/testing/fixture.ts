/** The fixture: a broker in the process of a test, on a free port. */

import { resolve } from '../config/resolve.ts'
import { ConfigError, fromObject } from '../config/sources.ts'
import type { Dispatch } from '../net/dispatch.ts'
import { type RunningNode, startNode } from '../node.ts'
import { silentLogger } from '../runtime/logger.ts'
import { systemRandom } from '../runtime/random.ts'
import { keepingProcessAlive, systemClocks } from '../runtime/time.ts'
import { type ClientConfigs, clientConfig } from './client-config.ts'
import { givenSettings } from './create-topics.ts'
import { type DataDirectory, dataDirectory } from './data-directory.ts'
import { emitWarnings, type Finding, LeakError } from './findings.ts'
import { INSPECT } from './inspect.ts'
import { findLeaks } from './leaks.ts'
import { verifyOptions } from './option-check.ts'
import { START_OPTIONS, STOP_OPTIONS } from './option-shapes.ts'
import type { MiniKafkaOptions, StopOptions } from './options.ts'
import { type SourcedElement, seed } from './seeding.ts'

/** Maximum number of topic names that `console.log` shows. */
const MOST_TOPICS_SHOWN = 20

/**
 * An Apache Kafka broker in this process. Several can run at the same time.
 *
 * ```ts
 * const kafka = await MiniKafka.start({ topics: ['orders'] })
 * const client = new Kafka(kafka.clientConfig('kafkajs'))
 * // ...
 * await kafka.stop()
 * ```
 */
export class MiniKafka implements AsyncDisposable {
  readonly #node: RunningNode
  readonly #directory: DataDirectory
  #state: 'running' | 'stopping' | 'stopped' = 'running'
  #stopping: Promise<void> | undefined

  private constructor(node: RunningNode, directory: DataDirectory) {
    if (node === undefined) throw new ConfigError('new MiniKafka() creates no broker: use await MiniKafka.start()')
    this.#node = node
    this.#directory = directory
    // For `afterAll(kafka.stop)`.
    this.stop = this.stop.bind(this)
  }

  /**
   * Starts a broker. Resolves when the broker is ready for clients. Rejects with a `ConfigError` for an invalid option or
   * setting, a `ListenError` if the port cannot be bound, a `DataDirectoryError` if the directory cannot be used. A failed
   * start closes the port and removes a temporary directory.
   */
  static async start(options: MiniKafkaOptions = {}): Promise<MiniKafka> {
    const copy = verifyOptions('MiniKafka.start', START_OPTIONS, options)
    const { topics = [], records = [], logger = silentLogger, unref = true } = copy
    const { settings, unhonoured } = resolve(
      fromObject(listening(copy), 'host'),
      fromObject(givenSettings(copy.config))
    )
    if (unhonoured.length > 0) logger.warn({}, `these settings of Kafka have no effect here: ${unhonoured.join(', ')}`)
    const world = { clocks: systemClocks, random: systemRandom, logger }
    const initialData = { source: 'MiniKafka.start', topics, records: sourced(records) }
    const directory = await dataDirectory(copy.dataDir)
    const dataDir = directory.path ?? null
    const prepare = (dispatch: Dispatch) => seed({ dispatch, settings, dataDir, ...world }, initialData)
    try {
      const start = () => startNode({ settings, dataDir, ...world, prepare, unref })
      return new MiniKafka(await keepingProcessAlive(start), directory)
    } catch (error) {
      directory.release()
      throw error
    }
  }

  /** host:port of each listener, separated by commas: `bootstrap.servers` of a client. Also readable after `stop`. */
  get bootstrapServers(): string {
    return this.#node.bootstrapServers
  }

  /** host:port of each listener: `brokers` of kafkajs, `bootstrapBrokers` of platformatic's client. A new array each time. */
  get bootstrapServerList(): string[] {
    return this.bootstrapServers.split(',')
  }

  /**
   * The configuration with which a client of this library connects to the broker, as in
   * `new Kafka(kafka.clientConfig('kafkajs'))`. Throws a `ConfigError` for an unknown library.
   */
  clientConfig<Library extends keyof ClientConfigs>(library: Library): ClientConfigs[Library] {
    return clientConfig(library, this.bootstrapServerList)
  }

  /** The absolute path of the data directory; undefined for data in memory. Also readable after `stop`. */
  get dataDir(): string | undefined {
    return this.#directory.path
  }

  /** Rejects if the broker fails and cannot continue; never resolves. The promise may be ignored. */
  get failed(): Promise<never> {
    return this.#node.failed
  }

  /**
   * Stops the broker: responds to delayed requests, then closes connections and files. Emits a `MiniKafkaWarning` for each
   * client that is still connected; with `failOn: 'leak'` rejects with a `LeakError` instead. A second call waits for the
   * first and reports no clients. `afterAll(kafka.stop)` works, too.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const { failOn } = isRunnerContext(options) ? {} : verifyOptions('kafka.stop', STOP_OPTIONS, options)
    if (this.#stopping !== undefined) return this.#stopping
    const leaks: Finding[] = []
    this.#stopping = keepingProcessAlive(() => this.#stop(leaks))
    try {
      await this.#stopping
    } catch (error) {
      emitWarnings(leaks)
      throw error
    }
    if (failOn === 'leak' && leaks.length > 0) throw new LeakError(leaks)
    emitWarnings(leaks)
  }

  async #stop(leaks: Finding[]): Promise<void> {
    this.#state = 'stopping'
    leaks.push(...findLeaks(await this.#node.openConnections()))
    try {
      await this.#node.stop()
    } finally {
      this.#directory.release()
      this.#state = 'stopped'
    }
  }

  /** For `await using kafka = await MiniKafka.start()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** The summary that `console.log` shows. */
  [INSPECT](_depth: number, options: object, inspect: (value: object, options: object) => string): string {
    const topics = this.#node.topicNames()
    const hidden = topics.length - MOST_TOPICS_SHOWN
    const shown = hidden > 0 ? [...topics.slice(0, MOST_TOPICS_SHOWN), `... ${hidden} more`] : topics
    return `MiniKafka ${inspect({ bootstrapServers: this.bootstrapServers, topics: shown, state: this.#state }, options)}`
  }
}

/** vitest and node:test pass the suite or the test to a hook. Both have a name, which options do not have. */
function isRunnerContext(value: unknown): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && typeof Reflect.get(value, 'name') === 'string'
}

function* sourced(records: NonNullable<MiniKafkaOptions['records']>): Iterable<SourcedElement> {
  for (const [index, element] of records.entries()) yield { element, source: `MiniKafka.start: records[${index}]` }
}

function listening({ host = 'localhost', port = 0 }: MiniKafkaOptions): Record<string, string> {
  return { listeners: `PLAINTEXT://${host.includes(':') ? `[${host}]` : host}:${port}` }
}
