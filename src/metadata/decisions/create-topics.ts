/**
 * Decides a CreateTopics request: the records to append and the result of each topic. Pure: nothing changes until the caller
 * appends the records. Checks, their order and their messages are those of Kafka's controller.
 */

import { RESOURCE_TYPES } from '../../config/resources.ts'
import { rows, type ViewOf } from '../../config/view.ts'
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/wire/bytes.ts'
import type { MetadataImage } from '../image/image.ts'
import { type MetadataRecord, metadataRecord } from '../records.ts'
import { CLUSTER_METADATA_TOPIC_NAME, checkTopicName, collidingTopic } from '../topic-names.ts'
import { type BrokerPlace, checkAssignment, partitionRecord, placeReplicas } from './placement.ts'
import {
  type Decision,
  MAX_PARTITIONS_PER_BATCH,
  MAX_RECORDS_PER_USER_OP,
  Plan,
  repeatedNames,
  TOO_MANY_PER_REQUEST
} from './plan.ts'

/** A requested topic. -1 selects the default. Both counts must be -1 if `assignments` is not empty. */
export interface NewTopic {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[]
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

/** Settings for the decisions of CreateTopics and CreatePartitions. */
export const TOPIC_ROWS = rows({
  numPartitions: 'num.partitions',
  defaultReplicationFactor: 'default.replication.factor',
  maxPartitions: 'minikafka.max.partitions'
})

/** Brokers, limits and defaults that apply to a request. */
export interface TopicRules extends ViewOf<typeof TOPIC_ROWS> {
  /** All brokers in ascending order of id. */
  readonly brokers: readonly BrokerPlace[]
  newTopicId(): string
  /** The configs to record for a topic. Throws INVALID_CONFIG for an unknown or invalid config. */
  overrides(configs: NewTopic['configs']): ReadonlyMap<string, string>
}

/** Result of one topic. On an error the counts are -1 and the id is zero. */
export interface CreatedTopic {
  readonly name: string
  readonly topicId: string
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
  readonly numPartitions: number
  readonly replicationFactor: number
}

/**
 * For `validateOnly` the caller appends no records; the results are the same. A repeated name is an error and creates no topic.
 */
export function createTopics(
  image: MetadataImage,
  topics: readonly NewTopic[],
  rules: TopicRules
): Decision<CreatedTopic> {
  const repeated = repeatedNames(topics)
  const creatable = topics.filter(({ name }) => !repeated.has(name) && name !== CLUSTER_METADATA_TOPIC_NAME)
  if (countPartitions(creatable, rules) > MAX_PARTITIONS_PER_BATCH) {
    return refuseAll(topics, TOO_MANY_PER_REQUEST)
  }
  const plan = new Plan(image, rules.maxPartitions)
  const results: CreatedTopic[] = []
  for (const topic of creatable) {
    results.push(decide(topic.name, () => createTopic(image, topic, rules, plan)))
    if (plan.records.length > MAX_RECORDS_PER_USER_OP) {
      return refuseAll(topics, 'Unable to perform excessively large batch operation.')
    }
  }
  for (const name of repeated) results.push(failed(name, 'INVALID_REQUEST', 'Duplicate topic name.'))
  if (topics.some(({ name }) => name === CLUSTER_METADATA_TOPIC_NAME) && !repeated.has(CLUSTER_METADATA_TOPIC_NAME)) {
    const prohibited = `Creation of internal topic ${CLUSTER_METADATA_TOPIC_NAME} is prohibited.`
    results.push(failed(CLUSTER_METADATA_TOPIC_NAME, 'INVALID_REQUEST', prohibited))
  }
  return { records: plan.records, results }
}

function countPartitions(topics: readonly NewTopic[], rules: TopicRules): number {
  return topics
    .map(({ assignments, numPartitions }) => {
      if (assignments.length > 0) return assignments.length
      return numPartitions === -1 ? rules.numPartitions : Math.max(0, numPartitions)
    })
    .reduce((sum, count) => sum + count, 0)
}

/** Adds the records of one topic to the plan. If it throws the KafkaError of the result, the plan has no records of the topic. */
function createTopic(image: MetadataImage, topic: NewTopic, rules: TopicRules, plan: Plan): CreatedTopic {
  const { name } = topic
  checkNewName(image, name)
  const configs = rules.overrides(topic.configs)
  const partitions = topic.assignments.length > 0 ? assigned(topic, rules) : placedReplicas(topic, rules)
  plan.reserve(partitions.length)
  const topicId = rules.newTopicId()
  plan.records.push(metadataRecord('TopicRecord', { name, topicId }))
  for (const config of configs) plan.records.push(configRecord(name, config))
  for (const [index, replicas] of partitions.entries()) {
    plan.records.push(partitionRecord(topicId, index, replicas, rules.brokers))
  }
  const replicationFactor = partitions[0]?.length ?? -1
  return { name, topicId, errorCode: 'NONE', errorMessage: null, numPartitions: partitions.length, replicationFactor }
}

function checkNewName(image: MetadataImage, name: string): void {
  if (image.topicsByName.has(name)) throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
  checkTopicName(name)
  const other = collidingTopic(image, name)
  if (other === undefined) return
  throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
}

function configRecord(topic: string, [name, value]: [string, string]): MetadataRecord {
  return metadataRecord('ConfigRecord', {
    resourceType: RESOURCE_TYPES.TOPIC,
    resourceName: topic,
    name,
    value
  })
}

/** Replicas of each partition, as assigned by the client. */
function assigned({ assignments, replicationFactor, numPartitions }: NewTopic, { brokers }: TopicRules): number[][] {
  const manual = 'A manual partition assignment was specified, but'
  if (replicationFactor !== -1) {
    throw new KafkaError('INVALID_REQUEST', `${manual} replication factor was not set to -1.`)
  }
  if (numPartitions !== -1) throw new KafkaError('INVALID_REQUEST', `${manual} numPartitions was not set to -1.`)
  const byIndex = new Map<number, number[]>()
  let replicas: number | undefined
  for (const { partitionIndex, brokerIds } of assignments) {
    if (byIndex.has(partitionIndex)) {
      const repeated = `Found multiple manual partition assignments for partition ${partitionIndex}`
      throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', repeated)
    }
    checkAssignment(brokers, brokerIds, replicas)
    replicas = brokerIds.length
    byIndex.set(partitionIndex, [...brokerIds])
  }
  return Array.from({ length: byIndex.size }, (_, index) => {
    const brokerIds = byIndex.get(index)
    if (brokerIds) return brokerIds
    const gap = 'partitions should be a consecutive 0-based integer sequence'
    throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', gap)
  })
}

/** Replicas of each partition, as placed by the broker. */
function placedReplicas(topic: NewTopic, rules: TopicRules): number[][] {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    const positive = 'Replication factor must be larger than 0, or -1 to use the default value.'
    throw new KafkaError('INVALID_REPLICATION_FACTOR', positive)
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    throw new KafkaError('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
  }
  const count = topic.numPartitions === -1 ? rules.numPartitions : topic.numPartitions
  const factor = topic.replicationFactor === -1 ? rules.defaultReplicationFactor : topic.replicationFactor
  try {
    return Array.from({ length: count }, (_, index) => placeReplicas(rules.brokers, index, factor))
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    throw new KafkaError(error.code, `Unable to replicate the partition ${factor} time(s): ${error.message}`)
  }
}

function refuseAll(topics: readonly NewTopic[], why: string): Decision<CreatedTopic> {
  return { records: [], results: topics.map(({ name }) => failed(name, 'POLICY_VIOLATION', why)) }
}

function decide(name: string, create: () => CreatedTopic): CreatedTopic {
  try {
    return create()
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return failed(name, error.code, error.message)
  }
}

function failed(name: string, errorCode: ErrorName, errorMessage: string): CreatedTopic {
  return { name, topicId: ZERO_UUID, errorCode, errorMessage, numPartitions: -1, replicationFactor: -1 }
}
