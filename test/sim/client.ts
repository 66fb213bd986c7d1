/**
 * A client of a broker that can crash during a request. It records acknowledged changes in Promises and sends only requests with
 * one valid response.
 */
import { expect } from 'vitest'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { batchOf, Harness, type HarnessOptions } from '../../src/testing/harness.ts'
import { type Promises, type Sent, SOME_ID } from './promises.ts'

const TIME = 1_700_000_000_000n
const EARLIEST = -2n
const LATEST = -1n
const GROUP = 'readers'

/** Limits that make files roll and go soon: a segment holds two or three records. */
const CONFIG = {
  'log.segment.delete.delay.ms': 1000,
  'log.cleaner.backoff.ms': 20_000,
  'offsets.topic.num.partitions': 1,
  'offsets.topic.replication.factor': 1
}
const TOPIC_CONFIG = { 'internal.segment.bytes': '250', 'segment.index.bytes': '1000', 'index.interval.bytes': '100' }

/** A record as a consumer reads it. */
export interface OffsetValue {
  readonly offset: bigint
  readonly value: string
}

export class Client {
  readonly harness: Harness
  readonly #promises: Promises
  /** Throws if the process is dead and its response therefore counts as lost. */
  readonly #heard: () => void

  private constructor(harness: Harness, promises: Promises, heard: () => void) {
    this.harness = harness
    this.#promises = promises
    this.#heard = heard
  }

  /** Starts a broker with a client. */
  static async start(options: HarnessOptions, promises: Promises, heard: () => void = () => {}): Promise<Client> {
    const harness = await Harness.start({ ...options, config: { ...CONFIG, ...options.config } })
    heard()
    return new Client(harness, promises, heard)
  }

  async stop(): Promise<void> {
    await this.harness.stop()
    this.#heard()
  }

