/**
 * OffsetDelete: deletes what a group has committed (KIP-496). Every partition has its own error: what does not exist is
 * refused here, what the group is subscribed to by the coordinator. An error of the whole group has no topics beside it.
 */
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import type { Handler } from '../../context.ts'
import { sortCommit } from './commit-topics.ts'

export const offsetDelete: Handler<'OffsetDelete'> = async ({ groupId, topics }, context) => {
  const named = topics.map(topic => ({ ...topic, topicId: ZERO_UUID }))
  const sorted = sortCommit(named, context, false)
  const { errorCode, topics: deleted } = await context.parts.groups.admin.deleteOffsets(groupId, sorted.topics)
  return { errorCode, topics: errorCode === 'NONE' ? sorted.responseWith(deleted) : [] }
}
