/**
 * Topics and partitions as the broker serves them: what the metadata image names, under the settings in force.
 * Open partitions follow each change of the image.
 */
import { RESOURCE_TYPES } from '../config/resources.ts'
import type { Settings } from '../config/settings.ts'
import { rows } from '../config/view.ts'
import { partitionFor } from '../coordinator/partitioner.ts'
import type { LogDirectory, OwnedPartition } from '../log/directory/log-directory.ts'
import type { TopicPartition } from '../log/partition-folder.ts'
import { LOG_ROWS } from '../log/partition-log/log-config.ts'
import { createTopics, TOPIC_ROWS, type TopicRules } from '../metadata/decisions/create-topics.ts'
import type { MetadataDelta } from '../metadata/image/delta.ts'
import { configsOf, type MetadataImage, type TopicState } from '../metadata/image/image.ts'
import type { MetadataLog } from '../metadata/log/metadata-log.ts'
import { checkTopicName } from '../metadata/topic-names.ts'
import { KafkaError } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/wire/bytes.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Steps } from '../runtime/pace.ts'
import { type Random, randomUuid } from '../runtime/random.ts'
import type { Clocks } from '../runtime/time.ts'
import type { Storage } from '../storage/storage.ts'
import { missingTopic, topicOverrides, WITHOUT_COORDINATOR } from './new-topics.ts'
import { OpenPartitions } from './open-partitions.ts'
import type { Partition } from './partition.ts'

/** A topic as a request names it: by id, or by name while the id is zero. */
export interface TopicRef {
  readonly name: string
  readonly topicId: string
}

interface ReplicasPorts {
  readonly metadata: MetadataLog
  readonly directory: LogDirectory
  readonly storage: Storage
  readonly clocks: Clocks
  readonly random: Random
  readonly logger: Logger
  readonly nodeId: number
  readonly settings: Settings
}

const IN_SYNC_ROWS = rows({ minInSyncReplicas: 'min.insync.replicas' })

export class Replicas {
  readonly #ports: ReplicasPorts
  readonly #open: OpenPartitions
  /** Subscribes to the metadata: the settings must have done so before. */
  constructor(ports: ReplicasPorts) {
    this.#ports = ports
    ports.metadata.subscribe((image, delta) => this.#follow(image, delta))
    this.#open = new OpenPartitions(ports)
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION, or INVALID_TOPIC_EXCEPTION for a name that no topic can have. */
  topic(name: string): TopicState {
    const topic = this.#ports.metadata.image.topicsByName.get(name)
    if (topic) return topic
    checkTopicName(name)
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name}`)
  }

  /** Throws UNKNOWN_TOPIC_ID. */
  topicById(topicId: string): TopicState {
    const topic = this.#ports.metadata.image.topicsById.get(topicId)
    if (topic) return topic
    throw new KafkaError('UNKNOWN_TOPIC_ID', `no topic has the id ${topicId}`)
  }

  /** Makes those of the topics that are missing, in one change, and gives the error of each that cannot be made. */
  createMissing(names: readonly string[]): ReadonlyMap<string, KafkaError> {
    const { image } = this.#ports.metadata
    const missing = names.filter(name => !image.topicsByName.has(name) && !WITHOUT_COORDINATOR.has(name))
    const newTopics = missing.map(name => missingTopic(name, this.#ports.settings))
    const { records, results } = createTopics(image, newTopics, this.topicRules())
    this.#ports.metadata.append(records)
    const refused = results.filter(({ errorCode }) => errorCode !== 'NONE')
    return new Map(refused.map(result => [result.name, new KafkaError(result.errorCode, result.errorMessage ?? '')]))
  }

  /** The name behind a reference. Throws UNKNOWN_TOPIC_ID. */
  nameOf({ name, topicId }: TopicRef): string {
    return topicId === ZERO_UUID ? name : this.topicById(topicId).name
  }

  /** The partition, opened if need be. Throws UNKNOWN_TOPIC_OR_PARTITION, or NOT_LEADER_OR_FOLLOWER. */
  partition(name: string, index: number): Partition {
    const topic = this.#ports.metadata.image.topicsByName.get(name)
    const state = topic?.partitions[index]
    if (!topic || !state) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no partition ${name}-${index}`)
    if (state.leader < 0) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', `${name}-${index} has no leader`)
    return this.#open.get(topic, state)
  }

