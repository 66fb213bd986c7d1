/**
 * Descriptions of groups of any type: each group of a request has its own error. Many groups are described in slices.
 * Descriptions are much larger than group ids, so that a budget limits those of repeated ids.
 */
import { ResponseBudget } from '../../../group/response-budget.ts'
import type { ErrorName } from '../../../protocol/errors.ts'
import type { MonotonicClock } from '../../../runtime/time.ts'
import { allOperations } from '../../../security/operations.ts'
import { eachYielding } from '../../per-partition.ts'

/** The fields that requests for descriptions share. */
export interface DescribeRequest {
  readonly groupIds: readonly string[]
  readonly includeAuthorizedOperations: boolean
}

/** Describes each group of a request. `describe` gets a budget for a repeated group id. */
export async function describeEach<Group extends { readonly errorCode: ErrorName }>(
  { groupIds, includeAuthorizedOperations }: DescribeRequest,
  loop: MonotonicClock,
  describe: (groupId: string, budget: ResponseBudget | undefined) => Promise<Group>
): Promise<(Group & { readonly authorizedOperations?: number })[]> {
  const budget = new ResponseBudget()
  const asked = new Set<string>()
  const groups = await eachYielding(groupIds, loop, groupId => {
    const isRepeated = asked.has(groupId)
    asked.add(groupId)
    return describe(groupId, isRepeated ? budget : undefined)
  })
  return includeAuthorizedOperations ? groups.map(withOperations) : groups
}

function withOperations<Group extends { readonly errorCode: ErrorName }>(group: Group) {
  return group.errorCode === 'NONE' ? { ...group, authorizedOperations: allOperations('GROUP') } : group
}
