/**
 * ConsumerGroupDescribe: consumer groups with their members, what these have and shall have (KIP-848).
 * - All groups of a request share one budget, so that a question can only be so much shorter than its answer.
 * - UNSUPPORTED_VERSION while the protocol is switched off.
 */
import { AnswerBudget } from '../../group/answer-budget.ts'
import { allOperations } from '../../security/operations.ts'
import type { Handler, Response } from '../context.ts'
import { isConsumerProtocolEnabled } from '../group-ports.ts'

export const consumerGroupDescribe: Handler<'ConsumerGroupDescribe'> = async (request, { parts }) => {
  const { groupIds, includeAuthorizedOperations } = request
  if (!isConsumerProtocolEnabled(parts)) {
    return { groups: groupIds.map(groupId => ({ groupId, errorCode: 'UNSUPPORTED_VERSION', errorMessage: null })) }
  }
  const budget = new AnswerBudget()
  const groups = await Promise.all(groupIds.map(groupId => parts.groups.consumer.describe(groupId, budget)))
  return { groups: includeAuthorizedOperations ? groups.map(withOperations) : groups }
}

type DescribedGroup = Response<'ConsumerGroupDescribe'>['groups'][number]

function withOperations(group: DescribedGroup): DescribedGroup {
  return group.errorCode === 'NONE' ? { ...group, authorizedOperations: allOperations('group') } : group
}
