/**
 * The broker's store of topics, ids, settings and producer-id blocks: Kafka's own metadata log, led by this node alone.
 * What `append` is given is on the disk when it returns, for all else is built on it; it is rare enough to wait for.
 */
import { Settings } from '../../config/settings.ts'
import { BrokerSettings } from '../../config/values.ts'
import { rows } from '../../config/view.ts'
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
import { Compaction, type CompactionPorts } from './compaction.ts'
import { leaderChange, QUORUM_STATE_FILE, type Quorum, quorumEpoch, quorumOfOne, quorumState } from './quorum.ts'
import { replay } from './replay.ts'
import { type SnapshotContent, snapshotBatches } from './snapshot-batches.ts'
import { listSnapshots, removeUnusable, snapshotAt, writeSnapshotNow } from './snapshots.ts'

/** The id that the metadata log has in every cluster. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

const METADATA_LOG_ROWS = rows({ segmentBytes: 'metadata.log.segment.bytes', segmentMs: 'metadata.log.segment.ms' })

/**
 * The metadata log's own size and age of segments, Kafka's defaults in all else: the broker's settings for topics do not count.
 * Snapshots decide which segments are deleted, not the age and size of the log.
 */
export function metadataLogConfig(settings: Settings): LogConfig {
  const kafkaDefaults = new Settings(new BrokerSettings()).topic(CLUSTER_METADATA_TOPIC_NAME).view(LOG_ROWS)
  return { ...kafkaDefaults, ...settings.view(METADATA_LOG_ROWS), retentionMs: -1, retentionBytes: -1 }
}

/** Kafka reads no larger batch of metadata. */
const MAX_BATCH_BYTES = 8_388_608
const PRODUCER_ID_BLOCK_SIZE = 1000
const LARGEST_PRODUCER_ID = 2n ** 63n - 1n

/** What the log needs from outside, and whose it is. */
export interface MetadataLogOptions {
  /** The log of partition 0 of `__cluster_metadata`, recovered: its torn tail is cut off. */
  readonly log: PartitionLog
  /** The data directory that holds it. */
  readonly storage: Storage
  readonly clocks: Clocks
  readonly nodeId: number
  /** The id of the data directory. */
  readonly directoryId: string
  /** Called with the error of a subscriber, which ends the broker. */
  failed(error: unknown): void
  /** The level of `transaction.version` that a new cluster begins with; the newest unless given. */
  readonly transactionVersion?: number
}

/** Called synchronously after each change with the image that it made. */
export type MetadataSubscriber = (image: MetadataImage, delta: MetadataDelta) => void

/** What ApiVersions tells of features. */
export interface Features {
  readonly supported: readonly SupportedFeature[]
  readonly finalized: readonly FinalizedFeature[]
  /** Grows with every change. */
  readonly epoch: bigint
}

export class MetadataLog {
  readonly #options: MetadataLogOptions
  readonly #log: PartitionLog
  readonly #epoch: number
  readonly #quorum: Quorum
  /** Of the log, and not in a snapshot when it was opened. */
  readonly #bytesAtStart: number
  readonly #subscribers: MetadataSubscriber[] = []
  #image: MetadataImage
  #lastTimestamp: bigint
  #compaction: Compaction | undefined

