/**
 * OffsetCommit: stores how far a group has read. Every partition has its own error.
 * - From version 10 on topics are named by id: UNKNOWN_TOPIC_ID where there is none (KIP-848). What does not exist is
 *   refused here; who may commit, and how long metadata may be, is the coordinator's to say.
 * - Versions 2-4 may say how long the offsets are to be kept (dropped by KIP-211).
 * - As in Kafka, refused partitions come first in the answer.
 */
import type { CommitTopic } from '../../group/offsets.ts'
import type { TopicState } from '../../metadata/image.ts'
import { ZERO_UUID } from '../../protocol/bytes.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { Handler, Request, RequestContext, Response } from '../context.ts'

type Topic = Request<'OffsetCommit'>['topics'][number]
type AnswerTopic = Response<'OffsetCommit'>['topics'][number]
type AnswerPartition = AnswerTopic['partitions'][number]

const TOPIC_IDS_SINCE = 10

export const offsetCommit: Handler<'OffsetCommit'> = async (request, context) => {
  const { parts, apiVersion } = context
  const sorted = request.topics.map(topic => sortOut(topic, context))
  const topics = sorted.map(({ accepted }) => accepted).filter(({ partitions }) => partitions.length > 0)
  const refused = sorted.flatMap(one => one.refused)
  if (topics.length === 0) return { topics: refused }
  const { generationIdOrMemberEpoch: generationId, ...rest } = request
  const committed = await parts.groups.commitOffsets({ ...rest, topics, generationId, apiVersion })
  return { topics: refused.length === 0 ? committed : merged([...refused, ...committed]) }
}

/** What exists goes on to the coordinator, what does not is answered. */
function sortOut(topic: Topic, context: RequestContext): { accepted: CommitTopic; refused: AnswerTopic[] } {
  const { name, topicId, partitions } = topic
  const known = find(topic, context)
  if (!known) {
    const errorCode = context.apiVersion >= TOPIC_IDS_SINCE ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
    return { accepted: { name, topicId, partitions: [] }, refused: [refuse(topic, topic, errorCode)] }
  }
  const there = partitions.filter(({ partitionIndex }) => known.partitions[partitionIndex])
  const missing = partitions.filter(({ partitionIndex }) => !known.partitions[partitionIndex])
  const refused = missing.length === 0 ? [] : [refuse(known, { partitions: missing }, 'UNKNOWN_TOPIC_OR_PARTITION')]
  return { accepted: { name: known.name, topicId: known.topicId, partitions: there }, refused }
}

function find({ name, topicId }: Topic, { parts, apiVersion }: RequestContext): TopicState | undefined {
  const { topicsById, topicsByName } = parts.metadata.image
  if (apiVersion < TOPIC_IDS_SINCE) return topicsByName.get(name)
  return topicId === ZERO_UUID ? undefined : topicsById.get(topicId)
}

function refuse(
  { name, topicId }: Pick<Topic, 'name' | 'topicId'>,
  { partitions }: Pick<Topic, 'partitions'>,
  errorCode: ErrorName
): AnswerTopic {
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}

/** One answer a topic, with all of its partitions. */
function merged(topics: readonly AnswerTopic[]): AnswerTopic[] {
  const answers = new Map<string, AnswerTopic & { partitions: AnswerPartition[] }>()
  for (const { name, topicId, partitions } of topics) {
    const key = `${topicId}/${name}`
    const answer = answers.get(key) ?? { name, topicId, partitions: [] }
    answers.set(key, answer)
    for (const partition of partitions) answer.partitions.push(partition)
  }
  return [...answers.values()]
}
