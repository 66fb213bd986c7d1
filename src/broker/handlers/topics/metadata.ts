/**
 * Metadata: the nodes, and topics with their partitions and leaders (KIP-4, KIP-430, KIP-516).
 * - Null topics request all topics; in version 0 an empty list does. Topic ids are valid since version 12; before, a topic with
 *   an id or without a name fails the whole request with INVALID_REQUEST.
 * - A missing topic is created if both the client and `auto.create.topics.enable` allow it. Unlike in Kafka, where this response
 *   has UNKNOWN_TOPIC_OR_PARTITION and the next one the topic, the topic exists at once.
 */
import type { PartitionState, TopicState } from '../../../metadata/image/image.ts'
import { isInternalTopic } from '../../../metadata/topic-names.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import { allOperations } from '../../../security/operations.ts'
import { handler, type PartsOf, type Request, type Response } from '../../context.ts'
import { availability, type Node, nodesFor } from '../../nodes.ts'
import { each } from '../../per-partition.ts'

type RequestedTopic = { readonly name: string | null; readonly topicId: string }
type TopicResponse = Response<'Metadata'>['topics'][number]

const TOPIC_IDS_SINCE = 12
const NONE_REFUSED: ReadonlyMap<string, KafkaError> = new Map()

const PARTS = ['nodeId', 'clusterId', 'listeners', 'settings', 'metadata', 'replicas', 'events'] as const

export const metadata = handler('Metadata', PARTS, (request, parts, { connection, apiVersion }) => {
  if (apiVersion < TOPIC_IDS_SINCE) checkAllByName(request)
  const { topics, includeTopicAuthorizedOperations, includeClusterAuthorizedOperations } = request
  const brokers = nodesFor(parts, connection)
  const asksForAll = topics === null || (apiVersion === 0 && topics.length === 0)
  const responses = asksForAll
    ? [...parts.metadata.image.topicsByName.values()].map(topic => describe(topic, brokers))
    : responsesFor(requestedTopics(topics), request, parts, brokers)
  const operations = { topicAuthorizedOperations: allOperations('TOPIC') }
  return {
    brokers,
    clusterId: parts.clusterId,
    controllerId: parts.nodeId,
    topics: includeTopicAuthorizedOperations ? responses.map(topic => ({ ...topic, ...operations })) : responses,
    ...(includeClusterAuthorizedOperations && { clusterAuthorizedOperations: allOperations('CLUSTER') })
  }
})

function checkAllByName({ topics }: Request<'Metadata'>): void {
  if ((topics ?? []).every(({ name, topicId }) => name !== null && topicId === ZERO_UUID)) return
  throw new KafkaError('INVALID_REQUEST', `topic ids require version ${TOPIC_IDS_SINCE} of Metadata`)
}

/** The distinct topics. As in Kafka, topics with names are ignored if any topic has an id. */
function requestedTopics(topics: readonly RequestedTopic[]): RequestedTopic[] {
  const byId = topics.filter(({ topicId }) => topicId !== ZERO_UUID)
  const distinct = byId.length > 0 ? byId : topics
  return [...new Map(distinct.map(topic => [byId.length > 0 ? topic.topicId : topic.name, topic])).values()]
}

function responsesFor(
  topics: readonly RequestedTopic[],
  request: Request<'Metadata'>,
  { replicas, settings, events }: PartsOf<typeof PARTS>,
  brokers: readonly Node[]
): TopicResponse[] {
  const create = request.allowAutoTopicCreation && settings.get('auto.create.topics.enable')
  const named = topics.flatMap(({ name, topicId }) => (topicId === ZERO_UUID ? [name ?? ''] : []))
  const refused = create ? replicas.createMissing(named) : NONE_REFUSED
  return each(
    topics,
    events,
    ({ name, topicId }) => {
      if (topicId !== ZERO_UUID) return describe(replicas.topicById(topicId), brokers)
      const error = refused.get(name ?? '')
      if (error) throw error
      return describe(replicas.topic(name ?? ''), brokers)
    },
    ({ name, topicId }, { errorCode }) => {
      return { errorCode, name, topicId, isInternal: isInternalTopic(name ?? ''), partitions: [] }
    }
  )
}

function describe({ name, topicId, partitions }: TopicState, brokers: readonly Node[]): TopicResponse {
  return {
    errorCode: 'NONE',
    name,
    topicId,
    isInternal: isInternalTopic(name),
    partitions: partitions.map(partition => partitionResponse(partition, brokers))
  }
}

/** As in Kafka, a partition whose leader is not among the nodes gets LEADER_NOT_AVAILABLE. */
function partitionResponse(state: PartitionState, brokers: readonly Node[]): TopicResponse['partitions'][number] {
  const { leaderId, offlineReplicas } = availability(state, brokers)
  return {
    errorCode: leaderId < 0 ? 'LEADER_NOT_AVAILABLE' : 'NONE',
    partitionIndex: state.partitionId,
    leaderId,
    leaderEpoch: state.leaderEpoch,
    replicaNodes: state.replicas,
    isrNodes: state.isr,
    offlineReplicas
  }
}
