/**
 * DeleteGroups: deletes groups without members, and what they have committed. Each has its own error, however often it is
 * named. No error has a message: Kafka has one for share groups only.
 */
import { handler } from '../../context.ts'
import { eachYielding } from '../../per-partition.ts'

const PARTS = ['groups', 'clocks'] as const

export const deleteGroups = handler('DeleteGroups', PARTS, async ({ groupsNames }, { groups, clocks }) => ({
  results: await eachYielding(new Set(groupsNames), clocks.loop, groupId => groups.admin.delete(groupId))
}))
