/**
 * OffsetDelete: deletes committed offsets of a group (KIP-496). Every partition has its own error: missing partitions are refused
 * here, topics that the group subscribes to by the coordinator. With an error of the whole group the response has no topics.
 */
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import { handler } from '../../context.ts'
import { sortCommit } from './commit-topics.ts'

export const offsetDelete = handler('OffsetDelete', ['groups', 'metadata'], async (request, { groups, metadata }) => {
  const { groupId, topics } = request
  const named = topics.map(topic => ({ ...topic, topicId: ZERO_UUID }))
  const sorted = sortCommit(named, metadata.image, false)
  const { errorCode, topics: deleted } = await groups.admin.deleteOffsets(groupId, sorted.topics)
  return { errorCode, topics: errorCode === 'NONE' ? sorted.responseWith(deleted) : [] }
})
