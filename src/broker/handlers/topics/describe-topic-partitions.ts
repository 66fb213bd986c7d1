/**
 * DescribeTopicPartitions: partitions of topics in pages (KIP-966).
 * - Topics are in the order of their names, from the cursor on. A page has at most `responsePartitionLimit` partitions, and the
 *   cursor of the next page if there is one.
 * - An empty list requests all topics. With a cursor outside the requested topics, or with a negative partition, every requested
 *   topic gets INVALID_REQUEST.
 */
import type { MetadataImage, PartitionState } from '../../../metadata/image/image.ts'
import { isInternalTopic } from '../../../metadata/topic-names.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import { allOperations } from '../../../security/operations.ts'
import { handler, type PartsOf, type Request, type Response } from '../../context.ts'
import { availability, type Node, nodesFor } from '../../nodes.ts'
import { failureOf } from '../../per-partition.ts'

type TopicResponse = Response<'DescribeTopicPartitions'>['topics'][number]

const PARTS = ['nodeId', 'listeners', 'replicas', 'metadata', 'settings', 'events'] as const

export const describeTopicPartitions = handler('DescribeTopicPartitions', PARTS, (request, parts, { connection }) => {
  checkCursor(request)
  const names = topicsFrom(request, parts.metadata.image)
  const limit = Math.min(parts.settings.get('max.request.partition.size.limit'), request.responsePartitionLimit)
  let left = Math.max(limit, 1)
  const topics: TopicResponse[] = []
  const brokers = nodesFor(parts, connection)
  for (const topicName of names) {
    if (left === 0) return { topics, nextCursor: { topicName, partitionIndex: 0 } }
    const first = topicName === request.cursor?.topicName ? request.cursor.partitionIndex : 0
    const response = describe(topicName, { first, count: left }, brokers, parts)
    topics.push(response)
    const next = first + response.partitions.length
    const state = parts.metadata.image.topicsByName.get(topicName)
    if (state && next < state.partitions.length) return { topics, nextCursor: { topicName, partitionIndex: next } }
    left -= response.partitions.length
  }
  return { topics, nextCursor: null }
})

/** Throws INVALID_REQUEST for a cursor outside the requested topics. */
function checkCursor({ topics, cursor }: Request<'DescribeTopicPartitions'>): void {
  if (!cursor) return
  const isRequested = topics.length === 0 || topics.some(({ name }) => name === cursor.topicName)
  if (isRequested && cursor.partitionIndex >= 0) return
  const position = `${cursor.topicName}-${cursor.partitionIndex}`
  throw new KafkaError('INVALID_REQUEST', `the cursor ${position} is not in the requested topics`)
}

function topicsFrom({ topics, cursor }: Request<'DescribeTopicPartitions'>, image: MetadataImage): string[] {
  const all = topics.length === 0 ? [...image.topicsByName.keys()] : topics.map(({ name }) => name)
  const from = cursor?.topicName ?? ''
  return [...new Set(all)].filter(name => name >= from).sort((a, b) => (a < b ? -1 : 1))
}

function describe(
  name: string,
  { first, count }: { readonly first: number; readonly count: number },
  brokers: readonly Node[],
  { replicas, events }: PartsOf<typeof PARTS>
): TopicResponse {
  const fixed = { name, isInternal: isInternalTopic(name), topicAuthorizedOperations: allOperations('TOPIC') }
  try {
    const { topicId, partitions } = replicas.topic(name)
    const page = partitions.slice(first, first + count).map(state => partition(state, brokers))
    return { ...fixed, errorCode: 'NONE', topicId, partitions: page }
  } catch (error) {
    return { ...fixed, ...{ errorCode: failureOf(error, events).errorCode }, topicId: ZERO_UUID, partitions: [] }
  }
}

function partition(state: PartitionState, brokers: readonly Node[]): TopicResponse['partitions'][number] {
  const { leaderId, offlineReplicas } = availability(state, brokers)
  return {
    errorCode: 'NONE',
    partitionIndex: state.partitionId,
    leaderId,
    leaderEpoch: state.leaderEpoch,
    replicaNodes: state.replicas,
    isrNodes: state.isr,
    offlineReplicas,
    eligibleLeaderReplicas: state.eligibleLeaderReplicas,
    lastKnownElr: state.lastKnownElr
  }
}
