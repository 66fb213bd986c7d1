/** Decides a DeleteTopics request: the records to append and the results. Pure; messages and checks are Kafka's. */

import type { ErrorName } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/wire/bytes.ts'
import type { MetadataImage } from '../image/image.ts'
import { metadataRecord } from '../records.ts'
import type { Decision } from './plan.ts'

/** A topic by name (the id is zero) or by id (the name is null). */
export interface TopicReference {
  readonly name: string | null
  readonly topicId: string
}

/** Result of one topic. */
export interface DeletedTopic extends TopicReference {
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
}

/**
 * A repeated name or id is an error and deletes no topic. A topic that is given by name and by id is an error, too; as in Kafka
 * only the name gets a result then.
 */
export function deleteTopics(image: MetadataImage, topics: readonly TopicReference[]): Decision<DeletedTopic> {
  const { names, ids, unclear } = countReferences(topics)
  const results: DeletedTopic[] = unclear.map(reference => refused(reference, 'INVALID_REQUEST', whyUnclear(reference)))
  const doomed = new Map<string, string>()
  for (const [topicId, times] of ids) {
    const topic = image.topicsById.get(topicId)
    const reference = { name: null, topicId }
    if (times > 1) results.push(refused(reference, 'INVALID_REQUEST', 'Duplicate topic id.'))
    else if (topic) doomed.set(topicId, topic.name)
    else results.push(refused(reference, 'UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.'))
  }
  for (const [name, times] of names) {
    const topicId = image.topicsByName.get(name)?.topicId ?? ZERO_UUID
    const reference = { name, topicId }
    if (times > 1) {
      results.push(refused({ name, topicId: ZERO_UUID }, 'INVALID_REQUEST', 'Duplicate topic name.'))
    } else if (topicId === ZERO_UUID) {
      const unknown = 'This server does not host this topic-partition.'
      results.push(refused(reference, 'UNKNOWN_TOPIC_OR_PARTITION', unknown))
    } else if (ids.has(topicId)) {
      const both = 'The provided topic name maps to an ID that was already supplied.'
      results.push(refused(reference, 'INVALID_REQUEST', both))
      doomed.delete(topicId)
    } else {
      doomed.set(topicId, name)
    }
  }
  for (const [topicId, name] of doomed) results.push({ name, topicId, errorCode: 'NONE', errorMessage: null })
  return { records: [...doomed.keys()].map(topicId => metadataRecord('RemoveTopicRecord', { topicId })), results }
}

const TOPIC_DELETION_DISABLED_SINCE = 3

/** The results while `delete.topic.enable` is false. */
export function refuseDeletion(topics: readonly TopicReference[], apiVersion: number): DeletedTopic[] {
  const errorCode = apiVersion < TOPIC_DELETION_DISABLED_SINCE ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED'
  return topics.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage: null }))
}

/** Names and ids with the number of their occurrences, and references with both or neither. */
function countReferences(topics: readonly TopicReference[]) {
  const names = new Map<string, number>()
  const ids = new Map<string, number>()
  const unclear: TopicReference[] = []
  for (const reference of topics) {
    const { name, topicId } = reference
    if ((name === null) === (topicId === ZERO_UUID)) unclear.push(reference)
    else if (name === null) ids.set(topicId, (ids.get(topicId) ?? 0) + 1)
    else names.set(name, (names.get(name) ?? 0) + 1)
  }
  return { names, ids, unclear }
}

function whyUnclear({ name }: TopicReference): string {
  return name === null
    ? 'Neither topic name nor id were specified.'
    : 'You may not specify both topic name and topic id.'
}

function refused(reference: TopicReference, errorCode: ErrorName, errorMessage: string): DeletedTopic {
  return { ...reference, errorCode, errorMessage }
}
