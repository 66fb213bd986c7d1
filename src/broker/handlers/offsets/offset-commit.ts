/**
 * OffsetCommit: commits offsets of a group. Every partition has its own error.
 * - Since version 10 topics are identified by id; an unknown id gets UNKNOWN_TOPIC_ID (KIP-848). Missing topics and partitions
 *   are refused here, invalid members and too large metadata by the coordinator.
 * - Versions 2-4 may have a retention time, which KIP-211 removed.
 */

import { handler } from '../../context.ts'
import { sortCommit } from './commit-topics.ts'

const TOPIC_IDS_SINCE = 10

export const offsetCommit = handler('OffsetCommit', ['groups', 'metadata'], async (request, parts, { apiVersion }) => {
  const { groups, metadata } = parts
  const { topics, responseWith } = sortCommit(request.topics, metadata.image, apiVersion >= TOPIC_IDS_SINCE)
  if (topics.length === 0) return { topics: responseWith([]) }
  const { generationIdOrMemberEpoch: generationId, ...rest } = request
  return { topics: responseWith(await groups.offsets.commit({ ...rest, topics, generationId, apiVersion })) }
})
