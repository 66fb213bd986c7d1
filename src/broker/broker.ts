/**
 * One broker, put together: the only place that knows all parts. It is given the world (disk, clock, chance, log) and
 * settings, and gives a dispatch function; sockets are somebody else's.
 */
import { listenersOf } from '../config/listeners.ts'
import type { BrokerSettings } from '../config/values.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { ProducerIds } from '../idempotence/producer-ids.ts'
import type { LogCleaner } from '../log/compaction/cleaner.ts'
import type { CheckpointIntervals } from '../log/directory-checkpoints.ts'
import { LogDirectory } from '../log/log-directory.ts'
import { METADATA_FOLDER, type TopicPartition } from '../log/partition-folder.ts'
import { loggedProgress, type ProgressListener } from '../log/recovery-progress.ts'
import type { Storage } from '../log/storage.ts'
import { compactionLimits, metadataLogConfig } from '../metadata/metadata-config.ts'
import { METADATA_TOPIC_ID, MetadataLog } from '../metadata/metadata-log.ts'
import { followSnapshot } from '../metadata/snapshot-ahead.ts'
import {
  CLUSTER_METADATA_TOPIC_NAME,
  GROUP_METADATA_TOPIC_NAME,
  TRANSACTION_STATE_TOPIC_NAME
} from '../metadata/topic-names.ts'
import type { Dispatch } from '../net/dispatch.ts'
import { type Alarm, type Clock, repeat } from '../runtime/clock.ts'
import { deferred } from '../runtime/deferred.ts'
import { LapTimes } from '../runtime/lap-times.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import { TxnCoordinator } from '../txn/coordinator.ts'
import { Catalog } from './catalog.ts'
import type { Parts } from './context.ts'
import { dispatcher } from './dispatch.ts'
import { type FetchSessionLimits, FetchSessions } from './fetch-sessions.ts'
import { groupPorts } from './group-ports.ts'
import { LiveSettings } from './live-settings.ts'
import { logCleaner } from './log-cleaning.ts'
import { LogRetention } from './log-retention.ts'
import { markerPort } from './markers.ts'
import { MetadataTopics } from './metadata-topics.ts'
import { notices } from './notices.ts'
import { Parking } from './parking.ts'
import { snapshotsOfNobody } from './producer-snapshots.ts'
import { txnPorts } from './txn-ports.ts'

/** Kafka's own, and no setting there either. */
const FETCH_SESSION_EVICTION_MS = 120_000

/** What a broker is made from. */
export interface BrokerOptions {
  readonly settings: BrokerSettings
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Hears how far a recovery has come; unless given, that is logged every few seconds. */
  readonly progress?: ProgressListener | undefined
  /** Calls a start off that is still under way: it rejects, and the data directory is as unclean as it was. */
  readonly signal?: AbortSignal | undefined
  /** Where the shares of the start are noted. */
  readonly laps?: LapTimes | undefined
}

export class Broker {
  readonly dispatch: Dispatch
  /** Rejects when something happened that must not happen, and the broker cannot be trusted to go on. */
  readonly failed: Promise<never>
  readonly #parts: Parts
  readonly #directory: LogDirectory
  readonly #producerExpiry: Alarm
  readonly #retention: LogRetention
  readonly #cleaner: LogCleaner

  private constructor(parts: Parts, directory: LogDirectory, storage: Storage, failed: Promise<never>) {
    this.#parts = parts
    this.#directory = directory
    this.failed = failed
    this.#producerExpiry = expireProducers(parts)
    this.#retention = new LogRetention({ ...parts, settings: () => parts.settings })
    this.#cleaner = logCleaner({ ...parts, directory, storage, settings: () => parts.settings })
    if (parts.settings.get('log.cleaner.enable')) this.#cleaner.start()
    this.dispatch = dispatcher(parts)
  }

  /**
   * Opens the data directory and loads what the coordinators keep there: when it resolves, requests can be answered.
   * Throws DataDirectoryError for a directory that is not ours, StorageError where the disk fails.
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { settings, storage, random, logger, signal } = options
    const { promise: failed, reject: fail } = deferred<never>()
    // Whoever waits for it hears of it; when nobody does, that must not end the process.
    failed.catch(() => {})
    const clock = watchedClock(options.clock, fail)
    const identity = { nodeId: settings.get('node.id') }
    const { laps = new LapTimes(clock), progress = loggedProgress(logger, clock) } = options
    const intervals = checkpointIntervals(settings)
    const directory = await LogDirectory.open({ storage, clock, random, logger, identity, intervals, signal })
    laps.lap('directoryMs')
    let parts: Parts | undefined
    try {
      parts = assemble({ ...options, clock }, directory, fail)
      laps.lap('metadataMs')
      const { catalog, groups, txns } = parts
      const owned = (partition: TopicPartition) => catalog.ownerOf(partition)
      const recovered = (partition: TopicPartition) => catalog.opening(partition)
      await directory.load({ owned, recovered, progress, signal })
      laps.lap('recoveryMs')
      await groups.start(signal)
      await txns.start(signal)
      laps.lap('coordinatorsMs')
      parts.metadata.compact(compactionLimits(settings), logger)
      return new Broker(parts, directory, storage, failed)
    } catch (error) {
      parts?.txns.stop()
      parts?.groups.stop()
      await directory.close()
      throw error
    }
  }

  /** The settings in force. */
  get settings(): BrokerSettings {
    return this.#parts.settings
  }

