/** The parts of a broker, made over an open data directory and tied to each other: the only place that knows them all. */
import { listenersOf } from '../config/listeners.ts'
import { RESOURCE_TYPES } from '../config/resources.ts'
import type { BrokerSettings } from '../config/values.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { ProducerIds } from '../idempotence/producer-ids.ts'
import { emptyProducerSnapshots } from '../idempotence/producer-snapshots.ts'
import type { LogDirectory } from '../log/directory/log-directory.ts'
import { METADATA_FOLDER } from '../log/partition-folder.ts'
import { configsOf, type MetadataImage, type ResourceConfigs } from '../metadata/image/image.ts'
import { METADATA_TOPIC_ID, MetadataLog } from '../metadata/log/metadata-log.ts'
import { followSnapshot } from '../metadata/log/snapshots.ts'
import {
  CLUSTER_METADATA_TOPIC_NAME,
  GROUP_METADATA_TOPIC_NAME,
  TRANSACTION_STATE_TOPIC_NAME
} from '../metadata/topic-names.ts'
import { missingCodecNotice } from '../protocol/records/compression/codec.ts'
import { type FetchSessionLimits, FetchSessions } from '../replica/fetch-sessions.ts'
import { Purgatory } from '../replica/purgatory.ts'
import { Replicas } from '../replica/replicas.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { Clocks, MonotonicClock } from '../runtime/time.ts'
import { type Storage, StorageError } from '../storage/storage.ts'
import { TxnCoordinator } from '../txn/coordinator.ts'
import type { Parts } from './context.ts'
import { groupPorts } from './group-ports.ts'
import { metadataLogConfig } from './log-settings.ts'
import { markerPort } from './markers.ts'
import { MetadataTopics } from './metadata-topics.ts'
import { txnPorts } from './txn-ports.ts'

/** Kafka's own, and no setting there either. */
const FETCH_SESSION_EVICTION_MS = 120_000

/** What a broker lives in. */
export interface World {
  readonly settings: BrokerSettings
  readonly storage: Storage
  readonly clocks: Clocks
  readonly random: Random
  readonly logger: Logger
}

/** `failed` is told of what must not happen. Throws MetadataError where the directory's metadata cannot be served. */
export function assemble(world: World, directory: LogDirectory, failed: (error: unknown) => void): Parts {
  const { settings: given, storage, clocks, random, logger } = world
  const nodeId = given.get('node.id')
  const metadata = openMetadata(world, directory)
  const live = new LiveSettings(given, metadata, nodeId)
  const settings = () => live.settings
  const replicas = new Replicas({ metadata, directory, storage, clocks, random, logger, nodeId, settings })
  const topics = new MetadataTopics(metadata, () => live.settings.get('broker.rack'))
  const coordination = { replicas, clocks, logger, failed }
  const groups = new GroupCoordinator(groupPorts({ ...coordination, metadata, topics, settings, random }))
  const producerIds = new ProducerIds(() => metadata.allocateProducerIds())
  const markers = markerPort({ replicas, groups, clocks })
  const transactionVersion = () => metadata.level('transaction.version')
  const txns = new TxnCoordinator(
    txnPorts({ ...coordination, settings: given, producerIds, markers, transactionVersion })
  )
  replicas.onTopicsCreated(() => topics.created())
  replicas.onTopicDeleted(topic => {
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
    replicas,
    groups,
    txns,
    markers,
    producerIds,
    fetchSessions: new FetchSessions(fetchSessionLimits(given), random),
    purgatory: new Purgatory(clocks.loop),
    clocks,
    logger,
    notice: notices(logger, clocks.loop)
  }
}

function openMetadata({ storage, clocks, logger, settings }: World, directory: LogDirectory): MetadataLog {
  followSnapshot({ storage, folder: METADATA_FOLDER, nowMs: clocks.wall.now(), logger })
  const log = directory.log(
    { topic: CLUSTER_METADATA_TOPIC_NAME, partition: 0 },
    METADATA_TOPIC_ID,
    metadataLogConfig(settings)
  )
  log.observe(emptyProducerSnapshots({ storage, log, logger }))
  const { directoryId } = directory.meta
  const transactionVersion = settings.get('minikafka.transaction.version')
  return new MetadataLog({ log, storage, clocks, nodeId: settings.get('node.id'), directoryId, transactionVersion })
}

function fetchSessionLimits(settings: BrokerSettings): FetchSessionLimits {
  return {
    slots: settings.get('max.incremental.fetch.session.cache.slots'),
    partitions: settings.get('minikafka.max.fetch.session.partitions'),
    evictionMs: FETCH_SESSION_EVICTION_MS
  }
}

// Settings in force: the dynamic configs of the metadata image over the settings given at start.

/** The resource name of the defaults of all brokers. */
const ALL_BROKERS = ''

class LiveSettings {
  readonly #given: BrokerSettings
  readonly #nodeId: number
  readonly #metadata: { readonly image: MetadataImage }
  /** What was looked at last; a change of any setting makes another map. */
  #configs: MetadataImage['configs'] | undefined
  /** What `#settings` was made from. */
  #perBroker: ResourceConfigs | undefined
  #clusterWide: ResourceConfigs | undefined
  #settings: BrokerSettings

  constructor(given: BrokerSettings, metadata: { readonly image: MetadataImage }, nodeId: number) {
    this.#given = given
    this.#settings = given
    this.#metadata = metadata
    this.#nodeId = nodeId
  }

  get settings(): BrokerSettings {
    const { image } = this.#metadata
    if (image.configs !== this.#configs) {
      this.#configs = image.configs
      this.#follow(
        configsOf(image, RESOURCE_TYPES.BROKER, String(this.#nodeId)),
        configsOf(image, RESOURCE_TYPES.BROKER, ALL_BROKERS)
      )
    }
    return this.#settings
  }

  /** Most changes are of topics, and leave these maps what they were. */
  #follow(perBroker: ResourceConfigs, clusterWide: ResourceConfigs): void {
    if (perBroker === this.#perBroker && clusterWide === this.#clusterWide) return
    this.#settings = this.#given.withDynamic(perBroker, clusterWide)
    this.#perBroker = perBroker
    this.#clusterWide = clusterWide
  }
}

// Rate-limited log lines for failures that many requests share: a missing codec, a full disk.

/** Interval of log lines about a failing disk, for any number of failed requests. */
const STORAGE_NOTICE_EVERY_MS = 10_000

/** Looks at errors on their way to clients. */
function notices(logger: Logger, loop: MonotonicClock): (error: unknown) => void {
  const noticeMissingCodec = missingCodecNotice(logger)
  let quietUntilMs = Number.NEGATIVE_INFINITY
  return error => {
    noticeMissingCodec(error)
    if (!(error instanceof StorageError) || loop.now() < quietUntilMs) return
    quietUntilMs = loop.now() + STORAGE_NOTICE_EVERY_MS
    logger.error({ err: error }, `the data directory failed: ${error.message}`)
  }
}