  /**
   * Reads the log, begins a new epoch of it, and makes it a new cluster's if it was empty.
   * Throws MetadataError, in a sentence, for a log that this broker cannot serve.
   */
  constructor(options: MetadataLogOptions) {
    const { log, storage, nodeId } = options
    this.#options = options
    this.#log = log
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
    this.#bytesAtStart = bytesSinceSnapshot
    replaceFile(storage, quorumPath, Buffer.from(quorumState(quorum, nodeId, this.#epoch)))
    log.beginLeaderEpoch(this.#epoch)
    this.#write(leaderChange(nodeId, this.#epoch, this.#now()))
    if (inTransaction) this.#write(this.#batch([metadataRecord('AbortTransactionRecord', {})]))
    if (isNew(image)) this.append(bootstrapFeatures(options.transactionVersion))
    this.append(fenceStaleBrokers(this.#image))
    for (const records of slices(electLeaders(this.#image))) this.append(records)
  }

  /** The cluster as of the last append. */
  get image(): MetadataImage {
    return this.#image
  }

  /** The offset of the last record: every change makes a higher one. */
  get version(): bigint {
    return this.#log.logEndOffset - 1n
  }

  /**
   * Calls `subscriber` after each later change, before `append` returns. Subscribers are called in the order of their subscription.
   * The change is durable by then: the error of a subscriber ends the broker, and the others are still called.
   */
  subscribe(subscriber: MetadataSubscriber): void {
    this.#subscribers.push(subscriber)
  }

  /**
   * Writes records to the disk as one batch, all or none, then applies them to the image and calls the subscribers. If this throws,
   * the image is as before: KAFKA_STORAGE_ERROR, POLICY_VIOLATION for a batch that Kafka could not read, MetadataError for records
   * that do not fit.
   */
  append(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return
    const previous = this.#image
    const image = evolve(previous, records)
    const batch = this.#batch(records)
    this.#write(batch)
    this.#image = image
    this.#compaction?.appended(batch.sizeInBytes)
    this.#notify(deltaOf(previous, image, records))
  }

  /** The epoch in which an Apache Kafka last served this log as a broker; -1 if none ever did. */
  get brokerEpoch(): bigint {
    return registeredEpoch(this.#image.others, this.#options.nodeId)
  }

  /** Writes snapshots from now on, and deletes the log before them. */
  compact(world: Pick<CompactionPorts, 'settings' | 'logger' | 'background'>): void {
    const { storage, clocks } = this.#options
    const ports = { ...world, storage, log: this.#log, clocks, content: () => this.#content() }
    this.#compaction = new Compaction(ports, this.#bytesAtStart)
  }

  /** Resolves when no file is removed any more. The background loops have been stopped: only `append` writes. */
  async close(): Promise<void> {
    await this.#compaction?.close()
  }

  /** Sets a block of producer ids aside that was never handed out before, nor will be again. */
  allocateProducerIds(): { firstProducerId: bigint; size: number } {
    const size = PRODUCER_ID_BLOCK_SIZE
    const firstProducerId = this.#image.nextProducerId ?? 0n
    const nextProducerId = firstProducerId + BigInt(size)
    if (nextProducerId > LARGEST_PRODUCER_ID) {
      throw new KafkaError('UNKNOWN_SERVER_ERROR', 'all producer ids have been handed out')
    }
    this.append([metadataRecord('ProducerIdsRecord', { brokerId: this.#options.nodeId, nextProducerId })])
    return { firstProducerId, size }
  }

  /** The level of a feature in force, 0 where it is off. */
  level(feature: string): number {
    return finalizedFeatures(this.#image).find(({ name }) => name === feature)?.maxVersionLevel ?? 0
  }

  /** The features that work, and the levels in force. */
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
    throw new KafkaError('POLICY_VIOLATION', `a change of metadata of ${batch.sizeInBytes} bytes is too large`)
  }

  #write(batch: RecordBatch): void {
    this.#log.append(batch, this.#epoch)
    this.#log.syncNow()
    this.#lastTimestamp = batch.maxTimestamp
  }

  #content(): SnapshotContent {
    const image = this.#image
    const offset = this.#log.logEndOffset
    return { image, quorum: this.#quorum, offset, epoch: this.#epoch, lastTimestamp: this.#lastTimestamp }
  }

  /** Lets a Kafka that names no static voters elect this node. Only before the first record: later, voters are known. */
  #nameVoters(): void {
    const { storage, nodeId, directoryId } = this.#options
    const { folder } = this.#log
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

/** Kafka reads no larger change than that, and no batch larger than 8 MiB. */
function* slices(records: readonly MetadataRecord[]): Generator<readonly MetadataRecord[], undefined> {
  for (let first = 0; first < records.length; first += MAX_RECORDS_PER_USER_OP) {
    yield records.slice(first, first + MAX_RECORDS_PER_USER_OP)
  }
}

function isNew({ features, topicsById }: MetadataImage): boolean {
  return features.size === 0 && topicsById.size === 0
}

// Leaders after a start: a controlled shutdown of Kafka leaves partitions without a leader.

/**
 * What gives every partition without a leader one again: the first of its in-sync replicas. Where Kafka has left none
 * of them in sync (KIP-966), it is the first replica, which on a node that has all replicas lacks nothing.
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
