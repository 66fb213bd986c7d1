/** Writes the initial records of a broker, also in transactions, before clients are served. */
import { ConfigError } from '../config/sources.ts'
import type { BrokerSettings } from '../config/values.ts'
import type { Dispatch } from '../net/dispatch.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import { FindCoordinator } from '../protocol/messages/group.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import { Metadata } from '../protocol/messages/metadata.ts'
import { InitProducerId } from '../protocol/messages/producer-ids.ts'
import { AddPartitionsToTxn, EndTxn } from '../protocol/messages/transactions.ts'
import { TRANSACTIONS_V2 } from '../protocol/transaction-version.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Clocks } from '../runtime/time.ts'
import { createTopics, deleteTopics } from './create-topics.ts'
import { InProcessClient } from './in-process-client.ts'
import { choosePartition, newRecord, type PartitionChoice } from './new-record.ts'
import type { RecordOptions, TopicOptions, TransactionOptions } from './options.ts'
import { PartialTopics } from './partial-topics.ts'
import { type AssignedRecord, BY_NAME_UNTIL, RecordWriter, type TransactionalProducer } from './record-writer.ts'

const LATEST_TIMESTAMP = -1n
const TRANSACTION_COORDINATOR = 1
/** The versions of clients that send AddPartitionsToTxn (transaction.version 0 and 1). */
const CLASSIC_VERSIONS = { produce: 11, addPartitionsToTxn: 3, endTxn: 4 }

/** The broker to which the records are written. */
export interface SeededBroker {
  readonly dispatch: Dispatch
  readonly settings: BrokerSettings
  readonly clocks: Clocks
  readonly logger: Logger
  /** Null for data in memory. */
  readonly dataDir: string | null
  /** Aborts the writes: `seed` rejects. */
  readonly signal?: AbortSignal | undefined
}

/** A checked record or transaction, and its place in the user's input. */
export interface SourcedElement {
  readonly element: RecordOptions | TransactionOptions
  /** The beginning of error messages: `MiniKafka.start: records[3]`, `orders.ndjson line 4`. */
  readonly source: string
}

/** A topic, described before its first record is written. */
interface SeededTopic extends PartitionChoice {
  readonly name: string
  /** Whether an earlier start or a client has written records. Then no record is written. */
  readonly hadRecords: boolean
}

/** Initial topics and records of a broker. */
export interface InitialData {
  /** The place of the topics in the user's input, for error messages. */
  readonly source: string
  readonly topics: readonly (string | TopicOptions)[]
  readonly records: Iterable<SourcedElement> | AsyncIterable<SourcedElement>
}

/**
 * Creates the topics, then writes the records in their order. Rejects with a ConfigError if the broker refuses one. Then the
 * created topics are deleted, so that a start with corrected records writes all records. The error names the topics that could
 * not be deleted, and the older topics that keep records written before the refused one.
 */
export async function seed(broker: SeededBroker, { source, topics, records }: InitialData): Promise<void> {
  const client = new InProcessClient(broker.dispatch, broker.clocks.loop, broker.signal)
  const seeding = new Seeding(broker, client)
  try {
    await seeding.createTopics(topics, source)
    for await (const element of records) {
      broker.signal?.throwIfAborted()
      await seeding.write(element)
    }
    await seeding.finish()
  } catch (error) {
    throw await seeding.rollBack(error)
  }
}

class Seeding {
  readonly #broker: SeededBroker
  readonly #client: InProcessClient
  readonly #writer: RecordWriter
  readonly #topics = new Map<string, SeededTopic>()
  readonly #openTransactionalIds = new Set<string>()
  readonly #created = new Set<string>()
  readonly #partial: PartialTopics
  #addsImplicitly: boolean | undefined

  constructor(broker: SeededBroker, client: InProcessClient) {
    this.#broker = broker
    this.#client = client
    this.#partial = new PartialTopics(broker.dataDir)
    this.#writer = new RecordWriter(client)
  }

