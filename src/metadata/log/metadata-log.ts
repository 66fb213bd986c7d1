/**
 * The metadata log `__cluster_metadata-0`, led by this node alone: topics, ids, configs and producer id blocks. `append` syncs
 * its records to disk before it returns, because all other state depends on them. Appends are rare enough for a sync each.
 */
import { Settings } from '../../config/settings.ts'
import { BrokerSettings } from '../../config/values.ts'
import { rows } from '../../config/view.ts'
import type { Event, Events } from '../../events/event.ts'
import { folderOf } from '../../log/partition-folder.ts'
import { LOG_ROWS, type LogConfig } from '../../log/partition-log/log-config.ts'
import type { PartitionLog } from '../../log/partition-log/partition-log.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { buildBatch } from '../../protocol/records/builder.ts'
import type { Clocks } from '../../runtime/time.ts'
import { directoryOf, replaceFile, type Storage } from '../../storage/storage.ts'
import { MAX_RECORDS_PER_USER_OP } from '../decisions/plan.ts'
import {
  bootstrapFeatures,
  checkFeatures,
  type FinalizedFeature,
  finalizedFeatures,
  finalizedLevel,
  type SupportedFeature,
  supportedFeatures
} from '../features.ts'
import { deltaOf, type MetadataDelta } from '../image/delta.ts'
import { evolve } from '../image/evolve.ts'
import { EMPTY_IMAGE, type MetadataImage, type PartitionState } from '../image/image.ts'
import { registeredEpoch } from '../other-records.ts'
import { encodeMetadataRecord, type MetadataRecord, metadataRecord } from '../records.ts'
import { CLUSTER_METADATA_TOPIC_NAME } from '../topic-names.ts'
import { checkAlone, checkUnused, fenceStaleBrokers } from './adoption.ts'
import { leaderChange, QUORUM_STATE_FILE, type Quorum, quorumEpoch, quorumOfOne, quorumState } from './quorum.ts'
import { replay } from './replay.ts'
import { type SnapshotContent, snapshotBatches } from './snapshot-batches.ts'
import { listSnapshots, removeUnusable, snapshotAt, writeSnapshotNow } from './snapshots.ts'

/** Topic id of the metadata log in every cluster. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

const METADATA_LOG_ROWS = rows({ segmentBytes: 'metadata.log.segment.bytes', segmentMs: 'metadata.log.segment.ms' })

/**
 * Config of the metadata log: its own segment size and age, and Kafka's defaults for the rest. The broker's topic defaults do not
 * apply. Snapshots determine which segments are deleted, not the age and size of the log.
 */
export function metadataLogConfig(settings: Settings): LogConfig {
  const kafkaDefaults = new Settings(new BrokerSettings()).topic(CLUSTER_METADATA_TOPIC_NAME).view(LOG_ROWS)
  return { ...kafkaDefaults, ...settings.view(METADATA_LOG_ROWS), retentionMs: -1, retentionBytes: -1 }
}

/** Largest metadata batch that Kafka reads. */
const MAX_BATCH_BYTES = 8_388_608
const PRODUCER_ID_BLOCK_SIZE = 1000
const LARGEST_PRODUCER_ID = 2n ** 63n - 1n

/** Dependencies of the metadata log, and its identity. */
export interface MetadataLogOptions {
  /** The recovered log of partition 0 of `__cluster_metadata`, with an incomplete tail truncated. */
  readonly log: PartitionLog
  /** The data directory of the log. */
  readonly storage: Storage
  readonly clocks: Clocks
  readonly events: Events
  readonly nodeId: number
  /** The id of the data directory. */
  readonly directoryId: string
  /** Called with an error of a subscriber. Ends the broker. */
  failed(error: unknown): void
  /** Level of `transaction.version` for a new cluster; by default the newest. */
  readonly transactionVersion?: number
}

/** Called synchronously after each change, with the new image. */
export type MetadataSubscriber = (image: MetadataImage, delta: MetadataDelta) => void

/** Features as in ApiVersions. */
export interface Features {
  readonly supported: readonly SupportedFeature[]
  readonly finalized: readonly FinalizedFeature[]
  /** Increases with every change. */
  readonly epoch: bigint
}

export class MetadataLog {
  readonly #options: MetadataLogOptions
  /** Only this class appends to it. */
  readonly log: PartitionLog
  readonly #epoch: number
  readonly #quorum: Quorum
  readonly #subscribers: MetadataSubscriber[] = []
  #image: MetadataImage
  #lastTimestamp: bigint
  #appendedBytes: number

