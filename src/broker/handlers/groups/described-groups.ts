/**
 * Descriptions of groups, of whatever kind: each group of a request with its own error, in turns where they are many. A
 * group takes few bytes to ask for and many to answer: named again, it is paid for out of a budget.
 */
import { ResponseBudget } from '../../../group/response-budget.ts'
import type { ErrorName } from '../../../protocol/errors.ts'
import type { MonotonicClock } from '../../../runtime/time.ts'
import { allOperations } from '../../../security/operations.ts'
import { eachYielding } from '../../per-partition.ts'

/** What a request asks for. */
export interface DescribeRequest {
  readonly groupIds: readonly string[]
  readonly includeAuthorizedOperations: boolean
}

/** Describes each group of a request; `describe` is given a budget for one that was named before. */
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
