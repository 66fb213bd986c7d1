/** Decides a CreatePartitions request: the records to append and the results. Pure; messages and checks are Kafka's. */
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import type { MetadataImage, TopicState } from '../image/image.ts'
import type { TopicRules } from './create-topics.ts'
import { checkAssignment, partitionRecord, placeReplicas } from './placement.ts'
import { type Decision, Plan, repeatedNames } from './plan.ts'

/**
 * New total partition count of a topic. `assignments` has the brokers of each added partition; null lets the broker place them.
 */
export interface MorePartitions {
  readonly name: string
  readonly count: number
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null
}

/** Result of one topic. */
export interface CreatedPartitions {
  readonly name: string
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
}

type Limits = Pick<TopicRules, 'brokers' | 'maxPartitions'>

/** For `validateOnly` the caller appends no records; the results are the same. */
export function createPartitions(
  image: MetadataImage,
  topics: readonly MorePartitions[],
  limits: Limits
): Decision<CreatedPartitions> {
  const repeated = repeatedNames(topics)
  const plan = new Plan(image, limits.maxPartitions)
  const results: CreatedPartitions[] = []
  for (const name of repeated) {
    results.push({ name, errorCode: 'INVALID_REQUEST', errorMessage: 'Duplicate topic name.' })
  }
  for (const topic of topics.filter(({ name }) => !repeated.has(name))) {
    results.push({ name: topic.name, ...decide(() => addPartitions(image, topic, limits, plan)) })
  }
  return { records: plan.records, results }
}

function decide(add: () => void): Omit<CreatedPartitions, 'name'> {
  try {
    add()
    return { errorCode: 'NONE', errorMessage: null }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { errorCode: error.code, errorMessage: error.message || null }
  }
}

/** Adds the records of one topic to the plan. If it throws the KafkaError of the result, the plan has no records of the topic. */
function addPartitions(image: MetadataImage, request: MorePartitions, { brokers }: Limits, plan: Plan): void {
  const topic = image.topicsByName.get(request.name)
  // Kafka sends no error message here.
  if (!topic) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', '')
  const first = topic.partitions.length
  const added = additional(topic, request)
  plan.reserve(added)
  const factor = topic.partitions[0]?.replicas.length ?? 1
  for (const { brokerIds } of request.assignments ?? []) checkAssignment(brokers, brokerIds, factor)
  const replicas = Array.from(
    { length: added },
    (_, index) => request.assignments?.[index]?.brokerIds ?? placeReplicas(brokers, first + index, factor)
  )
  for (const [index, ids] of replicas.entries()) {
    plan.records.push(partitionRecord(topic.topicId, first + index, ids, brokers))
  }
}

function additional(topic: TopicState, { count, assignments }: MorePartitions): number {
  const present = topic.partitions.length
  const added = count - present
  if (added === 0) throw new KafkaError('INVALID_PARTITIONS', `Topic already has ${present} partition(s).`)
  if (added < 0) {
    const text = `The topic ${topic.name} currently has ${present} partition(s); ${count} would not be an increase.`
    throw new KafkaError('INVALID_PARTITIONS', text)
  }
  if (assignments && assignments.length !== added) {
    const text = `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`
    throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', text)
  }
  return added
}
