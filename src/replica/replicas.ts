/**
 * Topics and partitions of the metadata image as this broker serves them, with the current configs. Open partitions follow the
 * changes of the image.
 */

import { RESOURCE_TYPES } from '../config/resources.ts'
import type { Settings } from '../config/settings.ts'
import { rows } from '../config/view.ts'
import { partitionFor } from '../coordinator/partitioner.ts'
import type { Events } from '../events/event.ts'
import type { LogDirectory, OwnedPartition } from '../log/directory/log-directory.ts'
import type { TopicPartition } from '../log/partition-folder.ts'
import { LOG_ROWS } from '../log/partition-log/log-config.ts'
import { createTopics, TOPIC_ROWS, type TopicRules } from '../metadata/decisions/create-topics.ts'
import type { MetadataDelta } from '../metadata/image/delta.ts'
import { configsOf, type MetadataImage, type PartitionState, type TopicState } from '../metadata/image/image.ts'
import type { MetadataLog } from '../metadata/log/metadata-log.ts'
import { checkTopicName } from '../metadata/topic-names.ts'
import { KafkaError } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/wire/bytes.ts'
import type { Steps } from '../runtime/pace.ts'
import { type Random, randomUuid } from '../runtime/random.ts'
import type { Clocks } from '../runtime/time.ts'
import type { Storage } from '../storage/storage.ts'
import { missingTopic, topicOverrides, WITHOUT_COORDINATOR } from './new-topics.ts'
import { OpenPartitions } from './open-partitions.ts'
import { ANY_EPOCH, type Partition } from './partition.ts'
import { type Role, roleOf } from './role.ts'

/** A topic of a request: by id, or by name if the id is zero. */
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
  readonly events: Events
  readonly nodeId: number
  readonly settings: Settings
}

const IN_SYNC_ROWS = rows({ minInSyncReplicas: 'min.insync.replicas' })