  /**
   * Throws NOT_ENOUGH_REPLICAS where fewer replicas are in sync than `min.insync.replicas` wants for acks=all. It cannot
   * want more than there are.
   */
  checkInSync(name: string, index: number): void {
    const { isr, replicas } = this.topic(name).partitions[index] ?? { isr: [], replicas: [] }
    const minInSync = Math.min(this.#ports.settings.topic(name).view(IN_SYNC_ROWS).minInSyncReplicas, replicas.length)
    if (isr.length >= minInSync) return
    throw new KafkaError('NOT_ENOUGH_REPLICAS', `${name}-${index} has ${isr.length} replicas in sync, not ${minInSync}`)
  }

  /** The partition, if it exists and somebody has used it. */
  find(ref: TopicRef, index: number): Partition | undefined {
    const { topicsById, topicsByName } = this.#ports.metadata.image
    const topic = ref.topicId === ZERO_UUID ? topicsByName.get(ref.name) : topicsById.get(ref.topicId)
    return topic && this.#open.find(topic.topicId, index)
  }

  /** The partitions that somebody has used since the start. */
  openPartitions(): Iterable<Partition> {
    return this.#open
  }

  /**
   * The node that leads the partition of a coordinator's topic that holds a group or a transactional id, or -1. Makes the topic if it is missing, and
   * throws COORDINATOR_NOT_AVAILABLE where it cannot be made (more replicas wanted than there are nodes): clients try
   * again, as they would with Kafka.
   */
  leaderOfKey(topic: string, key: string): number {
    const refused = this.createMissing([topic]).get(topic)
    if (refused) {
      const why = `${topic} cannot be created: ${refused.message}`
      this.#ports.logger.warn({ key }, why)
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', why)
    }
    const { partitions } = this.topic(topic)
    return partitions[partitionFor(key, partitions.length)]?.leader ?? -1
  }

  /** What CreateTopics and CreatePartitions decide by, as of this moment. */
  topicRules(): TopicRules {
    const { nodeId, directory, random, settings } = this.#ports
    return {
      ...settings.view(TOPIC_ROWS),
      brokers: [{ nodeId, directoryId: directory.meta.directoryId }],
      newTopicId: () => randomUuid(random),
      overrides: configs => topicOverrides(configs, settings)
    }
  }

  /** How many partitions a topic has, 0 when there is none of that name. */
  partitionCount(name: string): number {
    return this.#ports.metadata.image.topicsByName.get(name)?.partitions.length ?? 0
  }

  /** Whose a folder of the data directory is, undefined for that of no topic. */
  ownerOf({ topic, partition }: TopicPartition): OwnedPartition | undefined {
    const state = this.#ports.metadata.image.topicsByName.get(topic)
    if (!state?.partitions[partition]) return undefined
    return { topicId: state.topicId, config: () => this.#ports.settings.topic(topic).view(LOG_ROWS) }
  }

  /** Opens a partition that was recovered, so that a clean stop leaves what Kafka looks for in its folder. */
  *opening({ topic: name, partition }: TopicPartition): Steps {
    const topic = this.topic(name)
    const state = topic.partitions[partition]
    if (state) yield* this.#open.opening(topic, state)
  }

  /** Whether anything was ever written to the partition. */
  hasLog(topic: string, partition: number): boolean {
    return this.#ports.directory.has({ topic, partition })
  }

  #follow(image: MetadataImage, { previous, deletedTopics, changedConfigs }: MetadataDelta): void {
    for (const topic of deletedTopics) {
      const configs = configsOf(previous, RESOURCE_TYPES.TOPIC, topic.name)
      this.#open.delete(topic, this.#ports.settings.inForce.topic(configs).get('file.delete.delay.ms'))
    }
    if (changedConfigs.some(({ resourceType }) => resourceType === RESOURCE_TYPES.BROKER)) this.#open.reconfigured()
    for (const { resourceType, resourceName } of changedConfigs) {
      const topic = resourceType === RESOURCE_TYPES.TOPIC ? image.topicsByName.get(resourceName) : undefined
      if (topic) this.#open.reconfigured(topic.topicId)
    }
  }
}
