import { describe, expect, it } from 'vitest'
import { PartitionAssignorError } from '../../../../src/group/consumer/assignors/assignor.ts'
import { uniformAssignor } from '../../../../src/group/consumer/assignors/uniform.ts'
import { assign } from './written-group.ts'

describe('when all want the same', () => {
  it('gives each a fair share, topic after topic, and one more to who comes last', () => {
    expect(assign(uniformAssignor, { T1: 3, T2: 4 }, { A: {}, B: {}, C: {} })).toEqual({
      A: { T1: [0, 1] },
      B: { T1: [2], T2: [0] },
      C: { T2: [1, 2, 3] }
    })
  })

  it('takes only what is too much when somebody joins', () => {
    const members = { A: { has: { T1: [0, 1, 2] } }, B: { has: { T1: [3, 4, 5] } }, C: {} }
    expect(assign(uniformAssignor, { T1: 6 }, members)).toEqual({
      A: { T1: [0, 1] },
      B: { T1: [3, 4] },
      C: { T1: [2, 5] }
    })
  })

  it('shares out what a member has left behind', () => {
    const members = { A: { has: { T1: [0, 1] } }, C: { has: { T1: [4, 5] } } }
    expect(assign(uniformAssignor, { T1: 6 }, members)).toEqual({ A: { T1: [0, 1, 2] }, C: { T1: [3, 4, 5] } })
  })

  it('leaves the one more to who has it', () => {
    const members = { A: { has: { T1: [0] } }, B: { has: { T1: [1, 2] } } }
    expect(assign(uniformAssignor, { T1: 3 }, members)).toEqual({ A: { T1: [0] }, B: { T1: [1, 2] } })
  })

  it('keeps of too much what Kafka finds first: by the rest of sixteen, not by number', () => {
    const members = { A: { has: { T1: [14, 15, 16, 17] } }, B: { has: { T1: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] } } }
    const { A, B } = assign(
      uniformAssignor,
      { T1: 18 },
      { ...members, C: { has: { T1: [10, 11, 12, 13] } }, D: {}, E: {}, F: {} }
    )
    expect([A, B]).toEqual([{ T1: [16, 17, 14] }, { T1: [0, 1, 2] }])
  })

  it('takes a topic that nobody wants any more, and gives a new one', () => {
    const members = { A: { has: { T1: [0, 1], T2: [0] } }, B: { has: { T1: [2], T2: [1] } } }
    expect(assign(uniformAssignor, { T2: 2, T3: 2 }, members)).toEqual({
      A: { T2: [0], T3: [0] },
      B: { T2: [1], T3: [1] }
    })
  })

  it('leaves members without partitions where there are too few', () => {
    expect(assign(uniformAssignor, { T1: 1 }, { A: { has: { T1: [0] } }, B: {} })).toEqual({ A: { T1: [0] }, B: {} })
  })

  it('gives nothing to who wants nothing, and nobody anything in an empty group', () => {
    expect(assign(uniformAssignor, {}, { A: { has: { T1: [0] } } })).toEqual({ A: {} })
    expect(assign(uniformAssignor, { T1: 1 }, {})).toEqual({})
  })

  it('gives up where two members have the same partition, so that another finds no place', () => {
    const members = { A: { has: { T1: [0] } }, B: { has: { T1: [0] } } }
    expect(() => assign(uniformAssignor, { T1: 2 }, members)).toThrow(PartitionAssignorError)
  })
})

describe('when members want different topics', () => {
  it('gives first what leaves least choice, always to who has least', () => {
    const members = { A: { wants: ['T1', 'T2'] }, B: { wants: ['T2'] } }
    // T1 has three partitions to a subscriber, T2 two and a half: B catches up, and goes first when both have three.
    expect(assign(uniformAssignor, { T1: 3, T2: 5 }, members)).toEqual({
      A: { T1: [0, 1, 2], T2: [4] },
      B: { T2: [0, 1, 2, 3] }
    })
  })

  it('moves the last partitions of who has most to who has least', () => {
    const members = {
      A: { wants: ['T1', 'T2'], has: { T1: [0, 1], T2: [0, 1, 2] } },
      B: { wants: ['T2'] }
    }
    expect(assign(uniformAssignor, { T1: 2, T2: 3 }, members)).toEqual({
      A: { T1: [0, 1], T2: [0] },
      B: { T2: [1, 2] }
    })
  })

  it('passes over who has most but nothing to give', () => {
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

  it('gives what a member does not want any more to who does', () => {
    const members = { A: { wants: ['T1'], has: { T1: [0], T2: [0] } }, B: { wants: ['T1', 'T2'], has: { T1: [1] } } }
    expect(assign(uniformAssignor, { T1: 2, T2: 1 }, members)).toEqual({ A: { T1: [0] }, B: { T1: [1], T2: [0] } })
  })

  it('does not chase what overlapping topics could still even out', () => {
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

  it('takes what does not exist, as a file might have it', () => {
    const members = { A: { wants: ['T1'], has: { T1: [0, 4_000_000] } }, B: { wants: [] } }
    expect(assign(uniformAssignor, { T1: 1 }, members)).toEqual({ A: { T1: [0] }, B: {} })
  })

  it('gives up on a topic that does not exist', () => {
    const members = { A: { wants: ['T1'] }, B: { wants: ['T2'] } }
    expect(() => assign(uniformAssignor, { T1: 1 }, members)).toThrow(PartitionAssignorError)
  })
})
