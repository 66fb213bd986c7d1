/**
 * One broker, put together: the only place that knows all parts. It is given the world (disk, clock, chance, log) and
 * settings, and gives a dispatch function; sockets are somebody else's.
 */
import { listenersOf } from '../config/listeners.ts'
import type { BrokerSettings } from '../config/values.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { ProducerIds } from '../idempotence/producer-ids.ts'
import { LogDirectory } from '../log/log-directory.ts'
import { METADATA_FOLDER } from '../log/partition-folder.ts'
import type { Storage } from '../log/storage.ts'
import { compactionLimits, metadataLogConfig } from '../metadata/metadata-config.ts'
import { METADATA_TOPIC_ID, MetadataLog } from '../metadata/metadata-log.ts'
import { followSnapshot } from '../metadata/snapshot-ahead.ts'
import { CLUSTER_METADATA_TOPIC_NAME, GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Dispatch } from '../net/dispatch.ts'
import { type Alarm, type Clock, repeat } from '../runtime/clock.ts'
import { deferred } from '../runtime/deferred.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import { Catalog } from './catalog.ts'
import type { Parts } from './context.ts'
import { dispatcher } from './dispatch.ts'
import { type FetchSessionLimits, FetchSessions } from './fetch-sessions.ts'
import { groupPorts } from './group-ports.ts'
import { LiveSettings } from './live-settings.ts'
import { notices } from './notices.ts'
import { Parking } from './parking.ts'

/** Kafka's own, and no setting there either. */
const FETCH_SESSION_EVICTION_MS = 120_000

/** What a broker is made from. */
export interface BrokerOptions {
  readonly settings: BrokerSettings
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export class Broker {
  readonly dispatch: Dispatch
  /** Rejects when something happened that must not happen, and the broker cannot be trusted to go on. */
  readonly failed: Promise<never>
  readonly #parts: Parts
  readonly #directory: LogDirectory
  readonly #producerExpiry: Alarm

  private constructor(parts: Parts, directory: LogDirectory, failed: Promise<never>) {
    this.#parts = parts
    this.#directory = directory
    this.failed = failed
    this.#producerExpiry = expireProducers(parts)
    this.dispatch = dispatcher(parts)
  }

  /**
   * Opens the data directory and loads what the coordinators keep there: when it resolves, requests can be answered.
   * Throws DataDirectoryError for a directory that is not ours, StorageError where the disk fails.
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { settings, storage, random, logger } = options
    const { promise: failed, reject: fail } = deferred<never>()
    // Whoever waits for it hears of it; when nobody does, that must not end the process.
    failed.catch(() => {})
    const clock = watchedClock(options.clock, fail)
    const identity = { nodeId: settings.get('node.id') }
    const directory = await LogDirectory.open({ storage, clock, random, logger, identity })
    try {
      const parts = assemble({ ...options, clock }, directory)
      parts.groups.start()
      parts.metadata.compact(compactionLimits(settings), logger)
      return new Broker(parts, directory, failed)
    } catch (error) {
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
    this.#parts.groups.stop()
    this.#parts.parking.close()
    await this.#parts.metadata.close()
    await this.#directory.close()
  }
}

/** Makes the parts over an open data directory. Throws MetadataError where its metadata cannot be served. */
function assemble(options: BrokerOptions, directory: LogDirectory): Parts {
  const { settings: given, storage, clock, random, logger } = options
  const nodeId = given.get('node.id')
  const metadata = openMetadata(options, directory)
  directory.setAsideStrays(({ topic, partition }) => {
    const known = metadata.image.topicsByName.get(topic)
    return known?.partitions[partition] && known.topicId
  })
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
  const groups = new GroupCoordinator(groupPorts({ catalog, settings: given, clock, random, logger }))
  catalog.onTopicDeleted(topic => {
    if (topic.name === GROUP_METADATA_TOPIC_NAME) groups.forgetAll()
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
    producerIds: new ProducerIds(() => metadata.allocateProducerIds()),
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
  const { directoryId } = directory.meta
  return new MetadataLog({ log, storage, clock, nodeId: settings.get('node.id'), directoryId })
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
      fail(error instanceof Error ? error : new Error(String(error)))
    }
  }
  return { now: () => clock.now(), at: (timeMs, fire) => clock.at(timeMs, watched(fire)) }
}
