// Properties of every assignment, in random groups (one for each seed).
import { describe, expect, it } from 'vitest'
import type { Assignment, Assignor, GroupSpec } from '../../../../src/group/modern/assignors/assignor.ts'
import { rangeAssignor } from '../../../../src/group/modern/assignors/range.ts'
import { uniformAssignor } from '../../../../src/group/modern/assignors/uniform.ts'
import { randomUuid, seededRandom } from '../../../../src/runtime/random.ts'
import { BOUNDS, RandomGroup } from './random-group.ts'

const GROUPS = 15
const CHANGES = 12

type Assigned = ReadonlyMap<string, Assignment>

/** Changes random groups and calls `check` after each assignment, before the members adopt it. */
function live(
  assignor: Assignor,
  isHomogeneous: boolean,
  check: (group: RandomGroup, assigned: Assigned) => void
): void {
  for (const bounds of BOUNDS) {
    for (let seed = 0; seed < GROUPS; seed++) {
      const group = new RandomGroup(seededRandom(seed), isHomogeneous, bounds)
      for (let change = 0; change < CHANGES; change++) {
        const assigned = assignor.assign(group, group)
        check(group, assigned)
        group.adopt(assigned)
        group.change()
      }
    }
  }
}

describe.each([uniformAssignor, rangeAssignor])('$name', assignor => {
  it.each([true, false])('every subscribed partition is assigned to one subscriber (homogeneous: %s)', same => {
    live(assignor, same, (group, assigned) => {
      expect([...assigned.keys()].sort()).toEqual([...group.members.keys()].sort())
      const given = partitionsOf(assigned).map(({ topicId, partition }) => `${topicId} ${partition}`)
      expect(given.sort()).toEqual(subscribedPartitions(group).sort())
      for (const [memberId, topics] of assigned) {
        const subscribed = group.members.get(memberId)?.subscribedTopicIds
        expect([...topics.keys()].filter(topicId => !subscribed?.has(topicId))).toEqual([])
      }
    })
  })

  it.each([true, false])('an assignment of an unchanged group changes nothing (homogeneous: %s)', same => {
    live(assignor, same, (group, assigned) => {
      group.adopt(assigned)
      expect(assignor.assign(group, group)).toEqual(assigned)
    })
  })

  it('an assignment does not modify the group', () => {
    live(assignor, false, group => {
      const before = structuredClone(group.members)
      assignor.assign(group, group)
      expect(group.members).toEqual(before)
    })
  })
})

describe('the uniform assignor', () => {
  it('shares of members with the same subscription differ by at most one partition', () => {
    live(uniformAssignor, true, (_, assigned) => {
      const sizes = [...assigned.values()].map(sizeOf)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    })
  })

  it('an assignment moves as few partitions as possible if all members have the same subscription', () => {
    live(uniformAssignor, true, (group, assigned) => {
      const total = partitionsOf(assigned).length
      const share = Math.floor(total / group.members.size)
      const had = [...group.members.values()].map(({ assigned, subscribedTopicIds }) =>
        sizeOf(new Map([...assigned].filter(([topicId]) => subscribedTopicIds.has(topicId))))
      )
      const more = had.filter(size => size > share).length
      const canStay = had.reduce((sum, size) => sum + Math.min(size, share), Math.min(more, total % group.members.size))
      expect(stayed(group, assigned)).toBe(canStay)
    })
  })

  it('no subscriber of a partition has two partitions less than its owner', () => {
    live(uniformAssignor, false, (group, assigned) => {
      const loads = new Map(Array.from(assigned, ([memberId, topics]) => [memberId, sizeOf(topics)]))
      for (const [giver, topics] of assigned) {
        for (const [taker, { subscribedTopicIds }] of group.members) {
          if (![...topics.keys()].some(topicId => subscribedTopicIds.has(topicId))) continue
          expect((loads.get(giver) ?? 0) - (loads.get(taker) ?? 0)).toBeLessThanOrEqual(1)
        }
      }
    })
  })

  it('an assignment of a hundred thousand partitions moves only the partitions of a new member', () => {
    const random = seededRandom(1)
    const topics = new Map(Array.from({ length: 100 }, () => [randomUuid(random), 1000]))
    const describer = { partitionCount: (topicId: string) => topics.get(topicId) }
    const member = { instanceId: null, subscribedTopicIds: new Set(topics.keys()), assigned: new Map() }
    const memberIds = Array.from({ length: 1000 }, () => randomUuid(random))
    for (const isHomogeneous of [true, false]) {
      const members = new Map(memberIds.map(memberId => [memberId, member]))
      const first = uniformAssignor.assign({ members, isHomogeneous }, describer)
      expect(new Set([...first.values()].map(sizeOf))).toEqual(new Set([100]))
      const joined = new Map(Array.from(first, ([memberId, assigned]) => [memberId, { ...member, assigned }]))
      const group = { members: joined.set(randomUuid(random), member), isHomogeneous }
      expect(stayed(group, uniformAssignor.assign(group, describer))).toBe(100_000 - 99)
    }
  })
})

describe('the range assignor', () => {
  it.each([true, false])(
    'the ranges of a topic are contiguous and differ by at most one partition (homogeneous: %s)',
    same => {
      live(rangeAssignor, same, (group, assigned) => {
        for (const topicId of group.topics.keys()) {
          const subscribers = [...group.members].filter(([, member]) => member.subscribedTopicIds.has(topicId))
          const ranges = subscribers.map(([memberId]) => [...(assigned.get(memberId)?.get(topicId) ?? [])])
          const sizes = ranges.map(range => range.length)
          if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
          for (const range of ranges) expect(range).toEqual(range.map((_, index) => (range[0] ?? 0) + index))
        }
      })
    }
  )

  it('topics of the same size have the same ranges if all members have the same subscription', () => {
    live(rangeAssignor, true, (group, assigned) => {
      for (const topics of assigned.values()) {
        const bySize = new Map<number | undefined, unknown>()
        for (const topicId of group.topics.keys()) {
          const size = group.topics.get(topicId)
          if (bySize.has(size)) expect(topics.get(topicId)).toEqual(bySize.get(size))
          bySize.set(size, topics.get(topicId))
        }
      }
    })
  })
})

function partitionsOf(assigned: Assigned): { topicId: string; partition: number }[] {
  return [...assigned.values()].flatMap(topics =>
    [...topics].flatMap(([topicId, partitions]) => [...partitions].map(partition => ({ topicId, partition })))
  )
}

function subscribedPartitions(group: RandomGroup): string[] {
  const topicIds = new Set([...group.members.values()].flatMap(({ subscribedTopicIds }) => [...subscribedTopicIds]))
  return [...topicIds].flatMap(topicId =>
    Array.from({ length: group.topics.get(topicId) ?? 0 }, (_, partition) => `${topicId} ${partition}`)
  )
}

function sizeOf(assigned: Assignment): number {
  return [...assigned.values()].reduce((sum, partitions) => sum + partitions.size, 0)
}

/** The number of partitions that keep their member. */
function stayed({ members }: GroupSpec, assigned: Assigned): number {
  const counts = Array.from(assigned, ([memberId, topics]) => {
    const had = members.get(memberId)?.assigned
    return [...topics].flatMap(([topicId, partitions]) => [...partitions].filter(p => had?.get(topicId)?.has(p))).length
  })
  return counts.reduce((sum, count) => sum + count, 0)
}
