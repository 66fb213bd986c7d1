/** ListGroups: all groups. Since version 4 filtered by state (KIP-518), since version 5 by type (KIP-848). */
import { handler } from '../../context.ts'

export const listGroups = handler('ListGroups', ['groups'], async ({ statesFilter, typesFilter }, parts) => {
  const { errorCode, groups } = await parts.groups.admin.list({ states: statesFilter, types: typesFilter })
  return {
    errorCode,
    groups: groups.map(({ groupId, protocolType, state: groupState, type: groupType }) => {
      return { groupId, protocolType, groupState, groupType }
    })
  }
})