  /**
   * Replays the log, starts a new leader epoch, and writes the bootstrap records of a new cluster. Throws MetadataError if this
   * broker cannot serve the log; the message is a sentence.
   */
  constructor(options: MetadataLogOptions) {
    const { log, storage, nodeId } = options
    this.#options = options
    this.log = log
    if (log.logEndOffset === 0n) {
      checkUnused(storage)
      this.#nameVoters()
    }
    const { image, quorum, lastEpoch, inTransaction, lastTimestamp, bytesSinceSnapshot } = replay(storage, log)
    if (!isNew(image)) checkFeatures(image)
    checkAlone(image, quorum, options)
    removeUnusable(storage, log.folder, log.firstSegmentOffset)
    const quorumPath = `${log.folder}/${QUORUM_STATE_FILE}`
    this.#epoch = Math.max(lastEpoch, quorumEpoch(storage, quorumPath)) + 1
    this.#image = image
    this.#quorum = quorum
    this.#lastTimestamp = lastTimestamp
    this.#appendedBytes = 0
    replaceFile(storage, quorumPath, Buffer.from(quorumState(quorum, nodeId, this.#epoch)))
    log.beginLeaderEpoch(this.#epoch)
    this.#write(leaderChange(nodeId, this.#epoch, this.#now()))
    if (inTransaction) this.#write(this.#batch([metadataRecord('AbortTransactionRecord', {})]))
    if (isNew(image)) this.append(bootstrapFeatures(options.transactionVersion))
    this.append(fenceStaleBrokers(this.#image))
    for (const records of slices(electLeaders(this.#image))) this.append(records)
    this.#appendedBytes = bytesSinceSnapshot
  }

  /** The image after the last append. */
  get image(): MetadataImage {
    return this.#image
  }

  /** Offset of the last record. It increases with every change. */
  get version(): bigint {
    return this.log.logEndOffset - 1n
  }

  /**
   * Calls `subscriber` after each later change, before `append` returns. Subscribers are called in the order of their
   * subscription. The change is durable by then: the error of a subscriber ends the broker, and the others are still called.
   */
  subscribe(subscriber: MetadataSubscriber): void {
    this.#subscribers.push(subscriber)
  }

  /**
   * Appends records as one batch and syncs it, then applies them to the image, emits events and calls the subscribers. Throws
   * KAFKA_STORAGE_ERROR, POLICY_VIOLATION for a batch that Kafka could not read, or MetadataError for records that contradict
   * the image; the image is then unchanged.
   */
  append(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return
    const previous = this.#image
    const image = evolve(previous, records)
    const batch = this.#batch(records)
    this.#write(batch)
    this.#image = image
    this.#appendedBytes += batch.sizeInBytes
    const delta = deltaOf(previous, image, records)
    for (const event of eventsOf(delta)) this.#options.events.emit(event)
    this.#notify(delta)
  }

  /** Epoch of the last registration of this broker by Apache Kafka; -1 if Kafka never served this log. */
  get brokerEpoch(): bigint {
    return registeredEpoch(this.#image.others, this.#options.nodeId)
  }

  /** Bytes of changes: those after the newest snapshot when the log was opened, and those that were appended since. */
  get appendedBytes(): number {
    return this.#appendedBytes
  }

  /** Content of a snapshot at the log end offset. */
  snapshotContent(): SnapshotContent {
    const image = this.#image
    const offset = this.log.logEndOffset
    return { image, quorum: this.#quorum, offset, epoch: this.#epoch, lastTimestamp: this.#lastTimestamp }
  }

  /** Allocates a block of producer ids. An id is never allocated twice. */
  allocateProducerIds(): { firstProducerId: bigint; size: number } {
    const size = PRODUCER_ID_BLOCK_SIZE
    const firstProducerId = this.#image.nextProducerId ?? 0n
    const nextProducerId = firstProducerId + BigInt(size)
    if (nextProducerId > LARGEST_PRODUCER_ID) {
      throw new KafkaError('UNKNOWN_SERVER_ERROR', 'all producer ids are allocated')
    }
    this.append([metadataRecord('ProducerIdsRecord', { brokerId: this.#options.nodeId, nextProducerId })])
    return { firstProducerId, size }
  }

  /** The finalized level of a feature; 0 if it is off. */
  level(feature: string): number {
    return finalizedLevel(this.#image, feature)
  }

  /** The supported features and the finalized levels. */
  features(): Features {
    return {
      supported: supportedFeatures(),
      finalized: finalizedFeatures(this.#image),
      epoch: this.version
    }
  }

  #notify(delta: MetadataDelta): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(this.#image, delta)
      } catch (error) {
        this.#options.failed(error)
      }
    }
  }

  #batch(records: readonly MetadataRecord[]): RecordBatch {
    const timestamp = this.#now()
    const batch = buildBatch(records.map(record => ({ timestamp, key: null, value: encodeMetadataRecord(record) })))
    if (batch.sizeInBytes <= MAX_BATCH_BYTES) return batch
    throw new KafkaError(
      'POLICY_VIOLATION',
      `a metadata change of ${batch.sizeInBytes} bytes is above the limit of ${MAX_BATCH_BYTES} bytes`
    )
  }

  #write(batch: RecordBatch): void {
    this.log.append(batch, this.#epoch)
    this.log.syncNow()
    this.log.advanceHighWatermark(this.log.logEndOffset)
    this.#lastTimestamp = batch.maxTimestamp
  }

  /**
   * Writes the first snapshot with this node as the only voter, so that a Kafka without configured static voters elects it. Only
   * valid before the first record.
   */
  #nameVoters(): void {
    const { storage, nodeId, directoryId } = this.#options
    const { folder } = this.log
    if (listSnapshots(storage, folder).length > 0) return
    const quorum = quorumOfOne(nodeId, directoryId)
    const content = { image: EMPTY_IMAGE, quorum, offset: 0n, epoch: 0, lastTimestamp: this.#now() }
    writeSnapshotNow(storage, snapshotAt(folder, 0n, 0), snapshotBatches(content, this.#now()))
    storage.syncNow(directoryOf(folder))
  }

  #now(): bigint {
    return BigInt(this.#options.clocks.wall.now())
  }
}

function* eventsOf(delta: MetadataDelta): Generator<Event, undefined> {
  const { previous, createdTopics, addedPartitions, changedPartitions, deletedTopics } = delta
  for (const { name: topic, topicId, partitions } of createdTopics) {
    yield { type: 'TopicCreated', topic, topicId, partitions: partitions.length }
  }
  for (const { name: topic, topicId, partitions } of addedPartitions.map(added => added.topic)) {
    yield { type: 'PartitionsAdded', topic, topicId, partitions: partitions.length }
  }
  for (const { topic, partitions } of changedPartitions) {
    for (const { partitionId, leader, leaderEpoch } of partitions) {
      const before = previous.topicsById.get(topic.topicId)?.partitions[partitionId]
      if (!before || before.leader === leader) continue
      const topicPartition = folderOf({ topic: topic.name, partition: partitionId })
      yield { type: 'LeaderChanged', topicPartition, oldLeader: before.leader, leader, leaderEpoch }
    }
  }
  for (const { name: topic, topicId } of deletedTopics) yield { type: 'TopicDeleted', topic, topicId }
}

/** Splits records into changes that Kafka can read: limits the number of records, as a batch is limited to 8 MiB. */
function* slices(records: readonly MetadataRecord[]): Generator<readonly MetadataRecord[], undefined> {
  for (let first = 0; first < records.length; first += MAX_RECORDS_PER_USER_OP) {
    yield records.slice(first, first + MAX_RECORDS_PER_USER_OP)
  }
}

function isNew({ features, topicsById }: MetadataImage): boolean {
  return features.size === 0 && topicsById.size === 0
}

// Leader election at a start: a controlled shutdown of Kafka leaves partitions without a leader.

/**
 * Records that elect a leader for every partition without one: the first replica of the ISR. If Kafka has left the ISR empty
 * (KIP-966), the first replica becomes leader. It has all records, because this node holds every replica.
 */
function electLeaders(image: MetadataImage): MetadataRecord[] {
  return [...image.topicsById.values()].flatMap(({ topicId, partitions }) =>
    partitions.filter(needsLeader).map(({ partitionId, isr, replicas }) => {
      const [leader] = isr
      if (leader !== undefined) return metadataRecord('PartitionChangeRecord', { partitionId, topicId, leader })
      const none = { eligibleLeaderReplicas: [], lastKnownElr: [] }
      const inSync = replicas.slice(0, 1)
      return metadataRecord('PartitionChangeRecord', { partitionId, topicId, leader: inSync[0], isr: inSync, ...none })
    })
  )
}

function needsLeader({ leader, replicas }: PartitionState): boolean {
  return leader === -1 && replicas.length > 0
}
