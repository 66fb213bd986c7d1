/**
 * A broker in this process on a manual clock and memory storage, for our own tests: requests by API name and version,
 * decoded responses, no sockets.
 */
import { Broker } from '../broker/broker.ts'
import type { InsertedStages } from '../broker/pipeline.ts'
import { resolve } from '../config/resolve.ts'
import { Settings } from '../config/settings.ts'
import { fromObject } from '../config/sources.ts'
import type { EventSink } from '../events/event.ts'
import { NodeEvents } from '../events/node-events.ts'
import type { ProgressListener } from '../log/recovery/recovery-progress.ts'
import type { Dispatch } from '../net/dispatch.ts'
import type { Api, DecodedResponseOf, EncodableRequestOf } from '../protocol/api.ts'
import { APIS, type ApiName } from '../protocol/messages/index.ts'
import { batchesIn } from '../protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../protocol/records/builder.ts'
import { recordsOf } from '../protocol/records/record.ts'
import { type Logger, silentLogger } from '../runtime/logger.ts'
import { type Random, seededRandom } from '../runtime/random.ts'
import { MemoryStorage } from '../storage/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { type RequestOptions, send } from './in-process.ts'
import { ManualClock } from './manual-clock.ts'

type RequestBody<N extends ApiName> = EncodableRequestOf<(typeof APIS)[N]>
type ResponseBody<N extends ApiName> = DecodedResponseOf<(typeof APIS)[N]>

export interface HarnessOptions {
  readonly config?: Record<string, string | number | boolean>
  readonly storage?: Storage
  readonly clock?: ManualClock
  readonly logger?: Logger
  /** Sinks of the broker's events. */
  readonly sinks?: readonly EventSink[]
  readonly progress?: ProgressListener
  readonly signal?: AbortSignal
  readonly random?: Random
  readonly stages?: InsertedStages
}

export class Harness implements AsyncDisposable {
  readonly broker: Broker
  readonly clock: ManualClock
  readonly storage: Storage
  /** Sends frames to the broker. */
  readonly dispatch: Dispatch
  readonly #events: NodeEvents
  readonly #options: HarnessOptions
  #correlationId = 0
  #stopped: Promise<void> | undefined

  private constructor(
    broker: Broker,
    clock: ManualClock,
    storage: Storage,
    events: NodeEvents,
    options: HarnessOptions
  ) {
    this.broker = broker
    this.dispatch = broker.dispatch
    this.clock = clock
    this.storage = storage
    this.#events = events
    this.#options = options
  }

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    const {
      clock = new ManualClock(),
      random = seededRandom(7),
      logger = silentLogger,
      sinks,
      progress,
      signal,
      stages
    } = options
    const { storage = new MemoryStorage({ now: () => clock.wall.now() }) } = options
    const settings = new Settings(resolve(fromObject(options.config ?? {})).settings)
    const clocks = clock
    const events = new NodeEvents({ nodeId: settings.get('node.id'), clocks, logger, sinks })
    const broker = await Broker.start({ settings, storage, clocks, random, events, progress, signal, stages })
    return new Harness(broker, clock, storage, events, options)
  }

  /** Stops the broker and starts another one on the same storage and clock, with the same options except `changes`. */
  async restart(changes: HarnessOptions = {}): Promise<Harness> {
    await this.stop()
    return Harness.start({ ...this.#options, clock: this.clock, storage: this.storage, ...changes })
  }

  /** Sends a request. Resolves with the decoded response; undefined if the broker sends no response. */
  async send<N extends ApiName>(
    name: N,
    request: RequestBody<N>,
    { clientId = 'test', ...options }: RequestOptions = {}
  ): Promise<ResponseBody<N> | undefined> {
    const api: Api = APIS[name]
    const correlationId = ++this.#correlationId
    const response = await send(this.dispatch, api, request as never, { clientId, ...options, correlationId })
    return response as ResponseBody<N> | undefined
  }

  /** As `send`, for requests that always have a response. */
  async request<N extends ApiName>(
    name: N,
    request: RequestBody<N>,
    options?: RequestOptions
  ): Promise<ResponseBody<N>> {
    const response = await this.send(name, request, options)
    if (response === undefined) throw new Error(`${name} has no response`)
    return response
  }

  /** Creates a topic and returns its id. */
  async createTopic(name: string, numPartitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const { topics } = await this.request('CreateTopics', {
      topics: [
        {
          name,
          numPartitions,
          replicationFactor: 1,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value }))
        }
      ]
    })
    const [topic] = topics
    if (topic?.errorCode !== 'NONE') throw new Error(`${name}: ${topic?.errorCode} ${topic?.errorMessage}`)
    return topic.topicId
  }

  /** Produces one batch and returns the response for the partition. */
  async produce(topicId: string, records: Buffer, { index = 0, acks = -1 } = {}) {
    const response = await this.request('Produce', {
      transactionalId: null,
      acks,
      timeoutMs: 1000,
      topicData: [{ topicId, partitionData: [{ index, records }] }]
    })
    const partition = response.responses[0]?.partitionResponses[0]
    if (!partition) throw new Error('no partition in the answer')
    return partition
  }

  /** The part of a Fetch without session for one partition. */
  fetchRequest(topicId: string, fetchOffset: bigint, changes: Partial<RequestBody<'Fetch'>> = {}, partition = 0) {
    return {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1_000_000,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topicId, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1_000_000 }] }],
      ...changes
    } as RequestBody<'Fetch'>
  }

  /** Values of the records of one partition from an offset on. */
  async values(topicId: string, fetchOffset = 0n, partition = 0): Promise<string[]> {
    const response = await this.request('Fetch', this.fetchRequest(topicId, fetchOffset, {}, partition))
    const data = response.responses[0]?.partitions[0]
    if (data?.errorCode !== 'NONE') throw new Error(`fetch failed: ${data?.errorCode}`)
    return valuesIn(data.records)
  }

  /** Stops the broker. A second call waits for the first. */
  async stop(): Promise<void> {
    this.#stopped ??= this.broker.stop()
    await this.#stopped
    this.#events.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** The values of all records in fetched bytes. */
export function valuesIn(records: Buffer | null): string[] {
  return [...batchesIn(records ?? Buffer.alloc(0))].flatMap(batch =>
    recordsOf(batch).map(({ value }) => value?.toString() ?? 'null')
  )
}

/** A batch as a producer sends it. */
export function batchOf(values: readonly string[], options: BatchOptions = {}, timestamp = 1_700_000_000_000n): Buffer {
  const records = values.map(value => ({ key: null, value: Buffer.from(value), timestamp }))
  return buildBatch(records, options).bytes
}
