/**
 * DescribeGroups: classic groups and their members. A missing group has the state Dead, and since version 6 the error
 * GROUP_ID_NOT_FOUND (KIP-1043).
 */
import { handler } from '../../context.ts'
import { describeEach } from './described-groups.ts'

const NOT_FOUND_SINCE = 6

const PARTS = ['groups', 'clocks'] as const

export const describeGroups = handler('DescribeGroups', PARTS, async (request, parts, { apiVersion }) => {
  const { groups: groupIds, includeAuthorizedOperations } = request
  const groups = await describeEach(
    { groupIds, includeAuthorizedOperations },
    parts.clocks.loop,
    async (groupId, budget) => {
      const group = await parts.groups.admin.describe(groupId, budget)
      const isQuiet = apiVersion < NOT_FOUND_SINCE && group.errorCode === 'GROUP_ID_NOT_FOUND'
      return isQuiet ? { ...group, errorCode: 'NONE' as const } : group
    }
  )
  return { groups }
})
