import { describe, expect, it } from 'vitest'
import { describeEach } from '../../../../src/broker/handlers/groups/described-groups.ts'
import { MAX_RESPONSE_BYTES, type ResponseBudget } from '../../../../src/group/response-budget.ts'
import { allOperations } from '../../../../src/security/operations.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'

const QUARTER = MAX_RESPONSE_BYTES / 4

/** Groups whose descriptions each fill a quarter of the response limit. */
async function large(groupId: string, budget: ResponseBudget | undefined) {
  budget?.spend(QUARTER)
  return { groupId, errorCode: 'NONE' as const }
}

describe('the description of each group of a request', () => {
  it('is complete for any number of distinct groups of any size', async () => {
    const groupIds = ['a', 'b', 'c', 'd', 'e', 'f']
    const groups = await describeEach({ groupIds, includeAuthorizedOperations: false }, new ManualClock().loop, large)
    expect(groups).toEqual(groupIds.map(groupId => ({ groupId, errorCode: 'NONE' })))
  })

  it('counts against the response limit for a group that is named again', async () => {
    const asked = (times: number) => ({ groupIds: Array(times).fill('a'), includeAuthorizedOperations: false })
    expect(await describeEach(asked(5), new ManualClock().loop, large)).toHaveLength(5)
    await expect(describeEach(asked(6), new ManualClock().loop, large)).rejects.toMatchObject({
      code: 'INVALID_REQUEST'
    })
  })

  it('has the authorized operations of an existing group on request', async () => {
    const request = { groupIds: ['a', 'none'], includeAuthorizedOperations: true }
    const groups = await describeEach(request, new ManualClock().loop, async groupId => ({
      groupId,
      errorCode: groupId === 'a' ? ('NONE' as const) : ('GROUP_ID_NOT_FOUND' as const)
    }))
    expect(groups).toEqual([
      { groupId: 'a', errorCode: 'NONE', authorizedOperations: allOperations('GROUP') },
      { groupId: 'none', errorCode: 'GROUP_ID_NOT_FOUND' }
    ])
  })
})
