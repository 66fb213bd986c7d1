/**
 * (image, records) -> image: the only way to change metadata, both live and on replay. Throws MetadataError for a record that
 * contradicts earlier records. The given image stays unchanged.
 */

import { RESOURCE_TYPES, resourceKey } from '../../config/resources.ts'
import { MetadataError } from '../metadata-error.ts'
import { applyOther } from '../other-records.ts'
import type { MetadataRecord, MetadataRecordOf } from '../records.ts'
import { unifiedName } from '../topic-names.ts'
import { DraftMap } from './draft-map.ts'
import type { MetadataImage, PartitionState, ResourceConfigs, TopicState } from './image.ts'

/** The image after `records`. Throws MetadataError if they contradict the image. */
export function evolve(image: MetadataImage, records: Iterable<MetadataRecord>): MetadataImage {
  const draft = new ImageDraft(image)
  for (const record of records) draft.apply(record)
  return draft.finish()
}

/** Draft of a topic. Partitions may be added in any order, with gaps until the draft is finished. */
interface TopicDraft {
  readonly name: string
  readonly topicId: string
  readonly partitions: (PartitionState | undefined)[]
}

/** Limit on partition ids, far above the partitions of one broker. It bounds the memory that a damaged id can allocate. */
const MAX_PARTITIONS_OF_A_TOPIC = 1_000_000

/** Draft of an image: applies any number of records, then creates the new image. */
export class ImageDraft {
  readonly #byName: DraftMap<TopicState>
  readonly #byId: DraftMap<TopicState>
  readonly #namesByUnifiedName: DraftMap<string>
  readonly #configs: DraftMap<ResourceConfigs>
  readonly #features: DraftMap<number>
  readonly #others: DraftMap<MetadataRecord>
  readonly #changedTopics = new Map<string, TopicDraft>()
  #nextProducerId: bigint | undefined
  #partitionCount: number
  /** Records of an open metadata transaction. They are applied at its end, and dropped if it is aborted. */
  #transaction: MetadataRecord[] | undefined

  constructor(base: MetadataImage) {
    this.#byName = new DraftMap(base.topicsByName)
    this.#byId = new DraftMap(base.topicsById)
    this.#namesByUnifiedName = new DraftMap(base.namesByUnifiedName)
    this.#configs = new DraftMap(base.configs)
    this.#features = new DraftMap(base.features)
    this.#others = new DraftMap(base.others)
    this.#nextProducerId = base.nextProducerId
    this.#partitionCount = base.partitionCount
  }

  /** True after a metadata transaction has begun, until it ends. */
  get inTransaction(): boolean {
    return this.#transaction !== undefined
  }

  /** Throws MetadataError if the record contradicts earlier records. The draft must not be used afterwards. */
  apply(record: MetadataRecord): void {
    switch (record.type) {
      case 'BeginTransactionRecord':
        if (this.#transaction) throw new MetadataError('a metadata transaction begins within another one')
        this.#transaction = []
        return
      case 'EndTransactionRecord':
        for (const pending of this.#closeTransaction()) this.#change(pending)
        return
      case 'AbortTransactionRecord':
        this.#closeTransaction()
        return
      default:
        if (this.#transaction) this.#transaction.push(record)
        else this.#change(record)
    }
  }

  /** The new image, without the records of an open transaction. */
  finish(): MetadataImage {
    for (const { name, topicId, partitions } of this.#changedTopics.values()) {
      if (!isWhole(partitions)) throw new MetadataError(`the partition numbers of topic ${name} have a gap`)
      const topic = { name, topicId, partitions }
      this.#byName.set(name, topic)
      this.#byId.set(topicId, topic)
    }
    this.#changedTopics.clear()
    return {
      topicsByName: this.#byName.finish(),
      topicsById: this.#byId.finish(),
      namesByUnifiedName: this.#namesByUnifiedName.finish(),
      partitionCount: this.#partitionCount,
      configs: this.#configs.finish(),
      features: this.#features.finish(),
      nextProducerId: this.#nextProducerId,
      others: this.#others.finish()
    }
  }

  #closeTransaction(): readonly MetadataRecord[] {
    const pending = this.#transaction
    if (!pending) throw new MetadataError('a metadata transaction ends that has not begun')
    this.#transaction = undefined
    return pending
  }

  #change(record: MetadataRecord): void {
    switch (record.type) {
      case 'TopicRecord':
        this.#addTopic(record)
        break
      case 'PartitionRecord':
        this.#putPartition(record)
        break
      case 'PartitionChangeRecord':
        this.#changePartition(record)
        break
      case 'RemoveTopicRecord':
        this.#removeTopic(record.topicId)
        break
      case 'ClearElrRecord':
        this.#clearElr(record.topicName)
        break
      case 'ConfigRecord':
        this.#setConfig(record)
        break
      case 'FeatureLevelRecord':
        if (record.featureLevel === 0) this.#features.delete(record.name)
        else this.#features.set(record.name, record.featureLevel)
        break
      case 'ProducerIdsRecord':
        this.#giveOutProducerIds(record.nextProducerId)
        break
      case 'BeginTransactionRecord':
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
      case 'NoOpRecord':
      case 'ZkMigrationStateRecord':
        break
      default:
        applyOther(this.#others, record)
    }
  }

  #addTopic({ name, topicId }: MetadataRecordOf<'TopicRecord'>): void {
    if (this.#byName.get(name)) throw new MetadataError(`topic ${name} is created, but already exists`)
    if (this.#byId.get(topicId)) throw new MetadataError(`topic ${name} has the id ${topicId} of another topic`)
    const topic = { name, topicId, partitions: [] }
    this.#byName.set(name, topic)
    this.#byId.set(topicId, topic)
    const unified = unifiedName(name)
    if (unified !== undefined) this.#namesByUnifiedName.set(unified, name)
  }

  #putPartition(record: MetadataRecordOf<'PartitionRecord'>): void {
    const { topicId, partitionId } = record
    const topic = this.#draftTopic(topicId)
    if (partitionId < 0 || partitionId >= MAX_PARTITIONS_OF_A_TOPIC) {
      throw new MetadataError(`topic ${topic.name} has a partition with the invalid number ${partitionId}`)
    }
    if (!topic.partitions[partitionId]) this.#partitionCount++
    topic.partitions[partitionId] = newPartition(record)
  }

  #changePartition(record: MetadataRecordOf<'PartitionChangeRecord'>): void {
    const { topicId, partitionId } = record
    const topic = this.#draftTopic(topicId)
    const before = topic.partitions[partitionId]
    if (!before) throw new MetadataError(`partition ${partitionId} of topic ${topic.name} changes, but does not exist`)
    topic.partitions[partitionId] = changedPartition(before, record)
  }

  #removeTopic(topicId: string): void {
    const { name, partitions } = this.#draftTopic(topicId)
    this.#partitionCount -= partitions.filter(partition => partition !== undefined).length
    this.#changedTopics.delete(topicId)
    this.#byName.delete(name)
    this.#byId.delete(topicId)
    const unified = unifiedName(name)
    if (unified !== undefined) this.#namesByUnifiedName.delete(unified)
    this.#configs.delete(resourceKey(RESOURCE_TYPES.TOPIC, name))
  }

