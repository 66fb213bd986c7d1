import { expect, it } from 'vitest'
import { PartitionAssignorError } from '../../../../src/group/consumer/assignors/assignor.ts'
import { rangeAssignor } from '../../../../src/group/consumer/assignors/range.ts'
import { assign } from './written-group.ts'

it('cuts each topic into ranges, the same ones of topics of the same size', () => {
  expect(assign(rangeAssignor, { T1: 3, T2: 3 }, { A: {}, B: {} })).toEqual({
    A: { T1: [0, 1], T2: [0, 1] },
    B: { T1: [2], T2: [2] }
  })
})

it('gives nothing of a topic to who comes too late', () => {
  expect(assign(rangeAssignor, { T1: 2, T2: 4 }, { A: {}, B: {}, C: {} })).toEqual({
    A: { T1: [0], T2: [0, 1] },
    B: { T1: [1], T2: [2] },
    C: { T2: [3] }
  })
})

it('cuts a topic among its own subscribers', () => {
  const members = { A: { wants: ['T1', 'T2'] }, B: { wants: ['T3'] }, C: { wants: ['T2', 'T3'] } }
  expect(assign(rangeAssignor, { T1: 3, T2: 3, T3: 2 }, members)).toEqual({
    A: { T1: [0, 1, 2], T2: [0, 1] },
    B: { T3: [0] },
    C: { T2: [2], T3: [1] }
  })
})

it('begins with static members, by their names, so that one who comes back as somebody else has the same', () => {
  const before = assign(rangeAssignor, { T1: 3 }, { A: { instanceId: 'y' }, B: { instanceId: 'x' }, C: {} })
  expect(before).toEqual({ A: { T1: [1] }, B: { T1: [0] }, C: { T1: [2] } })
  const after = assign(rangeAssignor, { T1: 3 }, { Z: { instanceId: 'x' }, A: { instanceId: 'y' }, C: {} })
  expect(after).toEqual({ A: { T1: [1] }, Z: { T1: [0] }, C: { T1: [2] } })
})

it('does not care what members had', () => {
  const members = { A: { has: { T1: [2] } }, B: { has: { T1: [0, 1] } } }
  expect(assign(rangeAssignor, { T1: 3 }, members)).toEqual({ A: { T1: [0, 1] }, B: { T1: [2] } })
})

it('gives nothing to who wants nothing, and nobody anything in an empty group', () => {
  expect(assign(rangeAssignor, { T1: 1 }, { A: { wants: [], has: { T1: [0] } } })).toEqual({ A: {} })
  expect(assign(rangeAssignor, { T1: 1 }, {})).toEqual({})
})

it('gives up on a topic that does not exist', () => {
  expect(() => assign(rangeAssignor, { T1: 1 }, { A: { wants: ['T2'] } })).toThrow(PartitionAssignorError)
})
