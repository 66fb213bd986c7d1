/**
 * DeleteGroups: deletes empty groups and their committed offsets. Each group has its own error; a repeated group is handled once.
 * As in Kafka, errors have no message: only those of share groups do.
 */
import { handler } from '../../context.ts'
import { eachYielding } from '../../per-partition.ts'

const PARTS = ['groups', 'clocks'] as const

export const deleteGroups = handler('DeleteGroups', PARTS, async ({ groupsNames }, { groups, clocks }) => ({
  results: await eachYielding(new Set(groupsNames), clocks.loop, groupId => groups.admin.delete(groupId))
}))
