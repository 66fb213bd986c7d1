import { describe, expect, it } from 'vitest'
import { PartitionAssignorError } from '../../../../src/group/modern/assignors/assignor.ts'
import { uniformAssignor } from '../../../../src/group/modern/assignors/uniform.ts'
import { assign } from './written-group.ts'

describe('uniform assignment with equal subscriptions', () => {
  it('each member gets an equal share in the order of topics, and the last member gets the remaining partition', () => {
    expect(assign(uniformAssignor, { T1: 3, T2: 4 }, { A: {}, B: {}, C: {} })).toEqual({
      A: { T1: [0, 1] },
      B: { T1: [2], T2: [0] },
      C: { T2: [1, 2, 3] }
    })
  })

  it('a new member gets only partitions that exceed the shares of others', () => {
    const members = { A: { has: { T1: [0, 1, 2] } }, B: { has: { T1: [3, 4, 5] } }, C: {} }
    expect(assign(uniformAssignor, { T1: 6 }, members)).toEqual({
      A: { T1: [0, 1] },
      B: { T1: [3, 4] },
      C: { T1: [2, 5] }
    })
  })

  it('the partitions of a removed member are assigned to the others', () => {
    const members = { A: { has: { T1: [0, 1] } }, C: { has: { T1: [4, 5] } } }
    expect(assign(uniformAssignor, { T1: 6 }, members)).toEqual({ A: { T1: [0, 1, 2] }, C: { T1: [3, 4, 5] } })
  })

  it('a member keeps its additional partition', () => {
    const members = { A: { has: { T1: [0] } }, B: { has: { T1: [1, 2] } } }
    expect(assign(uniformAssignor, { T1: 3 }, members)).toEqual({ A: { T1: [0] }, B: { T1: [1, 2] } })
  })

  it("a member keeps the first partitions in Kafka's hash order, not in numeric order", () => {
    const members = { A: { has: { T1: [14, 15, 16, 17] } }, B: { has: { T1: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] } } }
    const { A, B } = assign(
      uniformAssignor,
      { T1: 18 },
      { ...members, C: { has: { T1: [10, 11, 12, 13] } }, D: {}, E: {}, F: {} }
    )
    expect([A, B]).toEqual([{ T1: [16, 17, 14] }, { T1: [0, 1, 2] }])
  })

  it('an unsubscribed topic is removed and a new topic is assigned', () => {
    const members = { A: { has: { T1: [0, 1], T2: [0] } }, B: { has: { T1: [2], T2: [1] } } }
    expect(assign(uniformAssignor, { T2: 2, T3: 2 }, members)).toEqual({
      A: { T2: [0], T3: [0] },
      B: { T2: [1], T3: [1] }
    })
  })

  it('surplus members get no partitions', () => {
    expect(assign(uniformAssignor, { T1: 1 }, { A: { has: { T1: [0] } }, B: {} })).toEqual({ A: { T1: [0] }, B: {} })
  })

  it('no partitions are assigned without subscriptions or members', () => {
    expect(assign(uniformAssignor, {}, { A: { has: { T1: [0] } } })).toEqual({ A: {} })
    expect(assign(uniformAssignor, { T1: 1 }, {})).toEqual({})
  })

  it('a partition with two owners throws if another partition cannot be assigned', () => {
    const members = { A: { has: { T1: [0] } }, B: { has: { T1: [0] } } }
    expect(() => assign(uniformAssignor, { T1: 2 }, members)).toThrow(PartitionAssignorError)
  })
})

describe('uniform assignment with different subscriptions', () => {
  it('topics with the fewest subscribers are assigned first, to the member with the fewest partitions', () => {
    const members = { A: { wants: ['T1', 'T2'] }, B: { wants: ['T2'] } }
    // T1 has 3 partitions for each subscriber, T2 has 2.5: B catches up, and gets the next partition when both have 3.
    expect(assign(uniformAssignor, { T1: 3, T2: 5 }, members)).toEqual({
      A: { T1: [0, 1, 2], T2: [4] },
      B: { T2: [0, 1, 2, 3] }
    })
  })

  it('the last partitions of the most loaded member move to the least loaded member', () => {
    const members = {
      A: { wants: ['T1', 'T2'], has: { T1: [0, 1], T2: [0, 1, 2] } },
      B: { wants: ['T2'] }
    }
    expect(assign(uniformAssignor, { T1: 2, T2: 3 }, members)).toEqual({
      A: { T1: [0, 1], T2: [0] },
      B: { T2: [1, 2] }
    })
  })

  it('the most loaded member is skipped if it has no partition for the others', () => {
    const members = {
      A: { wants: ['T1', 'T2'], has: { T1: [0, 1, 2, 3] } },
      B: { wants: ['T2'], has: { T2: [0, 1, 2] } },
      C: { wants: ['T2'] }
    }
    expect(assign(uniformAssignor, { T1: 4, T2: 3 }, members)).toEqual({
      A: { T1: [0, 1, 2, 3] },
      B: { T2: [0, 1] },
      C: { T2: [2] }
    })
  })

  it('an unsubscribed partition moves to a subscriber', () => {
    const members = { A: { wants: ['T1'], has: { T1: [0], T2: [0] } }, B: { wants: ['T1', 'T2'], has: { T1: [1] } } }
    expect(assign(uniformAssignor, { T1: 2, T2: 1 }, members)).toEqual({ A: { T1: [0] }, B: { T1: [1], T2: [0] } })
  })

  it('overlapping topics are not balanced by chains of moves', () => {
    const members = {
      A: { wants: ['T1'], has: { T1: [0] } },
      B: { wants: ['T1', 'T2'], has: { T1: [1], T2: [0] } },
      C: { wants: ['T2'], has: { T2: [1, 2, 3] } }
    }
    expect(assign(uniformAssignor, { T1: 2, T2: 4 }, members)).toEqual({
      A: { T1: [0] },
      B: { T1: [1], T2: [0] },
      C: { T2: [1, 2, 3] }
    })
  })

  it('partitions that do not exist are ignored', () => {
    const members = { A: { wants: ['T1'], has: { T1: [0, 4_000_000] } }, B: { wants: [] } }
    expect(assign(uniformAssignor, { T1: 1 }, members)).toEqual({ A: { T1: [0] }, B: {} })
  })

  it('a topic that does not exist throws', () => {
    const members = { A: { wants: ['T1'] }, B: { wants: ['T2'] } }
    expect(() => assign(uniformAssignor, { T1: 1 }, members)).toThrow(PartitionAssignorError)
  })
})
