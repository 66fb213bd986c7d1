import { expect, it } from 'vitest'
import type { ClassicGroup } from '../../../src/group/classic/group.ts'
import { groupMetadataOf, restoreGroup } from '../../../src/group/classic/record.ts'
import { ClassicGroupDriver } from './classic-group-driver.ts'

/** What the bytes that a group keeps hold in memory, beside those bytes. */
function pinnedBytes({ members }: ClassicGroup): number {
  const kept = [...members.values()].flatMap(({ protocols, assignment }) => [
    assignment,
    ...protocols.map(({ metadata }) => metadata)
  ])
  return kept.reduce((sum, { buffer, length }) => sum + buffer.byteLength - length, 0)
}

it('what a group keeps of requests and of records keeps nothing else in memory', () => {
  const { group } = ClassicGroupDriver.stable(['a', 'b'])
  expect(group.members.get('a')?.assignment.toString()).toBe('for a')
  expect(pinnedBytes(group)).toBe(0)
  expect(pinnedBytes(restoreGroup('g', groupMetadataOf(group)))).toBe(0)
})
