/**
 * OffsetCommit: stores how far a group has read. Every partition has its own error.
 * - From version 10 on topics are named by id: UNKNOWN_TOPIC_ID where there is none (KIP-848). What does not exist is
 *   refused here; who may commit, and how long metadata may be, is the coordinator's to say.
 * - Versions 2-4 may say how long the offsets are to be kept (dropped by KIP-211).
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
