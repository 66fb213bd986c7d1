/**
 * The broker's store of topics, ids, settings and producer-id blocks: Kafka's own metadata log, led by this node alone.
 * What `append` is given is on the disk when it returns, for all else is built on it; it is rare enough to wait for.
 */
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../log/log-config.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { directoryOf, replaceFile, type Storage } from '../log/storage.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { RecordBatch } from '../protocol/records/batch.ts'
import { buildBatch } from '../protocol/records/builder.ts'
import type { Clock } from '../runtime/clock.ts'
import { evolve } from './evolve.ts'
import {
  bootstrapFeatures,
  checkMetadataVersion,
  type FinalizedFeature,
  finalizedFeatures,
  type SupportedFeature,
  supportedFeatures
} from './features.ts'
import type { MetadataImage } from './image.ts'
import { electLeaders } from './leadership.ts'
import { MetadataError } from './metadata-error.ts'
import { leaderChange, QUORUM_STATE_FILE, quorumEpoch, quorumState, votersSnapshot } from './quorum.ts'
import { encodeMetadataRecord, type MetadataRecord, metadataRecord } from './records.ts'
import { replay } from './replay.ts'
import { newestSnapshot, removeLeftovers, writeSnapshot } from './snapshots.ts'

/** The id that the metadata log has in every cluster. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** How the log is to be opened: Kafka deletes none of it by age either. */
export const METADATA_LOG_CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, segmentMs: Number.MAX_SAFE_INTEGER }

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
  readonly clock: Clock
  readonly nodeId: number
  /** The id of the data directory. */
  readonly directoryId: string
}

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
  #image: MetadataImage

  /**
   * Reads the log, begins a new epoch of it, and makes it a new cluster's if it was empty.
   * Throws MetadataError, in a sentence, for a log that this broker cannot serve.
   */
  constructor(options: MetadataLogOptions) {
    const { log, storage, nodeId } = options
    this.#options = options
    this.#log = log
    removeLeftovers(storage, log.folder)
    if (log.logEndOffset === 0n) this.#nameVoters()
    const { image, quorum, lastEpoch, inTransaction } = replay(storage, log)
    if (quorum.voterIds?.some(id => id !== nodeId)) {
      throw new MetadataError(
        `the metadata belongs to a quorum of nodes ${quorum.voterIds.join()}, not ${nodeId} alone`
      )
    }
    const quorumPath = `${log.folder}/${QUORUM_STATE_FILE}`
    this.#epoch = Math.max(lastEpoch, quorumEpoch(storage, quorumPath)) + 1
    this.#image = image
    replaceFile(storage, quorumPath, Buffer.from(quorumState(quorum, nodeId, this.#epoch)))
    log.beginLeaderEpoch(this.#epoch)
    log.append(leaderChange(nodeId, this.#epoch, this.#now()), this.#epoch)
    if (inTransaction) this.#write(this.#batch([metadataRecord('AbortTransactionRecord', {})]))
    if (isNew(image)) this.append(bootstrapFeatures())
    checkMetadataVersion(this.#image)
    this.append(electLeaders(this.#image))
  }

  /** The cluster as of the last append. */
  get image(): MetadataImage {
    return this.#image
  }

  /**
   * Puts records on the disk as one batch, all or none, then into the image. If this throws, the image is as before:
   * KAFKA_STORAGE_ERROR, POLICY_VIOLATION for a batch that Kafka could not read, MetadataError for records that do not fit.
   */
  append(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return
    const image = evolve(this.#image, records)
    this.#write(this.#batch(records))
    this.#image = image
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

  /** The features that work, and the levels in force. */
  features(): Features {
    return {
      supported: supportedFeatures(),
      finalized: finalizedFeatures(this.#image),
      epoch: this.#log.logEndOffset - 1n
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
  }

  /** Lets a Kafka that names no static voters elect this node. Only before the first record: later, voters are known. */
  #nameVoters(): void {
    const { storage, nodeId, directoryId } = this.#options
    if (newestSnapshot(storage, this.#log.folder)) return
    writeSnapshot(storage, this.#log.folder, 0n, 0, votersSnapshot(nodeId, directoryId, this.#now()))
    storage.syncNow(directoryOf(this.#log.folder))
  }

  #now(): bigint {
    return BigInt(this.#options.clock.now())
  }
}

function isNew({ features, topicsById }: MetadataImage): boolean {
  return features.size === 0 && topicsById.size === 0
}
