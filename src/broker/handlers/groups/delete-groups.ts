/**
 * DeleteGroups: deletes groups without members, and what they have committed. Each has its own error, however often it is
 * named. No error has a message: Kafka has one for share groups only.
 */
import type { Handler } from '../../context.ts'
import { eachYielding } from '../../per-partition.ts'

export const deleteGroups: Handler<'DeleteGroups'> = async ({ groupsNames }, { parts }) => ({
  results: await eachYielding(new Set(groupsNames), parts.clocks.loop, groupId => parts.groups.admin.delete(groupId))
})