export class Replicas {
  readonly #ports: ReplicasPorts
  readonly #open: OpenPartitions
  /** Subscribes to the metadata log. The settings must have subscribed before. */
  constructor(ports: ReplicasPorts) {
    this.#ports = ports
    ports.metadata.subscribe((image, delta) => this.#follow(image, delta))
    this.#open = new OpenPartitions(ports)
  }

  /** The topic of this name. Throws UNKNOWN_TOPIC_OR_PARTITION, or INVALID_TOPIC_EXCEPTION for an invalid name. */
  topic(name: string): TopicState {
    const topic = this.#ports.metadata.image.topicsByName.get(name)
    if (topic) return topic
    checkTopicName(name)
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${name} does not exist`)
  }

  /** The topic with this id. Throws UNKNOWN_TOPIC_ID. */
  topicById(topicId: string): TopicState {
    const topic = this.#ports.metadata.image.topicsById.get(topicId)
    if (topic) return topic
    throw new KafkaError('UNKNOWN_TOPIC_ID', `the topic id ${topicId} does not exist`)
  }

  /** Creates the missing topics in one change of the metadata. Returns the errors of topics that cannot be created. */
  createMissing(names: readonly string[]): ReadonlyMap<string, KafkaError> {
    const { image } = this.#ports.metadata
    const missing = names.filter(name => !image.topicsByName.has(name) && !WITHOUT_COORDINATOR.has(name))
    const newTopics = missing.map(name => missingTopic(name, this.#ports.settings))
    const { records, results } = createTopics(image, newTopics, this.topicRules())
    this.#ports.metadata.append(records)
    const refused = results.filter(({ errorCode }) => errorCode !== 'NONE')
    return new Map(refused.map(result => [result.name, new KafkaError(result.errorCode, result.errorMessage ?? '')]))
  }

  /** The name of a referenced topic. Throws UNKNOWN_TOPIC_ID. */
  nameOf({ name, topicId }: TopicRef): string {
    return topicId === ZERO_UUID ? name : this.topicById(topicId).name
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION if there is no such partition. */
  checkExists(name: string, index: number): void {
    if (this.#state(name, index)) return
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `partition ${name}-${index} does not exist`)
  }

  /**
   * The partition, opened if necessary, in any role. Throws UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER if this node has no
   * replica, StorageError.
   */
  partition(name: string, index: number): Partition {
    const topic = this.#ports.metadata.image.topicsByName.get(name)
    const state = topic?.partitions[index]
    if (!topic || !state)
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `partition ${name}-${index} does not exist`)
    const open = this.#open.find(topic.topicId, index)
    const role = open?.role ?? this.#roleOf(state)
    if (role.kind === 'none')
      throw new KafkaError('NOT_LEADER_OR_FOLLOWER', `this broker has no replica of ${name}-${index}`)
    open?.log.checkOnline()
    return open ?? this.#open.open(topic, index, role)
  }

  /**
   * The partition, led by this node. Throws as `partition`, and NOT_LEADER_OR_FOLLOWER if this node does not lead it; before that,
   * FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH if `currentLeaderEpoch` is not the leader epoch.
   */
  leading(name: string, index: number, currentLeaderEpoch = ANY_EPOCH): Partition {
    const partition = this.partition(name, index)
    partition.checkLeads(currentLeaderEpoch)
    return partition
  }

  /** Leader and leader epoch, for the response to a client that asked another node (KIP-951). -1 if the partition is missing. */
  currentLeader(ref: TopicRef, index: number): { readonly leaderId: number; readonly leaderEpoch: number } {
    const { leader = -1, leaderEpoch = -1 } = this.#topicOf(ref)?.partitions[index] ?? {}
    return { leaderId: leader, leaderEpoch }
  }

  /** Whether this node leads the partition. */
  leads(name: string, index: number): boolean {
    return this.#state(name, index)?.leader === this.#ports.nodeId
  }

  /** Whether this node has a replica of the partition. */
  hosts(name: string, index: number): boolean {
    const state = this.#state(name, index)
    return state !== undefined && this.#roleOf(state).kind !== 'none'
  }

  /**
   * Throws NOT_ENOUGH_REPLICAS if the ISR is smaller than `min.insync.replicas`, which acks=all requires. The limit is at most
   * the replication factor.
   */
  checkInSync(name: string, index: number): void {
    const { isr, replicas } = this.topic(name).partitions[index] ?? { isr: [], replicas: [] }
    const minInSync = Math.min(this.#ports.settings.topic(name).view(IN_SYNC_ROWS).minInSyncReplicas, replicas.length)
    if (isr.length >= minInSync) return
    throw new KafkaError(
      'NOT_ENOUGH_REPLICAS',
      `${name}-${index} has ${isr.length} in-sync replicas, but min.insync.replicas is ${minInSync}`
    )
  }

  /** The partition, if it exists and is open. */
  find(ref: TopicRef, index: number): Partition | undefined {
    const topic = this.#topicOf(ref)
    return topic && this.#open.find(topic.topicId, index)
  }

  /** The open partitions. */
  openPartitions(): Iterable<Partition> {
    return this.#open
  }

  /**
   * The node that leads the partition of a group or a transactional id in a coordinator's topic, or -1. Creates the topic if it
   * is missing. Throws COORDINATOR_NOT_AVAILABLE if it cannot be created, for example if its replication factor is above the
   * number of nodes; clients retry, as with Kafka.
   */
  leaderOfKey(topic: string, key: string): number {
    const refused = this.createMissing([topic]).get(topic)
    if (refused) {
      const { code: errorCode, message: errorMessage } = refused
      this.#ports.events.emit({ type: 'CoordinatorTopicRefused', topic, key, errorCode, errorMessage })
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', `${topic} cannot be created: ${errorMessage}`)
    }
    const { partitions } = this.topic(topic)
    return partitions[partitionFor(key, partitions.length)]?.leader ?? -1
  }

  /** The current inputs of CreateTopics and CreatePartitions. */
  topicRules(): TopicRules {
    const { nodeId, directory, random, settings } = this.#ports
    return {
      ...settings.view(TOPIC_ROWS),
      brokers: [{ nodeId, directoryId: directory.meta.directoryId }],
      newTopicId: () => randomUuid(random),
      overrides: configs => topicOverrides(configs, settings)
    }
  }

  /** The number of partitions of a topic, 0 if it does not exist. */
  partitionCount(name: string): number {
    return this.#ports.metadata.image.topicsByName.get(name)?.partitions.length ?? 0
  }

  /** The topic of a partition folder in the data directory, undefined if no topic has it or this node has no replica. */
  ownerOf({ topic, partition }: TopicPartition): OwnedPartition | undefined {
    const state = this.#ports.metadata.image.topicsByName.get(topic)
    if (!state || !this.hosts(topic, partition)) return undefined
    return { topicId: state.topicId, config: () => this.#ports.settings.topic(topic).view(LOG_ROWS) }
  }

  /** Opens a recovered partition, so that a clean shutdown writes the files that Kafka expects in its folder. */
  *opening({ topic: name, partition }: TopicPartition): Steps {
    const topic = this.topic(name)
    const state = topic.partitions[partition]
    if (state) yield* this.#open.opening(topic, partition, this.#roleOf(state))
  }

  /** True if the partition has a log. */
  hasLog(topic: string, partition: number): boolean {
    return this.#ports.directory.has({ topic, partition })
  }

  #roleOf(state: PartitionState): Role {
    return roleOf(state, this.#ports.nodeId)
  }

  #topicOf({ name, topicId }: TopicRef): TopicState | undefined {
    const { topicsById, topicsByName } = this.#ports.metadata.image
    return topicId === ZERO_UUID ? topicsByName.get(name) : topicsById.get(topicId)
  }

  #state(name: string, index: number): PartitionState | undefined {
    return this.#ports.metadata.image.topicsByName.get(name)?.partitions[index]
  }

  #follow(image: MetadataImage, { previous, deletedTopics, changedPartitions, changedConfigs }: MetadataDelta): void {
    for (const { topic, partitions } of changedPartitions) {
      for (const state of partitions) this.#open.changed(topic.topicId, state.partitionId, this.#roleOf(state))
    }
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