  /** An empty name means all topics. */
  #clearElr(topicName: string): void {
    const named = this.#byName.get(topicName)
    if (!named && topicName !== '')
      throw new MetadataError(`the ELR of topic ${topicName} is cleared, but the topic does not exist`)
    for (const { topicId } of named ? [named] : this.#byName.finish().values()) {
      const { partitions } = this.#draftTopic(topicId)
      for (const [index, partition] of partitions.entries()) {
        if (partition) partitions[index] = { ...partition, eligibleLeaderReplicas: [], lastKnownElr: [] }
      }
    }
  }

  #setConfig({ resourceType, resourceName, name, value }: MetadataRecordOf<'ConfigRecord'>): void {
    const key = resourceKey(resourceType, resourceName)
    const configs = new Map(this.#configs.get(key))
    if (value === null) configs.delete(name)
    else configs.set(name, value)
    if (configs.size === 0) this.#configs.delete(key)
    else this.#configs.set(key, configs)
  }

  /**
   * Producer ids must increase strictly, because an id must never be allocated twice. Kafka's controllers reject such a record,
   * too.
   */
  #giveOutProducerIds(nextProducerId: bigint): void {
    if (this.#nextProducerId !== undefined && nextProducerId <= this.#nextProducerId) {
      throw new MetadataError(
        `the next producer id is ${nextProducerId}, not above the previous ${this.#nextProducerId}`
      )
    }
    this.#nextProducerId = nextProducerId
  }

  #draftTopic(topicId: string): TopicDraft {
    const changed = this.#changedTopics.get(topicId)
    if (changed) return changed
    const topic = this.#byId.get(topicId)
    if (!topic) throw new MetadataError(`a record has the topic id ${topicId}, but no topic has that id`)
    const draft = { ...topic, partitions: [...topic.partitions] }
    this.#changedTopics.set(topicId, draft)
    return draft
  }
}

function isWhole(partitions: readonly (PartitionState | undefined)[]): partitions is readonly PartitionState[] {
  return !partitions.includes(undefined)
}

// Partition state from records. A change keeps the fields that its record does not have, and bumps the epochs.

/** Directory id of a replica whose record is older than directory ids. */
const MIGRATING_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA'
const LEADER_UNCHANGED = -2
const RECOVERY_STATE_UNCHANGED = -1

/** The partition of a PartitionRecord. */
function newPartition(record: MetadataRecordOf<'PartitionRecord'>): PartitionState {
  return {
    partitionId: record.partitionId,
    replicas: record.replicas,
    isr: record.isr,
    removingReplicas: record.removingReplicas,
    addingReplicas: record.addingReplicas,
    leader: record.leader,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
    directories: record.directories.length > 0 ? record.directories : record.replicas.map(() => MIGRATING_DIRECTORY),
    leaderRecoveryState: record.leaderRecoveryState,
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
    lastKnownElr: record.lastKnownElr ?? []
  }
}

/** A record with a leader, even with the current one, bumps the leader epoch. A change of only the ISR does not. */
function changedPartition(before: PartitionState, change: MetadataRecordOf<'PartitionChangeRecord'>): PartitionState {
  const led = change.leader !== LEADER_UNCHANGED
  const recovery = change.leaderRecoveryState
  return {
    partitionId: before.partitionId,
    replicas: change.replicas ?? before.replicas,
    isr: change.isr ?? before.isr,
    removingReplicas: change.removingReplicas ?? before.removingReplicas,
    addingReplicas: change.addingReplicas ?? before.addingReplicas,
    leader: led ? change.leader : before.leader,
    leaderEpoch: led ? before.leaderEpoch + 1 : before.leaderEpoch,
    partitionEpoch: before.partitionEpoch + 1,
    directories: change.directories ?? before.directories,
    leaderRecoveryState: recovery === RECOVERY_STATE_UNCHANGED ? before.leaderRecoveryState : recovery,
    eligibleLeaderReplicas: change.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
    lastKnownElr: change.lastKnownElr ?? before.lastKnownElr
  }
}