  /** Returns the topic as a producer needs it. */
  async createTopic(
    name: string,
    partitions = 1,
    configs: Readonly<Record<string, string>> = {}
  ): Promise<{ name: string; topicId: string }> {
    const created = this.#promises.topic(name)
    await created.set(SOME_ID, async () => {
      const topicId = await this.harness.createTopic(name, partitions, { ...TOPIC_CONFIG, ...configs })
      this.#heard()
      return topicId
    })
    return { name, topicId: created.promised ?? '' }
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#promises.topic(name).set(null, async () => {
      const { responses } = await this.harness.request('DeleteTopics', { topics: [{ name }], timeoutMs: 1000 })
      this.#heard()
      expect(responses[0]?.errorCode).toBe('NONE')
      return null
    })
  }

  /** The id of a topic, null for a missing topic. */
  async topicId(name: string): Promise<string | null> {
    const { topics } = await this.harness.request('Metadata', { topics: [{ name }], allowAutoTopicCreation: false })
    this.#heard()
    return topics[0]?.errorCode === 'NONE' ? topics[0].topicId : null
  }

  async newProducer(): Promise<bigint> {
    const { producerId, errorCode } = await this.harness.request('InitProducerId', {
      transactionalId: null,
      transactionTimeoutMs: 1000
    })
    this.#heard()
    expect(errorCode).toBe('NONE')
    expect(this.#promises.producerIds).not.toContain(producerId)
    this.#promises.producerIds.push(producerId)
    return producerId
  }

  /** Sends the next record, or an earlier one again, and returns its offset. */
  async send(sent: Sent, sequence = sent.values.length): Promise<bigint> {
    const answer = await this.trySend(sent, sequence)
    expect(answer).toMatchObject({ errorCode: 'NONE', errorMessage: null })
    sent.acknowledged = Math.max(sent.acknowledged, sequence + 1)
    return answer.baseOffset
  }

  /** Like `send`, but accepts an error of the broker. */
  async trySend(sent: Sent, sequence: number) {
    const { producerId, topic, topicId, partition } = sent
    const value = sent.values[sequence] ?? `${topic}-${partition} ${sequence}`
    sent.values[sequence] = value
    const options = { producerId, producerEpoch: 0, baseSequence: sequence }
    const batch = batchOf([value], options, TIME + BigInt(sequence))
    const answer = await this.harness.produce(topicId, batch, { index: partition })
    this.#heard()
    return answer
  }

  async deleteRecords({ topic, partition, logStart }: Sent, offset: bigint): Promise<void> {
    await logStart.set(offset, async () => {
      const topics = [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }]
      const answer = await this.harness.request('DeleteRecords', { topics, timeoutMs: 1000 })
      this.#heard()
      expect(answer.topics[0]?.partitions[0]?.errorCode).toBe('NONE')
      return offset
    })
  }

  /** The readable records and the log start offset. */
  async read({ topic, topicId, partition }: Sent): Promise<{ start: bigint; records: OffsetValue[] }> {
    const start = await this.#offset(topic, partition, EARLIEST)
    const end = await this.#offset(topic, partition, LATEST)
    const records: OffsetValue[] = []
    for (let offset = start; offset < end; ) {
      const more = await this.#fetch(topicId, partition, offset)
      records.push(...more)
      offset = (more.at(-1)?.offset ?? end) + 1n
    }
    return { start, records }
  }

  async #fetch(topicId: string, partition: number, offset: bigint): Promise<OffsetValue[]> {
    const answer = await this.harness.request('Fetch', this.harness.fetchRequest(topicId, offset, {}, partition))
    const data = answer.responses[0]?.partitions[0]
    expect(data?.errorCode).toBe('NONE')
    const records = [...batchesIn(data?.records ?? Buffer.alloc(0))].flatMap(recordsOf)
    return records.map(record => ({ offset: record.offset, value: String(record.value) }))
  }

  async #offset(topic: string, partitionIndex: number, timestamp: bigint): Promise<bigint> {
    const topics = [{ name: topic, partitions: [{ partitionIndex, timestamp }] }]
    const answer = await this.harness.request('ListOffsets', { topics })
    const found = answer.topics[0]?.partitions[0]
    expect(found?.errorCode).toBe('NONE')
    return found?.offset ?? -1n
  }

  async commit(topic: string, offset: bigint): Promise<void> {
    await this.#promises.committed.set(offset, async () => {
      await this.harness.request('FindCoordinator', { keyType: 0, coordinatorKeys: [GROUP] })
      this.#heard()
      const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: null }]
      const request = { groupId: GROUP, generationIdOrMemberEpoch: -1, topics: [{ name: topic, partitions }] }
      const answer = await this.harness.request('OffsetCommit', request, { version: 9 })
      this.#heard()
      expect(answer.topics[0]?.partitions[0]?.errorCode).toBe('NONE')
      return offset
    })
  }

  /** The committed offset, -1 without one. */
  async committed(topic: string): Promise<bigint> {
    await this.harness.request('FindCoordinator', { keyType: 0, coordinatorKeys: [GROUP] })
    const groups = [{ groupId: GROUP, memberId: null, topics: [{ name: topic, partitionIndexes: [0] }] }]
    const answer = await this.harness.request('OffsetFetch', { groups }, { version: 9 })
    const found = answer.groups[0]?.topics[0]?.partitions[0]
    expect(found?.errorCode).toBe('NONE')
    return found?.committedOffset ?? -1n
  }

  async setRetention(topic: string, value: string): Promise<void> {
    await this.#promises.retentionMs.set(value, async () => {
      await this.#configure(topic, 'retention.ms', value)
      return value
    })
  }

  /** Makes the segments of __consumer_offsets so small that they are compacted soon. */
  async shrinkOffsets(): Promise<void> {
    await this.harness.request('FindCoordinator', { keyType: 0, coordinatorKeys: [GROUP] })
    this.#heard()
    await this.#configure('__consumer_offsets', 'internal.segment.bytes', '300')
  }

  async #configure(topic: string, name: string, value: string): Promise<void> {
    const configs = [{ name, configOperation: 0, value }]
    const answer = await this.harness.request('IncrementalAlterConfigs', {
      resources: [{ resourceType: 2, resourceName: topic, configs }]
    })
    this.#heard()
    expect(answer.responses[0]?.errorCode).toBe('NONE')
  }

  async retention(topic: string): Promise<string | null | undefined> {
    const resources = [{ resourceType: 2, resourceName: topic, configurationKeys: ['retention.ms'] }]
    const answer = await this.harness.request('DescribeConfigs', { resources })
    expect(answer.results[0]?.errorCode).toBe('NONE')
    return answer.results[0]?.configs[0]?.value
  }
}