  createTopics(topics: InitialData['topics'], source: string): Promise<void> {
    const defaultPartitions = this.#broker.settings.get('num.partitions')
    return createTopics(this.#client, { topics, source, defaultPartitions }, name => this.#created.add(name))
  }

  async write({ element, source }: SourcedElement): Promise<void> {
    if ('transactionalId' in element) return this.#writeTransaction(element, source)
    const topic = this.#topics.get(element.topic) ?? (await this.#describeTopic(element.topic, source))
    if (!topic.hadRecords) await this.#writer.write(this.#assign(element, topic, source))
  }

  /** Sends all unsent batches. */
  async finish(): Promise<void> {
    await this.#writer.flush()
    this.#partial.delete(this.#namesWithout([]))
  }

  /** The topics to which this start writes, without `names`. */
  #namesWithout(names: readonly string[]): string[] {
    const topics = [...this.#topics.values()].filter(({ hadRecords }) => !hadRecords)
    return topics.map(({ name }) => name).filter(name => !names.includes(name))
  }

  /** Deletes the created topics. Returns `error`, with the topics that could not be deleted or keep records in its message. */
  async rollBack(error: unknown): Promise<unknown> {
    const refusals = await deleteTopics(this.#client, [...this.#created])
    const sentences: string[] = []
    for (const [name, reason] of refusals) sentences.push(`topic ${name} could not be deleted (${reason}): delete it`)
    const written = await this.#writtenTopics().catch((another: unknown) => {
      this.#broker.logger.error({ err: another }, 'the topics that keep initial records cannot be listed')
      return []
    })
    if (written.length > 0) {
      const remedy = `delete ${written.length === 1 ? 'the topic' : 'the topics'} to write all records again`
      sentences.push(
        `records that were already written remain in ${written.join(', ')}, and later starts skip them: ${remedy}`
      )
    }
    this.#partial.delete(this.#namesWithout([...refusals.keys(), ...written]))
    if (sentences.length === 0 || !(error instanceof ConfigError)) return error
    return new ConfigError([error.message, ...sentences].join('; '))
  }

  /** Topics that existed before, were empty, and now have records. */
  async #writtenTopics(): Promise<string[]> {
    const names: string[] = []
    for (const { name, hadRecords, partitionCount } of this.#topics.values()) {
      if (hadRecords || this.#created.has(name)) continue
      if (await this.#holdsRecords(name, [...Array(partitionCount).keys()])) names.push(name)
    }
    return names
  }

  /** Describes a topic. Creates it if it does not exist. */
  async #describeTopic(name: string, source: string): Promise<SeededTopic> {
    let indexes = await this.#partitionsOf(name)
    if (indexes === undefined) {
      await this.createTopics([name], source)
      indexes = await this.#partitionsOf(name)
    }
    if (indexes === undefined) throw new ConfigError(`${source}: topic ${name} is not available`)
    const hadRecords = await this.#holdsRecords(name, indexes)
    if (hadRecords) this.#logSkipped(name)
    else this.#partial.add(name)
    const topic = { name, partitionCount: indexes.length, hadRecords, nextPartition: 0 }
    this.#topics.set(name, topic)
    return topic
  }

