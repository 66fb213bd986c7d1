import { expect, it } from 'vitest'
import type { ClassicGroup } from '../../../src/group/classic/group.ts'
import { groupMetadataOf, restoreGroup } from '../../../src/group/classic/record.ts'
import { ClassicGroupDriver } from './classic-group-driver.ts'

/** The bytes that are kept in memory only because a buffer of the group is a view of a larger buffer. */
function pinnedBytes({ members }: ClassicGroup): number {
  const kept = [...members.values()].flatMap(({ protocols, assignment }) => [
    assignment,
    ...protocols.map(({ metadata }) => metadata)
  ])
  return kept.reduce((sum, { buffer, length }) => sum + buffer.byteLength - length, 0)
}

it('a group keeps no views of larger buffers of requests or records', () => {
  const { group } = ClassicGroupDriver.stable(['a', 'b'])
  expect(group.members.get('a')?.assignment.toString()).toBe('for a')
  expect(pinnedBytes(group)).toBe(0)
  expect(pinnedBytes(restoreGroup('g', groupMetadataOf(group)))).toBe(0)
})
