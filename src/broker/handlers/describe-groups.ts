/**
 * DescribeGroups: classic groups and their members, each group with its own error.
 * - A group that there is not has the state Dead, and from version 6 on the error GROUP_ID_NOT_FOUND (KIP-1043).
 * - A group takes few bytes to ask for and many to answer: named again, it is paid for out of a budget.
 */
import { AnswerBudget } from '../../group/answer-budget.ts'
import { allOperations } from '../../security/operations.ts'
import type { Handler, RequestContext, Response } from '../context.ts'
import { eachInTurns } from '../per-partition.ts'

type DescribedGroup = Response<'DescribeGroups'>['groups'][number]

const NOT_FOUND_SINCE = 6

export const describeGroups: Handler<'DescribeGroups'> = async (request, context) => {
  const budget = new AnswerBudget()
  const asked = new Set<string>()
  const groups = await eachInTurns(request.groups, context.parts.clock, groupId => {
    const isRepeated = asked.has(groupId)
    asked.add(groupId)
    return describeGroup(groupId, context, isRepeated ? budget : undefined)
  })
  return { groups: request.includeAuthorizedOperations ? groups.map(withOperations) : groups }
}

async function describeGroup(
  groupId: string,
  { parts, apiVersion }: RequestContext,
  budget: AnswerBudget | undefined
): Promise<DescribedGroup> {
  const group = await parts.groups.admin.describe(groupId, budget)
  const isQuiet = apiVersion < NOT_FOUND_SINCE && group.errorCode === 'GROUP_ID_NOT_FOUND'
  return isQuiet ? { ...group, errorCode: 'NONE' } : group
}

function withOperations(group: DescribedGroup): DescribedGroup {
  return group.errorCode === 'NONE' ? { ...group, authorizedOperations: allOperations('group') } : group
}