  /** Answers what is parked, then brings everything to the disk and closes it. */
  async stop(): Promise<void> {
    this.#producerExpiry.cancel()
    await this.#retention.stop()
    await this.#cleaner.stop()
    this.#parts.txns.stop()
    this.#parts.groups.stop()
    this.#parts.parking.close()
    await this.#parts.metadata.close()
    await this.#directory.close(this.#parts.metadata.brokerEpoch)
  }
}

/** Makes the parts over an open data directory. Throws MetadataError where its metadata cannot be served. */
function assemble(options: BrokerOptions, directory: LogDirectory, fail: (error: Error) => void): Parts {
  const { settings: given, storage, clock, random, logger } = options
  const nodeId = given.get('node.id')
  const metadata = openMetadata(options, directory)
  const live = new LiveSettings(given, metadata, nodeId)
  const catalog = new Catalog({
    metadata,
    directory,
    storage,
    clock,
    random,
    logger,
    nodeId,
    settings: () => live.settings
  })
  const topics = new MetadataTopics(metadata, () => live.settings.get('broker.rack'))
  const groups = new GroupCoordinator(
    groupPorts({
      catalog,
      metadata,
      topics,
      settings: () => live.settings,
      clock,
      random,
      logger,
      failed: error => fail(asError(error))
    })
  )
  const producerIds = new ProducerIds(() => metadata.allocateProducerIds())
  const markers = markerPort({ catalog, groups, clock })
  const transactionVersion = () => metadata.level('transaction.version')
  const txns = new TxnCoordinator(
    txnPorts({
      catalog,
      producerIds,
      markers,
      settings: given,
      clock,
      logger,
      transactionVersion,
      failed: error => fail(asError(error))
    })
  )
  catalog.onTopicsCreated(() => topics.created())
  catalog.onTopicDeleted(topic => {
    if (topic.name === GROUP_METADATA_TOPIC_NAME) groups.forgetAll()
    else if (topic.name === TRANSACTION_STATE_TOPIC_NAME) txns.forgetAll()
    else groups.topicDeleted(topic)
  })
  return {
    nodeId,
    clusterId: directory.meta.clusterId,
    get settings() {
      return live.settings
    },
    listeners: listenersOf(given),
    metadata,
    catalog,
    groups,
    txns,
    markers,
    producerIds,
    fetchSessions: new FetchSessions(fetchSessionLimits(given), random),
    parking: new Parking(clock),
    clock,
    logger,
    notice: notices(logger, clock)
  }
}

function openMetadata({ storage, clock, logger, settings }: BrokerOptions, directory: LogDirectory): MetadataLog {
  followSnapshot({ storage, folder: METADATA_FOLDER, nowMs: clock.now(), logger })
  const log = directory.log(
    { topic: CLUSTER_METADATA_TOPIC_NAME, partition: 0 },
    METADATA_TOPIC_ID,
    metadataLogConfig(settings)
  )
  log.observe(snapshotsOfNobody({ storage, log, logger }))
  const { directoryId } = directory.meta
  const transactionVersion = settings.get('minikafka.transaction.version')
  return new MetadataLog({ log, storage, clock, nodeId: settings.get('node.id'), directoryId, transactionVersion })
}

function checkpointIntervals(settings: BrokerSettings): CheckpointIntervals {
  return {
    recoveryPointMs: atLeastOne(settings.get('log.flush.offset.checkpoint.interval.ms')),
    logStartMs: atLeastOne(settings.get('log.flush.start.offset.checkpoint.interval.ms')),
    highWatermarkMs: atLeastOne(settings.get('replica.high.watermark.checkpoint.interval.ms'))
  }
}

/** Kafka takes 0 and less, which would leave no time for anything else. */
function atLeastOne(intervalMs: number): number {
  return Math.max(1, intervalMs)
}

function fetchSessionLimits(settings: BrokerSettings): FetchSessionLimits {
  return {
    slots: settings.get('max.incremental.fetch.session.cache.slots'),
    partitions: settings.get('minikafka.max.fetch.session.partitions'),
    evictionMs: FETCH_SESSION_EVICTION_MS
  }
}

/** Forgets producers that have been silent too long, in every partition that is open. */
function expireProducers(parts: Parts): Alarm {
  const intervalMs = () => parts.settings.get('producer.id.expiration.check.interval.ms')
  return repeat(parts.clock, intervalMs, () => {
    const expirationMs = parts.settings.get('producer.id.expiration.ms')
    for (const partition of parts.catalog.openPartitions()) partition.expireProducers(parts.clock.now(), expirationMs)
  })
}

/** A clock whose alarms cannot bring the process down: what they throw is the end of this broker alone. */
function watchedClock(clock: Clock, fail: (error: Error) => void): Clock {
  const watched = (fire: () => void) => () => {
    try {
      fire()
    } catch (error) {
      fail(asError(error))
    }
  }
  return { now: () => clock.now(), at: (timeMs, fire) => clock.at(timeMs, watched(fire)) }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