  /** Logs a skipped topic. Only a topic of an unfinished start is a warning, because restarts with the same records are normal. */
  #logSkipped(name: string): void {
    const { logger } = this.#broker
    if (this.#partial.has(name)) {
      const reason = `topic ${name} may have only a part of its initial records, because an earlier start was interrupted`
      logger.warn({ topic: name }, `${reason}; delete the topic to write all records again`)
    } else logger.info({ topic: name }, `no records are written to topic ${name}, because it has had records before`)
  }

  async #holdsRecords(name: string, indexes: readonly number[]): Promise<boolean> {
    const partitions = indexes.map(partitionIndex => ({ partitionIndex, timestamp: LATEST_TIMESTAMP }))
    const { topics } = await this.#client.request(ListOffsets, { topics: [{ name, partitions }] })
    return topics.some(topic => topic.partitions.some(({ offset }) => offset > 0n))
  }

  /** Undefined if the topic does not exist. */
  async #partitionsOf(name: string): Promise<number[] | undefined> {
    const { topics } = await this.#client.request(Metadata, { topics: [{ name }], allowAutoTopicCreation: false })
    const [topic] = topics
    return topic?.errorCode === 'NONE' ? topic.partitions.map(({ partitionIndex }) => partitionIndex) : undefined
  }

  #assign(options: RecordOptions, topic: SeededTopic, source: string): AssignedRecord {
    const { name, partitionCount } = topic
    const record = newRecord(options, this.#broker.clocks.wall.now())
    const partition = options.partition ?? choosePartition(record, topic)
    if (partition >= partitionCount) {
      const partitions = partitionCount === 1 ? 'partition 0 alone' : `partitions 0 to ${partitionCount - 1}`
      throw new ConfigError(`${source}: partition is ${partition}, but topic ${name} has ${partitions}`)
    }
    return { topic: name, partition, record, source }
  }

  async #writeTransaction({ transactionalId, result = 'commit', records }: TransactionOptions, source: string) {
    const assigned: AssignedRecord[] = []
    for (const [index, record] of records.entries()) {
      const topic = this.#topics.get(record.topic) ?? (await this.#describeTopic(record.topic, source))
      if (topic.hadRecords) {
        const { logger } = this.#broker
        logger.info(
          { transactionalId },
          `no transaction of ${transactionalId} is written, because topic ${topic.name} has had records before`
        )
        return
      }
      assigned.push(this.#assign(record, topic, `${source}, records[${index}]`))
    }
    if (this.#openTransactionalIds.has(transactionalId)) {
      throw new ConfigError(
        `${source}: an earlier element keeps a transaction of ${transactionalId} open; use another transactionalId`
      )
    }
    await this.#writer.flush()
    await this.#produceTransaction(transactionalId, result, assigned, source)
    if (result === 'open') this.#openTransactionalIds.add(transactionalId)
  }

  async #produceTransaction(
    transactionalId: string,
    result: 'commit' | 'abort' | 'open',
    assigned: readonly AssignedRecord[],
    source: string
  ): Promise<void> {
    this.#addsImplicitly ??= await this.#partitionsAreAddedImplicitly()
    const producer = await this.#initProducer(transactionalId, source)
    if (!this.#addsImplicitly) await this.#addPartitions(producer, assigned, source)
    const writer = new RecordWriter(this.#client, producer)
    for (const record of assigned) await writer.write(record)
    await writer.flush()
    if (result === 'open') return
    const { producerId, producerEpoch } = producer
    const request = { transactionalId, producerId, producerEpoch, committed: result === 'commit' }
    const version = this.#addsImplicitly ? undefined : CLASSIC_VERSIONS.endTxn
    const { errorCode } = await this.#client.retried(() => this.#client.request(EndTxn, request, version))
    checkAnswer('EndTxn', errorCode, source)
  }

  /** Whether Produce adds partitions to transactions, instead of AddPartitionsToTxn (KIP-890). */
  async #partitionsAreAddedImplicitly(): Promise<boolean> {
    const software = { clientSoftwareName: 'minikafka', clientSoftwareVersion: '1' }
    const { finalizedFeatures } = await this.#client.request(ApiVersions, software)
    const feature = finalizedFeatures.find(({ name }) => name === 'transaction.version')
    return (feature?.maxVersionLevel ?? 0) >= TRANSACTIONS_V2
  }

  async #initProducer(transactionalId: string, source: string): Promise<TransactionalProducer> {
    await this.#client.request(FindCoordinator, {
      keyType: TRANSACTION_COORDINATOR,
      coordinatorKeys: [transactionalId]
    })
    const transactionTimeoutMs = this.#broker.settings.get('transaction.max.timeout.ms')
    const request = { transactionalId, transactionTimeoutMs }
    const response = await this.#client.retried(() => this.#client.request(InitProducerId, request))
    checkAnswer('InitProducerId', response.errorCode, source)
    const { producerId, producerEpoch } = response
    const produceVersion = this.#addsImplicitly ? BY_NAME_UNTIL : CLASSIC_VERSIONS.produce
    return { transactionalId, producerId, producerEpoch, produceVersion }
  }

  async #addPartitions(
    producer: TransactionalProducer,
    assigned: readonly AssignedRecord[],
    source: string
  ): Promise<void> {
    const partitions = new Map<string, Set<number>>()
    for (const { topic, partition } of assigned) {
      partitions.set(topic, (partitions.get(topic) ?? new Set<number>()).add(partition))
    }
    const request = {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: Array.from(partitions, ([name, indexes]) => ({ name, partitions: [...indexes] }))
    }
    const response = await this.#client.request(AddPartitionsToTxn, request, CLASSIC_VERSIONS.addPartitionsToTxn)
    for (const { resultsByPartition } of response.resultsByTopicV3AndBelow) {
      for (const { partitionErrorCode } of resultsByPartition)
        checkAnswer('AddPartitionsToTxn', partitionErrorCode, source)
    }
  }
}

function checkAnswer(api: string, errorCode: ErrorName, source: string): void {
  if (errorCode !== 'NONE') throw new ConfigError(`${source}: the transaction is refused by ${api}: ${errorCode}`)
}
