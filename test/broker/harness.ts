/** A whole broker on a manual clock and memory storage, asked through dispatch with bytes: no sockets, no waiting. */
import { Broker } from '../../src/broker/broker.ts'
import { resolve } from '../../src/config/resolve.ts'
import { fromObject } from '../../src/config/sources.ts'
import type { ProgressListener } from '../../src/log/recovery/recovery-progress.ts'
import type { ConnectionContext, Dispatch } from '../../src/net/dispatch.ts'
import type { Api, DecodedResponseOf, EncodableRequestOf } from '../../src/protocol/api.ts'
import { decodeResponse, encodeRequest } from '../../src/protocol/api.ts'
import { APIS, type ApiName } from '../../src/protocol/messages/index.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../src/protocol/records/builder.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { type Logger, silentLogger } from '../../src/runtime/logger.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

type RequestBody<N extends ApiName> = EncodableRequestOf<(typeof APIS)[N]>
type ResponseBody<N extends ApiName> = DecodedResponseOf<(typeof APIS)[N]>

export interface HarnessOptions {
  readonly config?: Record<string, string | number | boolean>
  readonly storage?: Storage
  readonly clock?: ManualClock
  readonly logger?: Logger
  readonly progress?: ProgressListener
  readonly signal?: AbortSignal
  readonly random?: Random
}

/** A connection as the sockets would describe it. */
export function connection(changes: Partial<ConnectionContext> = {}): ConnectionContext {
  return {
    id: 1,
    remoteAddress: '127.0.0.1',
    remotePort: 50_000,
    localAddress: '127.0.0.1',
    localPort: 9092,
    listenerName: 'PLAINTEXT',
    closed: new AbortController().signal,
    warn: () => {},
    client: undefined,
    ...changes
  }
}

export class Harness implements AsyncDisposable {
  readonly broker: Broker
  readonly clock: ManualClock
  readonly storage: Storage
  /** How requests reach the broker. */
  dispatch: Dispatch
  #correlationId = 0

  private constructor(broker: Broker, clock: ManualClock, storage: Storage) {
    this.broker = broker
    this.dispatch = broker.dispatch
    this.clock = clock
    this.storage = storage
  }

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    const { clock = new ManualClock(1_700_000_000_000), storage = new MemoryStorage(), logger = silentLogger } = options
    const { random = seededRandom(7), progress, signal } = options
    const { settings } = resolve(fromObject(options.config ?? {}))
    const broker = await Broker.start({ settings, storage, clock, random, logger, progress, signal })
    return new Harness(broker, clock, storage)
  }

  /** Asks at a version (default: the newest) and decodes the answer; undefined when there is none. */
  async ask<N extends ApiName>(
    name: N,
    request: RequestBody<N>,
    {
      version,
      clientId = 'test',
      from = connection()
    }: { version?: number; clientId?: string; from?: ConnectionContext } = {}
  ): Promise<ResponseBody<N> | undefined> {
    const api: Api = APIS[name]
    const at = version ?? api.versions[1]
    const correlationId = ++this.#correlationId
    const frame = Buffer.concat(encodeRequest(api, at, { correlationId, clientId }, request as never)).subarray(4)
    const answer = await this.dispatch(frame, from)
    if (!answer) return undefined
    const decoded = decodeResponse(api, at, Buffer.concat(answer).subarray(4))
    if (decoded.correlationId !== correlationId) throw new Error('the answer is for another request')
    return decoded.response as ResponseBody<N>
  }

  /** As `ask`, for requests that are always answered. */
  async get<N extends ApiName>(
    name: N,
    request: RequestBody<N>,
    options?: Parameters<Harness['ask']>[2]
  ): Promise<ResponseBody<N>> {
    const answer = await this.ask(name, request, options)
    if (!answer) throw new Error(`${name} was not answered`)
    return answer
  }

  /** Creates a topic and gives its id. */
  async createTopic(name: string, numPartitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const { topics } = await this.get('CreateTopics', {
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

  /** Produces one batch and gives the partition's answer. */
  async produce(topicId: string, records: Buffer, { index = 0, acks = -1 } = {}) {
    const answer = await this.get('Produce', {
      transactionalId: null,
      acks,
      timeoutMs: 1000,
      topicData: [{ topicId, partitionData: [{ index, records }] }]
    })
    const partition = answer.responses[0]?.partitionResponses[0]
    if (!partition) throw new Error('no partition in the answer')
    return partition
  }

  /** What a Fetch without session asks for one partition. */
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
    const answer = await this.get('Fetch', this.fetchRequest(topicId, fetchOffset, {}, partition))
    const data = answer.responses[0]?.partitions[0]
    if (data?.errorCode !== 'NONE') throw new Error(`fetch failed: ${data?.errorCode}`)
    return valuesIn(data.records)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.stop()
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
