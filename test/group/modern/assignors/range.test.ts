import { expect, it } from 'vitest'
import { PartitionAssignorError } from '../../../../src/group/modern/assignors/assignor.ts'
import { rangeAssignor } from '../../../../src/group/modern/assignors/range.ts'
import { assign } from './written-group.ts'

it('the range assignor divides each topic into ranges, equal ones for topics of equal size', () => {
  expect(assign(rangeAssignor, { T1: 3, T2: 3 }, { A: {}, B: {} })).toEqual({
    A: { T1: [0, 1], T2: [0, 1] },
    B: { T1: [2], T2: [2] }
  })
})

it('the range assignor assigns no partition of a topic to surplus members', () => {
  expect(assign(rangeAssignor, { T1: 2, T2: 4 }, { A: {}, B: {}, C: {} })).toEqual({
    A: { T1: [0], T2: [0, 1] },
    B: { T1: [1], T2: [2] },
    C: { T2: [3] }
  })
})

it('the range assignor divides a topic among its subscribers', () => {
  const members = { A: { wants: ['T1', 'T2'] }, B: { wants: ['T3'] }, C: { wants: ['T2', 'T3'] } }
  expect(assign(rangeAssignor, { T1: 3, T2: 3, T3: 2 }, members)).toEqual({
    A: { T1: [0, 1, 2], T2: [0, 1] },
    B: { T3: [0] },
    C: { T2: [2], T3: [1] }
  })
})

it('the range assignor sorts static members first, by instance id, so that a rejoining static member keeps its ranges', () => {
  const before = assign(rangeAssignor, { T1: 3 }, { A: { instanceId: 'y' }, B: { instanceId: 'x' }, C: {} })
  expect(before).toEqual({ A: { T1: [1] }, B: { T1: [0] }, C: { T1: [2] } })
  const after = assign(rangeAssignor, { T1: 3 }, { Z: { instanceId: 'x' }, A: { instanceId: 'y' }, C: {} })
  expect(after).toEqual({ A: { T1: [1] }, Z: { T1: [0] }, C: { T1: [2] } })
})

it('the range assignor ignores the previous assignment', () => {
  const members = { A: { has: { T1: [2] } }, B: { has: { T1: [0, 1] } } }
  expect(assign(rangeAssignor, { T1: 3 }, members)).toEqual({ A: { T1: [0, 1] }, B: { T1: [2] } })
})

it('the range assignor assigns nothing without subscriptions or members', () => {
  expect(assign(rangeAssignor, { T1: 1 }, { A: { wants: [], has: { T1: [0] } } })).toEqual({ A: {} })
  expect(assign(rangeAssignor, { T1: 1 }, {})).toEqual({})
})

it('the range assignor throws for a topic that does not exist', () => {
  expect(() => assign(rangeAssignor, { T1: 1 }, { A: { wants: ['T2'] } })).toThrow(PartitionAssignorError)
})
