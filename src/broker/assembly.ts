/** Assembles the parts of a broker over an open data directory. No other module depends on all of them. */
import { listenersOf } from '../config/listeners.ts'
import type { Settings } from '../config/settings.ts'
import type { Events } from '../events/event.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { ProducerIds } from '../idempotence/producer-ids.ts'
import { EmptyProducerSnapshots } from '../idempotence/producer-snapshots.ts'
import type { LogDirectory } from '../log/directory/log-directory.ts'
import { METADATA_FOLDER } from '../log/partition-folder.ts'
import { METADATA_TOPIC_ID, MetadataLog, metadataLogConfig } from '../metadata/log/metadata-log.ts'
import { followSnapshot } from '../metadata/log/snapshots.ts'
import {
  CLUSTER_METADATA_TOPIC_NAME,
  GROUP_METADATA_TOPIC_NAME,
  TRANSACTION_STATE_TOPIC_NAME
} from '../metadata/topic-names.ts'
import { FetchSessions } from '../replica/fetch-sessions.ts'
import { Purgatory } from '../replica/purgatory.ts'
import { Replicas } from '../replica/replicas.ts'
import type { BackgroundLoops } from '../runtime/background.ts'
import type { Random } from '../runtime/random.ts'
import type { Clocks } from '../runtime/time.ts'
import { BufferPool } from '../storage/buffer-pool.ts'
import type { Storage } from '../storage/storage.ts'
import { TxnCoordinator } from '../txn/coordinator.ts'
import type { Parts } from './context.ts'
import { markerPort } from './markers.ts'
import { MetadataTopics } from './metadata-topics.ts'
import { stateTopic } from './state-topic.ts'

/** The environment of a broker. */
export interface World {
  readonly settings: Settings
  readonly storage: Storage
  readonly clocks: Clocks
  readonly random: Random
  readonly events: Events
}

/** The environment of the parts, with the background loops and the failure callback of their broker. */
export interface FailingWorld extends World {
  readonly background: BackgroundLoops
  /** Fails the broker, for an error that no request reports. */
  failed(error: unknown): void
}

/** Throws MetadataError if the directory's metadata cannot be served. */
export function assemble(world: FailingWorld, directory: LogDirectory): Parts {
  const { settings, storage, clocks, random, events, background, failed } = world
  const nodeId = settings.get('node.id')
  const metadata = openMetadata(world, directory, failed)
  followConfigs(settings, metadata)
  const replicas = new Replicas({ metadata, directory, storage, clocks, random, events, nodeId, settings })
  const rack = settings.get('broker.rack')
  const topics = new MetadataTopics(metadata, new Map(rack === null ? [] : [[nodeId, rack]]))
  const coordination = { settings, clocks, events, background, failed }
  const groupTopic = stateTopic(GROUP_METADATA_TOPIC_NAME, { replicas, settings, clocks })
  const groups = new GroupCoordinator({ ...coordination, topic: groupTopic, topics, random })
  const producerIds = new ProducerIds(() => metadata.allocateProducerIds())
  const markers = markerPort({ replicas, groups, clocks })
  const txns = new TxnCoordinator({
    ...coordination,
    topic: stateTopic(TRANSACTION_STATE_TOPIC_NAME, { replicas, settings, clocks }),
    markers,
    newProducerId: () => producerIds.next(),
    transactionVersion: () => metadata.level('transaction.version')
  })
  // After the subscribers of settings, open partitions and topics of groups: coordinators read them.
  metadata.subscribe((_, { deletedTopics }) => {
    groups.topicsDeleted(deletedTopics)
    txns.topicsDeleted(deletedTopics)
  })
  return {
    nodeId,
    clusterId: directory.meta.clusterId,
    settings,
    listeners: listenersOf(settings.inForce),
    metadata,
    replicas,
    groups,
    txns,
    markers,
    producerIds,
    fetchSessions: new FetchSessions(settings, random),
    purgatory: new Purgatory(clocks.loop),
    bufferPool: new BufferPool(),
    clocks,
    events
  }
}

/** Applies config records of the metadata log at once. */
function followConfigs(settings: Settings, metadata: MetadataLog): void {
  settings.configure(metadata.image.configs)
  metadata.subscribe(({ configs }, { changedConfigs, deletedTopics }) => {
    for (const { name } of deletedTopics) settings.forgetTopic(name)
    // A deletion removes configs, too: a topic that is created again must not find them.
    if (changedConfigs.length > 0 || deletedTopics.length > 0) settings.configure(configs, changedConfigs)
  })
}

function openMetadata(
  { storage, clocks, events, settings }: World,
  directory: LogDirectory,
  failed: (error: unknown) => void
): MetadataLog {
  followSnapshot({ storage, folder: METADATA_FOLDER, nowMs: clocks.wall.now(), events })
  const snapshots = new EmptyProducerSnapshots({ storage, folder: METADATA_FOLDER, events })
  const partition = { topic: CLUSTER_METADATA_TOPIC_NAME, partition: 0 }
  const log = directory.log(partition, METADATA_TOPIC_ID, metadataLogConfig(settings), snapshots)
  snapshots.load(log)
  const { directoryId } = directory.meta
  const transactionVersion = settings.get('minikafka.transaction.version')
  const nodeId = settings.get('node.id')
  return new MetadataLog({ log, storage, clocks, events, nodeId, directoryId, transactionVersion, failed })
}
